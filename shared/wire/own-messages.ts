import * as z from 'zod/mini';
import { UnavailableError } from '../core/errors.ts';
import { Tags } from '../core/ownership.ts';
import type { EventBridgeEvent } from './eventbridge.ts';

/** The `source` of the messages that our functions put into the observations queue. They are never on an event bus. */
export const ownSource = 'dcm.ec2-sp';

/** The format of our own messages that this version writes and reads, as the number `format` of their detail. Absent: 1. */
const messageFormat = 1;

/**
 * Refuses a message of our own that a newer version queued, as during a rollback: this version would misread it.
 * @throws UnavailableError: SQS redelivers the message, and the newer version, once it is back, can read it.
 */
export const refuseNewerMessage = ({
  id,
  source,
  detail,
}: Pick<EventBridgeEvent, 'id' | 'source' | 'detail'>): void => {
  const format = detail.format ?? messageFormat;
  if (source === ownSource && (typeof format !== 'number' || format > messageFormat))
    throw new UnavailableError(
      `the message ${id} has format ${format}, and this version reads formats up to ${messageFormat}; deploy the newer version again`,
    );
};

/** A kind of own event. `word` is the part of its ids that no other kind has. */
export type OwnKind = { readonly source: string; readonly detailType: string; readonly word: string };

/** The resource that an event is about, its place, and the time of what the event says, in seconds since 1970. */
export type About = {
  /** The resource's id, of whatever kind; messages have had this name since there were only EC2 instances. */
  readonly 'instance-id': string;
  readonly region: string;
  readonly account: string;
  readonly at: number;
  /** The request to the provider's API that caused it. */
  readonly 'request-id'?: string | undefined;
};

/** A message of our own, in the shape of every other message in the observations queue. */
const ownEvent = <Described extends About>(
  { source, detailType, word }: OwnKind,
  { region, account, at, ...detail }: Described,
): EventBridgeEvent => ({
  version: '0',
  id: `${detail['instance-id']}:${at}:${word}`,
  'detail-type': detailType,
  source,
  account,
  time: new Date(at * 1000).toISOString(),
  region,
  resources: [],
  detail,
});

/** Our own kind of event: the state of a resource in a listing, or in the answer to our own call. */
export const instanceObserved = {
  source: ownSource,
  detailType: 'EC2 Instance Observed',
  word: 'listed',
} as const;

export const InstanceObservedDetail = z.object({
  'instance-id': z.string(),
  state: z.string(),
  /**
   * States that the resource was in before, each with its second, ascending, and `state` itself with `at` as the last one; of kinds whose
   * states are timed by the service.
   */
  'state-times': z.optional(z.array(z.object({ state: z.string(), at: z.int() }))),
  'state-reason': z.optional(z.object({ code: z.optional(z.string()), message: z.optional(z.string()) })),
  /** The request to the provider's API that caused the state; absent: a listing showed it. */
  'request-id': z.optional(z.string()),
  /** Public IPv4 address, empty where it has none; absent where it is not known. */
  publicAddress: z.optional(z.string()),
  /** In the VPC; absent where it is not known. */
  privateAddress: z.optional(z.string()),
  /** Absent where it is not known. */
  isWindows: z.optional(z.boolean()),
  /** URL of a cluster's Kubernetes API; absent where it is not known. */
  apiEndpoint: z.optional(z.string()),
  /** As BilledFacts (core/outputs.ts) have them; absent where they are not known. */
  size: z.optional(z.string()),
  platform: z.optional(z.string()),
  zone: z.optional(z.string()),
  market: z.optional(z.enum(['spot'])),
  /** Where the resource store does not hold the resource as ours: so that it can be claimed without another call of its service. */
  tags: z.optional(Tags),
  /** Comes with the tags: the client token of the launch, empty where the launch had none. */
  clientToken: z.optional(z.string()),
});

/** `at` is the time of the listing (listingTime in core/gate.ts). */
export type ObservedResource = z.infer<typeof InstanceObservedDetail> & About;

export const instanceObservedEvent = (observed: ObservedResource): EventBridgeEvent =>
  ownEvent(instanceObserved, observed);

/** Our own kind of event: a notice about a resource for which its service has no event. */
export const instanceNoticed = {
  source: ownSource,
  detailType: 'EC2 Instance Noticed',
  word: 'noticed',
} as const;

export const InstanceNoticedDetail = z.object({
  'instance-id': z.string(),
  notice: z.string(),
  text: z.string(),
});

export const instanceNoticedEvent = (
  noticed: z.infer<typeof InstanceNoticedDetail> & About,
): EventBridgeEvent => ownEvent(instanceNoticed, noticed);

/** Our own kind of event: a request to republish a resource's current status. Its time is that of the request. */
export const republicationRequested = {
  source: ownSource,
  detailType: 'VM Status Wanted',
  word: 'wanted',
} as const;

export const RepublicationRequestedDetail = z.object({ 'instance-id': z.string() });

export const republicationRequestedEvent = (wanted: Omit<About, 'request-id'>): EventBridgeEvent =>
  ownEvent(republicationRequested, wanted);

/** Our own kind of event, from the normaliser to itself: the time to settle is over for a resource with held-back statuses. */
export const statusSettled = { source: ownSource, detailType: 'VM Status Settled', word: 'settled' } as const;

export const StatusSettledDetail = z.object({
  'instance-id': z.string(),
  /** The key of the first status that was held back. */
  key: z.string(),
});

/** `at` is the time of that status. */
export const statusSettledEvent = (settled: z.infer<typeof StatusSettledDetail> & About): EventBridgeEvent =>
  ownEvent(statusSettled, settled);

/** Our own kind of event, from the normaliser to itself: a transitional state may have ended without an event. */
export const checkRequested = {
  source: ownSource,
  detailType: 'EC2 Instance Check Wanted',
  word: 'check',
} as const;

export const CheckRequestedDetail = z.object({
  'instance-id': z.string(),
  /** The key of the state. */
  key: z.string(),
  /** 1 for the first check of that state. */
  turn: z.int(),
});

/** `at` is the time of the state. */
export const checkRequestedEvent = (wanted: z.infer<typeof CheckRequestedDetail> & About): EventBridgeEvent =>
  ownEvent(checkRequested, wanted);

/** Our own kind of event, from the normaliser to itself: a resource was claimed, and its state must be read from its service once more. */
export const claimCheck = {
  source: ownSource,
  detailType: 'EC2 Instance Claim Check',
  word: 'claim-check',
} as const;

export const ClaimCheckDetail = z.object({ 'instance-id': z.string() });

/** `at` is the time of the claim. */
export const claimCheckEvent = (claimed: About): EventBridgeEvent => ownEvent(claimCheck, claimed);
