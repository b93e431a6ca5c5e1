import * as z from 'zod/mini';
import { ServiceType } from '../core/kind.ts';
import { ListedProvider } from './dcm-provider.ts';

/** The registration of one service type in a region, and DCM's providers there: the registration's answer to `{ "do": "inspect" }`, without credentials. */
const InspectedRegion = z.object({
  region: z.string(),
  /** Absent: vm, as earlier versions answer. */
  serviceType: z._default(ServiceType, 'vm'),
  /** Our name at DCM. */
  row: z.string(),
  kind: z.enum(['agent', 'control-plane']),
  url: z.string(),
  /** The address of the API that we register. */
  endpoint: z.string(),
  /** Why DCM did not list its providers; then `providers` is empty. */
  failure: z.optional(z.string()),
  providers: z.array(ListedProvider),
});
export type InspectedRegion = z.infer<typeof InspectedRegion>;

export const Inspection = z.object({ regions: z.array(InspectedRegion) });
export type Inspection = z.infer<typeof Inspection>;

/** What `npm run doctor` invokes cluster-steps with. The registration takes the same. */
export const InspectionRequest = z.object({ do: z.literal('inspect') });
export type InspectionRequest = z.infer<typeof InspectionRequest>;

const count = z.int().check(z.minimum(0));

/** How many messages a queue has. SQS's counts are approximate: they can be a minute old. */
const QueueDepth = z.object({
  waiting: count,
  /** Received, and not deleted yet: being processed, or to be redelivered after a failure. */
  received: count,
  /** Sent with a delay that is not over. */
  delayed: count,
});
export type QueueDepth = z.infer<typeof QueueDepth>;

/** The queue of cluster steps, and the messages of its dead-letter queue: the answer of cluster-steps to an InspectionRequest. */
export const InspectedQueues = z.extend(QueueDepth, { deadLetters: count });
export type InspectedQueues = z.infer<typeof InspectedQueues>;

/** What `ec2sp doctor --target` invokes the provider-api with: could a VM of defaults be launched in a target, by its name. */
export const LaunchTrialRequest = z.object({ do: z.literal('try-launch'), target: z.string() });
export type LaunchTrialRequest = z.infer<typeof LaunchTrialRequest>;

/** By EC2's dry run, with the provider's own role in the target's account: the body of the provider-api's answer. Nothing is launched. */
export const LaunchTrial = z.object({
  instanceType: z.optional(z.string()),
  imageId: z.optional(z.string()),
  /** Why it could not be launched; absent: it could. */
  refusal: z.optional(z.string()),
});
export type LaunchTrial = z.infer<typeof LaunchTrial>;
