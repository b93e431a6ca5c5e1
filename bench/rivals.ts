import { median } from './statistics.ts';

/** One way to do the work of a round; rejects where it was not done. */
type Contender = () => Promise<void>;

type Contest = {
  readonly product: Contender;
  readonly bare: Contender;
  /** What one round handles. */
  readonly events: number;
  /** Odd. */
  readonly rounds: number;
  /** Makes everything as it was before the first round; not measured. */
  readonly reset?: () => Promise<void>;
};

/**
 * Medians of alternating rounds, after a warm-up of each. The ratio is the median of each pair's own ratio, so that a machine that is
 * busy for a while is busy for both.
 */
export const compare = async ({ product, bare, events, rounds, reset }: Contest) => {
  const rateOf = async (contender: Contender) => {
    await reset?.();
    const startedAt = performance.now();
    await contender();
    return (events * 1000) / (performance.now() - startedAt);
  };

  const pairs: { product: number; bare: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const first = await rateOf(round % 2 === 0 ? product : bare); // who goes first takes turns, too
    const second = await rateOf(round % 2 === 0 ? bare : product);
    pairs.push(round % 2 === 0 ? { product: first, bare: second } : { product: second, bare: first });
  }
  const measured = pairs.slice(1);
  return {
    productPerSecond: median(measured.map((pair) => pair.product)),
    barePerSecond: median(measured.map((pair) => pair.bare)),
    ratio: median(measured.map((pair) => pair.product / pair.bare)),
  };
};
