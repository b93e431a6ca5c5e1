import * as z from 'zod/mini';
import { TagKeys } from '../../shared/core/ownership.ts';
import { AccountId, accountsVariable } from '../../shared/runtime/accounts.ts';
import { json } from '../../shared/runtime/json-variable.ts';
import { ClusterProvisioning } from '../../shared/service-types/cluster/provisioning.ts';

const nonEmpty = z.string().check(z.minLength(1));

/** The part of an account's settings that steps need. */
const AccountSteps = z.pick(ClusterProvisioning, {
  nodeRoleArn: true,
  adminPrincipals: true,
  changeAdopted: true,
});
export type AccountSteps = z.infer<typeof AccountSteps>;

/** The settings of the home account, where it has clusters, and those of other accounts, by id. */
export const StepSettings = z.union([
  z.extend(AccountSteps, { accounts: z.optional(z.record(AccountId, AccountSteps)) }),
  z.strictObject({ accounts: z.record(AccountId, AccountSteps) }),
]);
export type StepSettings = z.infer<typeof StepSettings>;

/** The environment variables of cluster-steps. infra/functions.ts must supply exactly these. */
export const Env = z.object({
  /** DynamoDB table of the resource store. */
  FLEET_TABLE: nonEmpty,
  OBSERVATIONS_QUEUE_URL: z.url(),
  /** The queue of the function's messages, where the next steps are queued. */
  CLUSTER_STEPS_QUEUE_URL: z.url(),
  /** The queue for messages that no retry can make readable, with the reason. */
  DEAD_LETTER_QUEUE_URL: z.url(),
  /** Our name at DCM. */
  PROVIDER_NAME: nonEmpty,
  /** JSON of TagKeys (shared/core/ownership.ts). */
  TAG_KEYS: z.pipe(json, TagKeys),
  /** JSON of StepSettings. */
  CLUSTERS: z.pipe(
    json,
    z.pipe(
      StepSettings,
      z.transform((settings) => ({
        home: 'nodeRoleArn' in settings ? settings : undefined,
        accounts: settings.accounts ?? {},
      })),
    ),
  ),
  /** Seconds from one step of a cluster to the next: 1 to 900. @default 25 */
  STEP_SECONDS: z.prefault(z.pipe(json, z.int().check(z.minimum(1), z.maximum(900))), '25'),
  ...accountsVariable,
});
export type Env = z.input<typeof Env>;
