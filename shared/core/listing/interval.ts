/** What decides how soon a region is polled again. */
export type Activity = {
  /** An instance is in transition, or something changed since the last listing. */
  readonly busy: boolean;
  /** Milliseconds since 1970 when a listing was last busy. */
  readonly lastBusyAtMs: number;
  readonly intervalSeconds: number;
};

export type Pace = {
  /** The shortest interval, and the one of a busy region. */
  readonly floorSeconds: number;
  /** The longest interval until a region counts as quiet. */
  readonly calmSeconds: number;
  /** The interval of a quiet region. */
  readonly quietSeconds: number;
};

/** Legacy regions have nothing but polling; streaming regions are listed again only to heal what events missed. */
export const paces = {
  legacy: (floorSeconds: number): Pace => ({ floorSeconds, calmSeconds: 60, quietSeconds: 300 }),
  streaming: (floorSeconds: number): Pace => ({
    floorSeconds: 3 * floorSeconds, // 30 s at the default floor
    calmSeconds: 60,
    quietSeconds: 300,
  }),
} as const;

const growth = 1.5;
const quietAfterMs = 5 * 60_000;

/**
 * When a region is due next, in milliseconds since 1970. Quiet regions come due together, on a common grid, and share the turns that are
 * paid for; never within the floor.
 */
export const nextDue = (startedAtMs: number, intervalSeconds: number, pace: Pace): number => {
  const due = startedAtMs + intervalSeconds * 1000;
  if (intervalSeconds < pace.quietSeconds) return due;
  const gridMs = pace.quietSeconds * 1000;
  return Math.max(Math.floor(due / gridMs) * gridMs, startedAtMs + pace.floorSeconds * 1000);
};

/** Seconds from one listing of a region to the next: the floor while something happens, growing when nothing does. */
export const nextInterval = (
  { busy, lastBusyAtMs, intervalSeconds }: Activity,
  pace: Pace,
  nowMs: number,
): number => {
  if (busy) return pace.floorSeconds;
  if (nowMs - lastBusyAtMs >= quietAfterMs) return pace.quietSeconds;
  return Math.min(
    Math.max(Math.ceil(intervalSeconds * growth), pace.floorSeconds),
    Math.max(pace.calmSeconds, pace.floorSeconds),
  );
};
