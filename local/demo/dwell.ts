/** Short, so that a story is: EC2 takes about ten times as long. */
export const dwellMs = {
  pending: [700, 1_100],
  stopping: [700, 1_100],
  'shutting-down': [500, 900],
} as const;
