import type { Count, Log, Meter } from '../../shared/ports/telemetry.ts';

/** A meter that can be read. */
export const countingMeter = (): Meter & {
  readonly counts: Partial<Record<Count | 'resyncHealed', number>>;
  readonly canaryAges: number[];
} => {
  const counts: Partial<Record<Count | 'resyncHealed', number>> = {};
  const canaryAges: number[] = [];
  return {
    ...{ counts, canaryAges },
    count: (name, by = 1) => {
      counts[name] = (counts[name] ?? 0) + by;
    },
    eventAge: () => undefined,
    canaryAge: (_, ms) => void canaryAges.push(ms),
    healed: () => {
      counts.resyncHealed = (counts.resyncHealed ?? 0) + 1;
    },
  };
};

/** A log that can be read. */
export const memoryLog = (): Log & { readonly lines: string[] } => {
  const lines: string[] = [];
  const keep = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, info: keep('info'), warn: keep('warn'), error: keep('error') };
};
