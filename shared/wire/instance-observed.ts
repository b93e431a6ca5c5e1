import * as z from 'zod/mini';
import { InstanceState, StateReason } from '../domain/instance.ts';
import { Tags } from '../domain/tags.ts';
import type { EventBridgeEvent } from './eventbridge.ts';
import { type About, ownEvent, ownSource } from './own-event.ts';

/** Our own kind of event: what a listing, or the answer to a call of ours, showed of an instance. */
export const instanceObserved = {
  source: ownSource,
  detailType: 'EC2 Instance Observed',
  word: 'listed',
} as const;

export const InstanceObservedDetail = z.object({
  'instance-id': z.string(),
  state: InstanceState,
  'state-reason': z.optional(StateReason),
  /** The request to the provider's API whose doing it is; absent: a listing showed it. */
  'request-id': z.optional(z.string()),
  /** Public IPv4 address, empty where it has none; absent where whoever saw it did not say. */
  publicAddress: z.optional(z.string()),
  /** In the VPC; absent where it was not seen. */
  privateAddress: z.optional(z.string()),
  /** Absent where it is not known. */
  isWindows: z.optional(z.boolean()),
  /** Where the fleet does not hold it as ours: so that it can be claimed without another question to EC2. */
  tags: z.optional(Tags),
  /** With the tags: the client token of its launch, empty where that had none. */
  clientToken: z.optional(z.string()),
});

/** `at` is the listing's (listingTime in domain/gate.ts). */
export type ListedInstance = z.infer<typeof InstanceObservedDetail> & About;

export const instanceObservedEvent = (listed: ListedInstance): EventBridgeEvent =>
  ownEvent(instanceObserved, listed);
