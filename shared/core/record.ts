import * as z from 'zod/mini';
import type { InstanceState } from '../service-types/vm/kind.ts';
import { LaunchPlan } from '../service-types/vm/launch.ts';
import { FailedPreconditionError } from './errors.ts';
import type { UnpublishedStatus } from './resource.ts';

/** What is known of a VM's instance from its launch on. */
export const VmFacts = z.object({
  instanceType: z.optional(z.string()),
  imageId: z.optional(z.string()),
  zone: z.optional(z.string()),
  privateAddress: z.optional(z.string()),
  /** Whether its launch asked for a public address. */
  getsPublicAddress: z.optional(z.boolean()),
  isWindows: z.optional(z.boolean()),
  sshUser: z.optional(z.string()),
  /** Which rule chose what, in words; unknown of an instance that was found by its tags alone. */
  chosenBy: z.optional(z.object({ image: z.string(), instanceType: z.string() })),
  /** Milliseconds since 1970, on EC2's clock. */
  launchedAtMs: z.int(),
});
export type VmFacts = z.infer<typeof VmFacts>;

/**
 * What is remembered of one DCM id: which instance is its VM, or how far its creation has come. Times are milliseconds since 1970, on
 * our clock.
 */
export const ResourceRecord = z.object({
  dcmId: z.string(),
  region: z.string(),
  /** How many VMs, or attempts that EC2 refused for good, had this id before. */
  generation: z.int(),
  /** Which of the plan's placements EC2 is asked for, from 0. */
  attempt: z.int(),
  /** Rises each time somebody takes the creation in hand; whoever has an older one may write no more. */
  leaseNumber: z.int(),
  /** Until then the creation is in somebody's hands; it has ended where there is an instance. */
  leaseUntilMs: z.optional(z.int()),
  /** Written before EC2 is asked, so that whoever takes over asks for the same instance; gone when there is one. */
  launch: z.optional(LaunchPlan),
  resourceId: z.optional(z.string()),
  account: z.optional(z.string()),
  facts: z.optional(VmFacts),
  /**
   * Whether the instance was found by its tags and not launched by this provider: it is reported, and not changed. Undefined where that is
   * not known: records of earlier versions do not say.
   */
  adopted: z.optional(z.boolean()),
  /** The request that the creation is of: its Idempotency-Key, and a digest of its spec. Undefined where the caller named none. */
  requestKey: z.optional(z.string()),
  specDigest: z.optional(z.string()),
  createdAtMs: z.int(),
  updatedAtMs: z.int(),
  deleteRequestedAtMs: z.optional(z.int()),
  /** When DCM last deleted this id. Outlives the VM: creates by Idempotency-Key are refused from then on. */
  deletedAtMs: z.optional(z.int()),
  /** Since when the VM is known to be gone. */
  endedAtMs: z.optional(z.int()),
});
export type ResourceRecord = z.infer<typeof ResourceRecord>;

/** A create whose caller says by Idempotency-Key which request it is of: the same key is the same request, however often it comes. */
export type CreateRequest = {
  readonly key: string;
  /** Of the spec that it asks for. */
  readonly specDigest: string;
};

/**
 * Whether DCM deleted the id of a request that reached us late, or a second time. DCM gives each of its ids to one resource, so none of its
 * requests is meant for an id that it has deleted.
 */
export const isDeletedFor = (
  { deletedAtMs }: Pick<ResourceRecord, 'deletedAtMs'>,
  request: CreateRequest | undefined,
): boolean => request !== undefined && deletedAtMs !== undefined;

/**
 * The VM of a request that DCM has given up would run for ever.
 * @throws FailedPreconditionError where DCM deleted the id.
 */
export const refuseDeleted = (
  about: Pick<ResourceRecord, 'dcmId' | 'deletedAtMs'>,
  request: CreateRequest | undefined,
): void => {
  if (isDeletedFor(about, request))
    throw new FailedPreconditionError(`DCM deleted ${about.dcmId}; no request creates it any more`);
};

