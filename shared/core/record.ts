import * as z from 'zod/mini';
import { FailedPreconditionError } from './errors.ts';
import { finalState } from './kind.ts';
import type { Resource, UnpublishedStatus } from './resource.ts';

/** What is known of a resource from its launch on. Each kind knows more. */
export type Facts = {
  /** Milliseconds since 1970, on the service's clock. */
  readonly launchedAtMs: number;
};

/**
 * The record of one DCM id: which resource it is, or how far its creation has come. Times are milliseconds since 1970, on
 * our clock.
 */
export const RecordHead = z.object({
  dcmId: z.string(),
  region: z.string(),
  /** How many resources, or attempts that were refused for good, had this id before. */
  generation: z.int(),
  /** Which of the plan's placements is tried, from 0. */
  attempt: z.int(),
  /** Rises each time somebody takes the creation in hand; whoever has an older one may write no more. */
  leaseNumber: z.int(),
  /** Until then one caller has the lease of the creation, which has ended where there is a resource. */
  leaseUntilMs: z.optional(z.int()),
  resourceId: z.optional(z.string()),
  account: z.optional(z.string()),
  /**
   * Whether the resource was found by its tags and not launched by this provider: it is reported, and not changed. Undefined where that is
   * not known: records of earlier versions do not say.
   */
  adopted: z.optional(z.boolean()),
  /** The request that the creation is of: its Idempotency-Key, and a digest of its spec. Undefined where the caller named none. */
  requestKey: z.optional(z.string()),
  specDigest: z.optional(z.string()),
  createdAtMs: z.int(),
  updatedAtMs: z.int(),
  deleteRequestedAtMs: z.optional(z.int()),
  /** When DCM last deleted this id. Outlives the resource: creates by Idempotency-Key are refused from then on. */
  deletedAtMs: z.optional(z.int()),
  /** Since when the resource is known to have ended. */
  endedAtMs: z.optional(z.int()),
});
export type ResourceRecord<Launch = unknown, Known extends Facts = Facts> = z.infer<typeof RecordHead> & {
  /** What was decided before the service was asked, so that whoever continues asks for the same resource; removed once there is one. */
  readonly launch?: Launch | undefined;
  readonly facts?: Known | undefined;
};

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
 * The resource of a request that DCM has given up would run for ever.
 * @throws FailedPreconditionError where DCM deleted the id.
 */
export const refuseDeleted = (
  about: Pick<ResourceRecord, 'dcmId' | 'deletedAtMs'>,
  request: CreateRequest | undefined,
): void => {
  if (isDeletedFor(about, request))
    throw new FailedPreconditionError(`DCM deleted ${about.dcmId}; no request creates it any more`);
};

/** How far a creation has come, and the status that is published where it has failed. */
export type Creation<Launch = unknown, Known extends Facts = Facts> = {
  /** As VmRecords.read. */
  readonly record: ResourceRecord<Launch, Known> | undefined;
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
 * When a refused create has failed for good: at once where no retry helps, else three minutes after the newest attempt. So it is where
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

/** A record whose resource was launched. */
export type LaunchedRecord<Launch = unknown, Known extends Facts = Facts> = ResourceRecord<Launch, Known> & {
  readonly resourceId: string;
  readonly account: string;
  readonly facts: Known;
};

export const isLaunched = <Launch, Known extends Facts>(
  record: ResourceRecord<Launch, Known>,
): record is LaunchedRecord<Launch, Known> =>
  record.resourceId !== undefined && record.account !== undefined && record.facts !== undefined;

/**
 * Whether a resource that carries the DCM id of a record cannot become that record's: the record has one already, or one is being created
 * and this one was not launched by us.
 */
export const isAssigned = (record: ResourceRecord, { adopted }: Pick<ResourceRecord, 'adopted'>): boolean =>
  isLaunched(record) ? record.endedAtMs === undefined : adopted === true;

/** A caller holds the lease of the creation. */
export const isInHand = (record: ResourceRecord, nowMs: number): boolean =>
  !isLaunched(record) && (record.leaseUntilMs ?? 0) > nowMs;

/** Whose the resource is, as far as the resource store knows. */
type Remembered =
  | { readonly owner: 'ours'; readonly vm: Pick<Resource, 'kind' | 'dcmId' | 'state'> }
  | { readonly owner: 'foreign' | 'unknown' | 'unreadable' };

/** By then the resource store has claimed a resource; it forgets none that lives. */
const claimedWithinMs = 3_600_000;

/** The record's resource exists no more, is no longer ours, or carries another DCM id. */
export const hasEnded = (record: LaunchedRecord, held: Remembered, nowMs: number): boolean => {
  if (record.endedAtMs !== undefined || held.owner === 'foreign') return true;
  if (held.owner === 'ours')
    return held.vm.state === finalState(held.vm.kind) || held.vm.dcmId !== record.dcmId;
  return held.owner === 'unknown' && nowMs - record.facts.launchedAtMs > claimedWithinMs;
};
