/** The value that this share of the values does not exceed. @throws where there are no values. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new Error('There are no values to take a percentile of.');
  return value;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** How long it takes, in milliseconds. */
export const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
};

/** What a product is measured against. Both reject where their work was not done. */
export type Pair = { readonly product: () => Promise<void>; readonly baseline: () => Promise<void> };

/**
 * Milliseconds of each, one directly after the other, so that both run on a machine that is equally busy. The two take turns in going
 * first: an even `turn` begins with the product.
 */
export const timedPair = async ({ product, baseline }: Pair, turn: number) => {
  if (turn % 2 === 0) return { product: await timed(product), baseline: await timed(baseline) };
  const first = await timed(baseline);
  return { product: await timed(product), baseline: first };
};

type Comparison = Pair & {
  /** Events that one round handles. */
  readonly events: number;
  /** Pairs that count; one more, before them, warms up. Odd. */
  readonly pairs: number;
  /** Before each round, not measured: makes everything as it was before the first one. */
  readonly reset?: () => Promise<void>;
};

/** Events a second of each, and their ratio: the median of the pairs' own ratios. */
export const compareRates = async ({ product, baseline, events, pairs, reset }: Comparison) => {
  const rateOf = async (run: () => Promise<void>) => {
    await reset?.();
    return (events * 1000) / (await timed(run));
  };
  const measured: { product: number; baseline: number }[] = [];
  for (let turn = 0; turn <= pairs; turn++) {
    const productFirst = turn % 2 === 0;
    const first = await rateOf(productFirst ? product : baseline);
    const second = await rateOf(productFirst ? baseline : product);
    measured.push(productFirst ? { product: first, baseline: second } : { product: second, baseline: first });
  }
  const counted = measured.slice(1);
  return {
    productPerSecond: median(counted.map((pair) => pair.product)),
    baselinePerSecond: median(counted.map((pair) => pair.baseline)),
    ratio: median(counted.map((pair) => pair.product / pair.baseline)),
  };
};
