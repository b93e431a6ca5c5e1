import * as z from 'zod/mini';
import { Collection } from '../../shared/core/inventory/entry.ts';
import { ServiceType } from '../../shared/core/kind.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { type ListedTarget, targetOfKey } from '../../shared/core/target.ts';
import { accountsVariable } from '../../shared/runtime/accounts.ts';
import { json } from '../../shared/runtime/json-variable.ts';
import { servedVariables } from '../../shared/runtime/service-types.ts';

/** An entry of REGIONS. `region` is the key of a target (shared/core/target.ts): in the home account, the region alone. */
export const PolledRegion = z.object({
  region: z.string(),
  kind: z.enum(['legacy', 'streaming']),
  /** Of the resources that are listed there; absent: vm. */
  serviceType: z.optional(ServiceType),
});
export type PolledRegion = z.infer<typeof PolledRegion>;

/** The resources of one service type, or a collection of the inventory, in a target, which the poller lists. `legacy`: its changes are found by listings alone; `streaming`: by events, and listings find the rest. */
export type PolledTarget = { readonly target: ListedTarget; readonly mode: PolledRegion['kind'] };

/** Environment of the poller. infra/functions.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the resource store, which also has the listings. */
  FLEET_TABLE: z.string().check(z.minLength(1)),
  OBSERVATIONS_QUEUE_URL: z.url(),
  /** Our name at DCM. */
  PROVIDER_NAME: z.string().check(z.minLength(1)),
  /** JSON of TagKeys (shared/core/ownership.ts). */
  TAG_KEYS: z.pipe(json, TagKeys),
  /** JSON of all polled regions. */
  REGIONS: z.pipe(
    json,
    z.pipe(
      z.array(PolledRegion),
      z.transform((regions) =>
        regions.map(
          ({ region, kind, serviceType }): PolledTarget => ({
            target: { ...targetOfKey(region), ...(serviceType && { serviceType }) },
            mode: kind,
          }),
        ),
      ),
    ),
  ),
  /** The shortest time between two listings of a target, in seconds: 1 to 300. A deployment has 10 or more. */
  POLL_FLOOR_SECONDS: z.pipe(json, z.int().check(z.minimum(1), z.maximum(300))),
  ...servedVariables,
  /** The queue of cluster steps, where a step of a cluster that is not at rest is requested again; absent: there are no clusters. */
  CLUSTER_STEPS_QUEUE_URL: z.optional(z.url()),
  ...accountsVariable,
  /** DynamoDB table of the inventory and of the change feed; absent: there is no inventory. */
  INVENTORY_TABLE: z.optional(z.string().check(z.minLength(1))),
  /** The queue `inventory`, where compactions are requested; with INVENTORY_TABLE. */
  INVENTORY_QUEUE_URL: z.optional(z.url()),
  /** JSON of the collections that the inventory has of every target; with INVENTORY_TABLE. @default all of them */
  INVENTORY_COLLECTIONS: z.optional(z.pipe(json, z.array(Collection))),
  /** The time between two listings of a collection that only the inventory has, in seconds. @default 3600 */
  INVENTORY_SECONDS: z.optional(z.pipe(json, z.int().check(z.minimum(1), z.maximum(86_400)))),
});
export type Env = z.input<typeof Env>;
