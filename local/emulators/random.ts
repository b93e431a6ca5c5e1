/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export type Random = () => number;

export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** How long something takes, in milliseconds: fixed, or random between two values. */
export type Duration = number | readonly [number, number];

export const drawMs = (duration: Duration, random: Random): number => {
  const [shortest, longest] = typeof duration === 'number' ? [duration, duration] : duration;
  return shortest + random() * (longest - shortest);
};
