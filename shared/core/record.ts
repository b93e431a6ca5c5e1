import * as z from 'zod/mini';
import { FailedPreconditionError } from './errors.ts';
import { finalState } from './kind.ts';
import type { ReachablePort } from './outputs.ts';
import type { Tags } from './ownership.ts';
import type { Resource, UnpublishedStatus } from './resource.ts';
import { type Target, targetKey, targetOfKey } from './target.ts';

/** The facts of a resource from its launch on. Each kind adds its own. */
export type Facts = {
  /** Milliseconds since 1970, on the service's clock. */
  readonly launchedAtMs: number;
  /** As in Addresses. */
  readonly privateAddress?: string | undefined;
  readonly getsPublicAddress?: boolean | undefined;
  readonly isWindows?: boolean | undefined;
  readonly ports?: readonly ReachablePort[] | undefined;
  /** The labels of its spec, or the tags with which it was found (labelsField in ownership.ts). */
  readonly labels?: Tags | undefined;
};

/**
 * The record of one DCM id: its resource, or the progress of its creation. Times are milliseconds since 1970, on our clock.
 */
export const RecordHead = z.object({
  dcmId: z.string(),
  /** The key of its target (target.ts): in the home account, the region. */
  region: z.string(),
  /** How many resources, or finally refused creations, had this id before. */
  generation: z.int(),
  /** Which of the plan's placements is tried, from 0. */
  attempt: z.int(),
  /** The fencing counter of the creation: each new lease raises it, and a caller with an older number cannot write. */
  leaseNumber: z.int(),
  /** When the lease of the creation expires; undefined where there is a resource. */
  leaseUntilMs: z.optional(z.int()),
  resourceId: z.optional(z.string()),
  account: z.optional(z.string()),
  /**
   * Whether the resource was found by its tags and not launched by this provider: then it is only reported, never changed. Undefined:
   * not known, as in records of earlier versions.
   */
  adopted: z.optional(z.boolean()),
  /** The request of the creation: its Idempotency-Key, and a digest of its spec. Undefined where the caller sent no key. */
  requestKey: z.optional(z.string()),
  specDigest: z.optional(z.string()),
  createdAtMs: z.int(),
  updatedAtMs: z.int(),
  deleteRequestedAtMs: z.optional(z.int()),
  /** When DCM last deleted this id. Outlives the resource: creates by Idempotency-Key are refused from then on. */
  deletedAtMs: z.optional(z.int()),
  /** When we learnt that the resource has ended. */
  endedAtMs: z.optional(z.int()),
});
export type ResourceRecord<Launch = unknown, Known extends Facts = Facts> = z.infer<typeof RecordHead> & {
  /** The plan of the launch, so that a caller that takes over launches the same resource; removed once there is one. */
  readonly launch?: Launch | undefined;
  readonly facts?: Known | undefined;
  /** The status FAILED of the creation, which is published or about to be; a new attempt removes it. */
  readonly failure?: UnpublishedStatus | undefined;
};

/** A create with an Idempotency-Key: every call with the same key is the same request. */
export type CreateRequest = {
  readonly key: string;
  /** Digest of the requested spec. */
  readonly specDigest: string;
};

/**
 * Whether DCM has deleted the id of a request: then the request arrived late, or for a second time, because DCM gives each id to one
 * resource only.
 */
export const isDeletedFor = (
  { deletedAtMs }: Pick<ResourceRecord, 'deletedAtMs'>,
  request: CreateRequest | undefined,
): boolean => request !== undefined && deletedAtMs !== undefined;

/**
 * Refuses a create that DCM has given up: its resource would run for ever.
 * @throws FailedPreconditionError where DCM deleted the id.
 */
export const refuseDeleted = (
  about: Pick<ResourceRecord, 'dcmId' | 'deletedAtMs'>,
  request: CreateRequest | undefined,
): void => {
  if (isDeletedFor(about, request))
    throw new FailedPreconditionError(`DCM deleted ${about.dcmId}; no request creates it any more`);
};

/**
 * Refuses a request in one target for a resource of another one: an id belongs to the target where it was created.
 * @throws FailedPreconditionError
 */
export const refuseElsewhere = (
  { dcmId, region }: Pick<ResourceRecord, 'dcmId' | 'region'>,
  target: Target,
): void => {
  if (region !== targetKey(target))
    throw new FailedPreconditionError(`${dcmId} exists in another target; this create is refused`);
};

/** What is remembered of an id without a record. */
export type Vacancy = {
  /** As in ResourceRecord. */
  readonly deletedAtMs?: number | undefined;
  /** The key of the target whose account the id is kept for, since a creation was refused there. Undefined: for any. */
  readonly keptFor?: string | undefined;
};

/** Whether an id without a record is another account's: a request there neither gets the id nor refuses it to its account. */
export const isKeptElsewhere = ({ keptFor }: Vacancy, there: Pick<ResourceRecord, 'region'>): boolean =>
  keptFor !== undefined && isOfAnotherAccount({ region: keptFor }, there);

