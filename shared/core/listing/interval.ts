/** The facts that decide how soon a target is listed again. */
export type Activity = {
  /** A resource is in transition, or something changed since the last listing. */
  readonly busy: boolean;
  /** Milliseconds since 1970 when a listing was last busy. */
  readonly lastBusyAtMs: number;
  readonly intervalSeconds: number;
};

export type Pace = {
  /** The shortest interval, and the one of a busy target. */
  readonly floorSeconds: number;
  /** The longest interval until a target counts as quiet. */
  readonly calmSeconds: number;
  /** The interval of a quiet target. */
  readonly quietSeconds: number;
};

/** In a legacy region, listings are the only source of changes; in a streaming region they only make up for lost events. */
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
 * When a target is due next, in milliseconds since 1970, never before the shortest interval. Quiet targets are due at the same times, so
 * that they share polling turns: each turn costs state transitions.
 */
export const nextDue = (startedAtMs: number, intervalSeconds: number, pace: Pace): number => {
  const due = startedAtMs + intervalSeconds * 1000;
  if (intervalSeconds < pace.quietSeconds) return due;
  const gridMs = pace.quietSeconds * 1000;
  return Math.max(Math.floor(due / gridMs) * gridMs, startedAtMs + pace.floorSeconds * 1000);
};

/** Seconds from one listing of a target to the next: the shortest interval while something changes, else longer. */
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
