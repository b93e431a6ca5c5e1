type Moment<Value> = { readonly value: Value; readonly atMs: number };

/** What something is since `atMs`, and what it was before, newest first: whoever asks EC2 may be shown the past. */
export type Timeline<Value> = Moment<Value> & { readonly before: readonly Moment<Value>[] };

const remembered = 16;

export const begun = <Value>(value: Value, atMs: number): Timeline<Value> => ({ value, atMs, before: [] });

export const changed = <Value>(
  { before, ...last }: Timeline<Value>,
  value: Value,
  atMs: number,
): Timeline<Value> => ({ value, atMs, before: [last, ...before].slice(0, remembered) });

/** What it was at that time, and since when; undefined for a time before all that is remembered. */
export const asOf = <Value>(timeline: Timeline<Value>, atMs: number): Moment<Value> | undefined =>
  timeline.atMs <= atMs ? timeline : timeline.before.find((moment) => moment.atMs <= atMs);

export const oldest = <Value>(timeline: Timeline<Value>): Moment<Value> => timeline.before.at(-1) ?? timeline;
