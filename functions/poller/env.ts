import * as z from 'zod/mini';
import { TagKeys } from '../../shared/core/ownership.ts';
import { json } from '../../shared/runtime/json-variable.ts';

export const PolledRegion = z.object({ region: z.string(), kind: z.enum(['legacy', 'streaming']) });
export type PolledRegion = z.infer<typeof PolledRegion>;

/** What the poller is told by its environment. infra/constructs/poller.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the fleet; listings are remembered there, too. */
  FLEET_TABLE: z.string().check(z.minLength(1)),
  /** Where differences go. */
  OBSERVATIONS_QUEUE_URL: z.url(),
  /** Our name at DCM. */
  PROVIDER_NAME: z.string().check(z.minLength(1)),
  /** JSON of TagKeys (shared/core/ownership.ts). */
  TAG_KEYS: z.pipe(json, TagKeys),
  /** JSON of all regions that are polled: legacy ones have nothing else, streaming ones are healed. */
  REGIONS: z.pipe(json, z.array(PolledRegion)),
  /** A region is never listed more often than once in so many seconds: 1 to 300. A deployment has 10 or more. */
  POLL_FLOOR_SECONDS: z.pipe(json, z.int().check(z.minimum(1), z.maximum(300))),
});
export type Env = z.input<typeof Env>;
