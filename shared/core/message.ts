import * as z from 'zod/mini';
import { InstanceId, InstanceState, StateReason } from '../service-types/vm/kind.ts';
import { Tags } from './ownership.ts';

const about = {
  resourceId: InstanceId,
  region: z.string(),
  account: z.string(),
  /** Seconds since 1970-01-01T00:00Z on EC2's clock: when EC2 says it happened, not when we heard of it. */
  at: z.int(),
};

/** Instance `instanceId` was in `state` at `at`, seen by an EventBridge event, a DescribeInstances listing, or the API's own call. */
export const Observation = z.object({
  kind: z.literal('observation'),
  ...about,
  state: InstanceState,
  seenBy: z.enum(['event', 'listing', 'api']),
  reason: z.optional(StateReason),
  /** Where it is the answer to a call of the provider's API: the request that it is due to. */
  requestId: z.optional(z.string()),
  /** Public IPv4 address, empty where it has none; undefined where whoever saw it did not say. */
  publicAddress: z.optional(z.string()),
  /** In the VPC; undefined where it was not seen. */
  privateAddress: z.optional(z.string()),
  isWindows: z.optional(z.boolean()),
  /** EC2's word for the state, where it is none of the six and `state` is only the nearest. */
  unrecognised: z.optional(z.string()),
});
export type Observation = z.infer<typeof Observation>;

export const NoticeKind = z.enum([
  /** EC2 will terminate a spot instance. */
  'spot-interruption',
  /** EC2 will stop a spot instance, or hibernate it. */
  'spot-stop',
  'spot-hibernate',
  'rebalance-recommendation',
  'scheduled-change',
  /** What AWS Health announced as a scheduled change is over or cancelled. It has no text. */
  'scheduled-change-closed',
  'stuck-launch',
  'impaired',
  /** What EC2 warned of is over. It has no text. */
  'recovered',
]);
export type NoticeKind = z.infer<typeof NoticeKind>;

/** EC2 warns about an instance, or shows something wrong with it, whose state has not changed (yet): shown in the message, and remembered as the cause of what follows. */
export const Notice = z.object({
  kind: z.literal('notice'),
  ...about,
  notice: NoticeKind,
  text: z.string(),
});
export type Notice = z.infer<typeof Notice>;

/** All tags of an instance after somebody changed one. */
export const TagChange = z.object({
  kind: z.literal('tag-change'),
  ...about,
  tags: Tags,
  /** Of the instance's launch, empty where that had none; undefined where it was not said, as in events of EC2. */
  clientToken: z.optional(z.string()),
});
export type TagChange = z.infer<typeof TagChange>;

/** Somebody wants, since `at`, to be told once more what DCM was told last. */
export const RepublicationRequest = z.object({ kind: z.literal('status-wanted'), ...about });
export type RepublicationRequest = z.infer<typeof RepublicationRequest>;

/** A VM that changed too often to be told of each time has had the time to settle: since the status with this key was held back. */
const StatusSettled = z.object({
  kind: z.literal('status-settled'),
  ...about,
  key: z.string(),
});

/** The state with this key should have been over by now: EC2 is to be asked, for the `turn`th time, whether it is. */
export const CheckRequest = z.object({
  kind: z.literal('check-wanted'),
  ...about,
  key: z.string(),
  turn: z.int(),
});
export type CheckRequest = z.infer<typeof CheckRequest>;

/** The instance was claimed a while ago: EC2 is to be asked for its state, whatever other workers made of its events at that time. */
const ClaimCheck = z.object({ kind: z.literal('claim-check'), ...about });

/** Whatever can be learnt about one instance, or is wanted of it. */
export const ResourceMessage = z.discriminatedUnion('kind', [
  Observation,
  Notice,
  TagChange,
  RepublicationRequest,
  StatusSettled,
  CheckRequest,
  ClaimCheck,
]);
export type ResourceMessage = z.infer<typeof ResourceMessage>;
