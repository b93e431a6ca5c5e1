/** Shorter than EC2's, so that the story is short, and longer than the provider needs to report a state before the next one. */
export const dwellMs = {
  pending: [2_000, 2_500],
  stopping: [1_500, 2_000],
  'shutting-down': [1_500, 2_000],
} as const;
