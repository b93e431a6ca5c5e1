import * as z from 'zod/mini';
import { Collection } from '../../shared/core/inventory/entry.ts';
import { targetOfKey } from '../../shared/core/target.ts';
import { accountsVariable } from '../../shared/runtime/accounts.ts';
import { json } from '../../shared/runtime/json-variable.ts';

/** Environment of the inventory function. infra/functions.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the inventory and of the change feed. */
  INVENTORY_TABLE: z.string().check(z.minLength(1)),
  /** The queue of the function's messages: EventBridge's events, and requests for compaction. */
  INVENTORY_QUEUE_URL: z.url(),
  /** The queue for messages that no retry can make readable, with the reason. */
  DEAD_LETTER_QUEUE_URL: z.url(),
  /** Our name at DCM, which is in the names of roles. */
  PROVIDER_NAME: z.string().check(z.minLength(1)),
  /** Id of the home account. Absent only on a laptop with another EC2: then events of any account are of the home account. */
  ACCOUNT_ID: z.optional(z.string().check(z.regex(/^\d{12}$/))),
  /** JSON of the keys of all targets (shared/core/target.ts); events about others are dropped. */
  TARGETS: z.pipe(
    json,
    z.pipe(
      z.array(z.string().check(z.minLength(1))),
      z.transform((keys) => keys.map(targetOfKey)),
    ),
  ),
  /** JSON of the collections that the inventory has. @default all of them */
  INVENTORY_COLLECTIONS: z.optional(z.pipe(json, z.array(Collection))),
  ...accountsVariable,
});
export type Env = z.input<typeof Env>;
