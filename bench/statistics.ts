/** The value that this share of the values does not exceed. @throws where there are no values. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new Error('There is nothing to take a percentile of.');
  return value;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);
