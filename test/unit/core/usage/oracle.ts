/** The truth about one instance, second by second: what the ledger must find from events alone. */
export type TrueInstance = {
  readonly resource: string;
  /** Each start with its end, in seconds since 1970, and the type that it has then. The last one may have no end. */
  readonly runs: readonly {
    readonly start: number;
    readonly stop: number | undefined;
    readonly size: string;
  }[];
  readonly platform: string;
};

/** The same for each type that the instance had. */
export const usedSecondsBySize = (
  one: TrueInstance,
  from: number,
  until: number,
  now: number,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...new Set(one.runs.map(({ size }) => size))].flatMap((size) => {
      const own = { ...one, runs: one.runs.filter((run) => run.size === size) };
      const seconds = usedSecondsOf(own, from, until, now);
      return seconds === 0 ? [] : [[size, seconds]];
    }),
  );

/** Counts seconds one by one, without a thought about intervals. Slow, and independent of the code under test. */
export const usedSecondsOf = ({ runs }: TrueInstance, from: number, until: number, now: number): number => {
  let seconds = 0;
  for (let second = from; second < until; second += 1)
    if (second < now && runs.some(({ start, stop = now }) => second >= start && second < stop)) seconds += 1;
  return seconds;
};

/** What AWS bills for all runs: per second with a minimum of a minute, and SUSE by whole hours. */
export const billedSecondsOf = ({ runs, platform }: TrueInstance, now: number): number =>
  runs.reduce((sum, { start, stop = now }) => {
    const length = stop - start;
    if (platform === 'SUSE Linux') return sum + 3600 * Math.ceil(length / 3600);
    return sum + (length < 60 ? 60 : length);
  }, 0);