/** How far the creation of a VM has come, and what DCM is to be told where nothing comes of it. */
export type Creation = {
  /** As VmRecords.read. */
  readonly record: ResourceRecord | undefined;
  /** As in ResourceRecord, also where there is no record; undefined where nobody ever had the creation in hand. */
  readonly leaseNumber: number | undefined;
  readonly deletedAtMs: number | undefined;
  /** When the newest attempt was begun. Milliseconds since 1970 on our clock. */
  readonly attemptedAtMs: number | undefined;
  /** The status FAILED of the attempts so far; gone when another one begins. */
  readonly failure: { readonly status: UnpublishedStatus; readonly isPublished: boolean } | undefined;
};

/** An environment agent tries a create again within this time, if it does. */
export const secondsToFailure = 180;

/**
 * When a refused create has led to no VM for good: at once where no retry helps, else three minutes after the newest attempt. So it is where
 * another request has the creation in hand, or has begun it since. Milliseconds since 1970.
 */
export const failureDueMs = (
  { refusedAtMs, retryable }: { readonly refusedAtMs: number; readonly retryable: boolean },
  { record, attemptedAtMs = 0 }: Creation,
  nowMs: number,
): number => {
  const isTried = attemptedAtMs > refusedAtMs || (record !== undefined && isInHand(record, nowMs));
  if (!retryable && !isTried) return refusedAtMs;
  return Math.max(refusedAtMs, attemptedAtMs) + secondsToFailure * 1000;
};

/** A record whose VM has an instance. */
export type LaunchedRecord = ResourceRecord & {
  readonly resourceId: string;
  readonly account: string;
  readonly facts: VmFacts;
};

export const isLaunched = (record: ResourceRecord): record is LaunchedRecord =>
  record.resourceId !== undefined && record.account !== undefined && record.facts !== undefined;

/**
 * Whether an instance that carries the DCM id of a record cannot become its VM: an instance is the VM already, or the VM is being created
 * and the instance was not launched by us.
 */
export const isAssigned = (record: ResourceRecord, { adopted }: Pick<ResourceRecord, 'adopted'>): boolean =>
  isLaunched(record) ? record.endedAtMs === undefined : adopted === true;

/** Somebody is creating the VM right now. */
export const isInHand = (record: ResourceRecord, nowMs: number): boolean =>
  !isLaunched(record) && (record.leaseUntilMs ?? 0) > nowMs;

/** Whose an instance is, as far as the fleet remembers. */
type Remembered =
  | {
      readonly owner: 'ours';
      readonly vm: { readonly dcmId: string; readonly state?: InstanceState | undefined };
    }
  | { readonly owner: 'foreign' | 'unknown' | 'unreadable' };

/** By then the fleet has claimed an instance; it forgets none that lives. */
const claimedWithinMs = 3_600_000;

/** The VM's instance exists no more, is no longer ours, or carries another DCM id. */
export const hasEnded = (record: LaunchedRecord, held: Remembered, nowMs: number): boolean => {
  if (record.endedAtMs !== undefined || held.owner === 'foreign') return true;
  if (held.owner === 'ours') return held.vm.state === 'terminated' || held.vm.dcmId !== record.dcmId;
  return held.owner === 'unknown' && nowMs - record.facts.launchedAtMs > claimedWithinMs;
};

/** What an instance itself shows. */
export const factsSeen = (instance: VmFacts): VmFacts => {
  const { instanceType, imageId, zone, privateAddress, isWindows, launchedAtMs } = instance;
  return { instanceType, imageId, zone, privateAddress, isWindows, launchedAtMs };
};

/** What is seen of an instance, and what the plan that it was launched for tells of it. */
export const factsOf = (
  record: Pick<ResourceRecord, 'launch' | 'attempt'> | undefined,
  seen: VmFacts,
): VmFacts => {
  if (!record?.launch) return seen;
  const { placements, imageId, sshUser, chosenBy, publicAddress: getsPublicAddress } = record.launch;
  const placement = placements[record.attempt];
  return {
    ...seen,
    instanceType: seen.instanceType ?? placement?.instanceType,
    imageId: seen.imageId ?? imageId,
    zone: seen.zone ?? placement?.zone,
    sshUser,
    chosenBy,
    getsPublicAddress,
  };
};
