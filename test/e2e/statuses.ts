/** What ends by itself: where the provider comes to it after its end, which a slow machine decides, it is not told any more. */
const passing = new Set(['provisioning', 'stopping', 'deleting']);

/** What a VM comes to rest in, each of which DCM must be told. */
export const resting = (statuses: readonly string[]): string[] =>
  statuses.filter((status) => !passing.has(status));

/** Whether the one is the other, in its order and none of it twice, with some of what passes left out. */
export const areInOrder = (told: readonly string[], life: readonly string[]): boolean => {
  const left = [...told];
  for (const status of life) if (status === left[0]) left.shift();
  return left.length === 0 && resting(told).join() === resting(life).join();
};