/** Whether a resource that carries a DCM id cannot be recorded; without a record, by what is remembered of the id. */
export const isTaken = (
  record: ResourceRecord | undefined,
  vacancy: Vacancy | undefined,
  resource: Pick<ResourceRecord, 'region' | 'adopted'>,
): boolean =>
  record === undefined ? isKeptElsewhere(vacancy ?? {}, resource) : isAssigned(record, resource);

/** @throws FailedPreconditionError where the id is kept for another account. */
export const refuseKept = (
  { dcmId, ...vacancy }: Vacancy & Pick<ResourceRecord, 'dcmId'>,
  there: Pick<ResourceRecord, 'region'>,
): void => {
  if (isKeptElsewhere(vacancy, there))
    throw new FailedPreconditionError(`${dcmId} was used in another account; this create is refused`);
};

/** The progress of a creation, and the status of a failed one. */
export type Creation<Launch = unknown, Known extends Facts = Facts> = {
  /** As Records.read returns it. */
  readonly record: ResourceRecord<Launch, Known> | undefined;
  /** As in ResourceRecord, also where there is no record; undefined where there never was a lease. */
  readonly leaseNumber: number | undefined;
  /** As in ResourceRecord; without a record, as the target sees it that was asked about. */
  readonly deletedAtMs: number | undefined;
  /** When the newest attempt was begun. Milliseconds since 1970 on our clock. */
  readonly attemptedAtMs: number | undefined;
  /** The status FAILED of the attempts so far; a new attempt removes it. */
  readonly failure: { readonly status: UnpublishedStatus; readonly isPublished: boolean } | undefined;
};

/** An environment agent retries a create within this time, if at all. */
export const secondsToFailure = 180;

/**
 * When a refused create has failed for good: at once where no retry helps and no other request has the lease or has begun the creation
 * since; else three minutes after the newest attempt. Milliseconds since 1970.
 */
export const failureDueMs = (
  { refusedAtMs, retryable }: { readonly refusedAtMs: number; readonly retryable: boolean },
  { record, attemptedAtMs = 0 }: Creation,
  nowMs: number,
): number => {
  const isTried = attemptedAtMs > refusedAtMs || (record !== undefined && isLeased(record, nowMs));
  if (!retryable && !isTried) return refusedAtMs;
  return Math.max(refusedAtMs, attemptedAtMs) + secondsToFailure * 1000;
};

/** The record of a launched resource. */
export type LaunchedRecord<Launch = unknown, Known extends Facts = Facts> = ResourceRecord<Launch, Known> & {
  readonly resourceId: string;
  readonly account: string;
  readonly facts: Known;
};

export const isLaunched = <Launch, Known extends Facts>(
  record: ResourceRecord<Launch, Known>,
): record is LaunchedRecord<Launch, Known> =>
  record.resourceId !== undefined && record.account !== undefined && record.facts !== undefined;

/** Whether a resource is in another account than the record of its DCM id. */
export const isOfAnotherAccount = (
  record: Pick<ResourceRecord, 'region'>,
  resource: Pick<ResourceRecord, 'region'>,
): boolean => targetOfKey(record.region).account !== targetOfKey(resource.region).account;

/**
 * Whether a resource that carries the DCM id of a record cannot be recorded: the record is another account's, or has a resource already, or one
 * is being created and we did not launch this one.
 */
const isAssigned = (
  record: ResourceRecord,
  resource: Pick<ResourceRecord, 'region' | 'adopted'>,
): boolean => {
  if (isOfAnotherAccount(record, resource)) return true;
  return isLaunched(record) ? record.endedAtMs === undefined : resource.adopted === true;
};

/** A caller holds the lease of the creation. */
export const isLeased = (record: ResourceRecord, nowMs: number): boolean =>
  !isLaunched(record) && (record.leaseUntilMs ?? 0) > nowMs;

/** The owner of a resource, as the resource store holds it. */
type Remembered =
  | { readonly owner: 'ours'; readonly vm: Pick<Resource, 'kind' | 'dcmId' | 'state'> }
  | { readonly owner: 'foreign' | 'unknown' | 'unreadable' };

/** Within this time the resource store has claimed a resource; it never removes one that lives. */
const claimedWithinMs = 3_600_000;

/** Whether the record's resource no longer exists, is no longer ours, or carries another DCM id. */
export const hasEnded = (record: LaunchedRecord, held: Remembered, nowMs: number): boolean => {
  if (record.endedAtMs !== undefined || held.owner === 'foreign') return true;
  if (held.owner === 'ours')
    return held.vm.state === finalState(held.vm.kind) || held.vm.dcmId !== record.dcmId;
  return held.owner === 'unknown' && nowMs - record.facts.launchedAtMs > claimedWithinMs;
};
