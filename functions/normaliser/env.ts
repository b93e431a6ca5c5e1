import * as z from 'zod/mini';
import { TagKeys } from '../../shared/core/ownership.ts';
import { AccountId, accountsVariable } from '../../shared/runtime/accounts.ts';
import { json } from '../../shared/runtime/json-variable.ts';
import { servedVariables } from '../../shared/runtime/service-types.ts';

/** The environment variables of the normaliser. infra/functions.ts must supply exactly these. */
export const Env = z.object({
  /** DynamoDB table of the resource store. */
  FLEET_TABLE: z.string().check(z.minLength(1)),
  /** Name or ARN of the nats-bridge function. */
  NATS_BRIDGE: z.string().check(z.minLength(1)),
  /** The queue of the function's messages, where failed ones are postponed and follow-ups are queued. */
  OBSERVATIONS_QUEUE_URL: z.url(),
  /** The queue for messages that no retry can make readable, with the reason. */
  DEAD_LETTER_QUEUE_URL: z.url(),
  /** JSON of the names of all regions of the home account whose instances are reported; events about others are dropped. */
  REGIONS: z.pipe(json, z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
  /** Our name at DCM: CloudEvents carry it in `source`, instances in their provider tag. */
  PROVIDER_NAME: z.string().check(z.minLength(1)),
  /**
   * Id of the home account; events of accounts that are neither it nor in ACCOUNTS_FILE are dropped. Absent only on a laptop with another EC2
   * of unknown account: then events of any account are handled, as of the home account.
   */
  ACCOUNT_ID: z.optional(AccountId),
  /** JSON of TagKeys (shared/core/ownership.ts). */
  TAG_KEYS: z.pipe(json, TagKeys),
  /**
   * How many changes of a VM within ten seconds are published at once; further ones are held back until it settles.
   * @default 4
   */
  BURST: z.optional(z.pipe(json, z.int().check(z.minimum(1), z.maximum(9)))),
  /** Name or ARN of the event bus that gets every published status. Absent: there is none. */
  STATUS_BUS: z.optional(z.string().check(z.minLength(1))),
  /** How the end of a spot instance that has run is reported. @default 'FAILED' */
  SPOT_ENDS_AS: z.optional(z.enum(['FAILED', 'DELETED'])),
  /** How a container that is starting is reported: PENDING only where no environment agent is in front. @default 'PROVISIONING' */
  STARTING_AS: z.optional(z.enum(['PROVISIONING', 'PENDING'])),
  /** DCM's words for the status of a cluster. @default 'current' */
  CLUSTER_WORDS: z.optional(z.enum(['current', 'first'])),
  ...servedVariables,
  ...accountsVariable,
});
export type Env = z.input<typeof Env>;
