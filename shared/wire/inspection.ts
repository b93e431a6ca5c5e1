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
