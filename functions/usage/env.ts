import * as z from 'zod/mini';

/** The environment variables of the usage function. infra/functions.ts must supply exactly these. */
export const Env = z.object({
  /** DynamoDB table with the usage ledger. */
  USAGE_TABLE: z.string().check(z.minLength(1)),
  /** The queue behind the status bus, whose failed messages are postponed. */
  USAGE_QUEUE_URL: z.url(),
  /** The queue for messages that no retry can make readable, with the reason. */
  DEAD_LETTER_QUEUE_URL: z.url(),
});
export type Env = z.input<typeof Env>;
