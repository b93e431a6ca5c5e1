import * as z from 'zod/mini';
import { TagKeys } from '../../shared/core/ownership.ts';
import { json } from '../../shared/runtime/json-variable.ts';

/** Environment of the normaliser. infra/functions.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the resource store. */
  FLEET_TABLE: z.string().check(z.minLength(1)),
  /** Name or ARN of the nats-bridge function. */
  NATS_BRIDGE: z.string().check(z.minLength(1)),
  /** Where messages come from, are postponed when they must be tried again, and where our own for later go. */
  OBSERVATIONS_QUEUE_URL: z.url(),
  /** Where messages that no retry can make readable go, with the reason. */
  DEAD_LETTER_QUEUE_URL: z.url(),
  /** JSON of the names of all regions whose instances are reported; events about others are dropped. */
  REGIONS: z.pipe(json, z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
  /** Our name at DCM: CloudEvents carry it in `source`, instances in their provider tag. */
  PROVIDER_NAME: z.string().check(z.minLength(1)),
  /**
   * Id of the AWS account whose instances are reported; events of others are dropped. Left out only on a laptop with another EC2, whose
   * account is not known: events of any account are taken then.
   */
  ACCOUNT_ID: z.optional(z.string().check(z.regex(/^\d{12}$/))),
  /** JSON of TagKeys (shared/core/ownership.ts). */
  TAG_KEYS: z.pipe(json, TagKeys),
  /**
   * How many changes of a VM within ten seconds are each published; of those beyond, the newest is published once the VM settles.
   * @default 4
   */
  BURST: z.optional(z.pipe(json, z.int().check(z.minimum(1), z.maximum(9)))),
  /** How the end of a spot instance that has run is reported. @default 'FAILED' */
  SPOT_ENDS_AS: z.optional(z.enum(['FAILED', 'DELETED'])),
});
export type Env = z.input<typeof Env>;
