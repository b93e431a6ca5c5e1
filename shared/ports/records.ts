import type * as z from 'zod/mini';
import type { Kind } from '../core/kind.ts';
import type { CreateRequest, Creation, Facts, LaunchedRecord, ResourceRecord } from '../core/record.ts';
import type { UnpublishedStatus } from '../core/resource.ts';
import type { Target } from '../core/target.ts';

export type Beginning = {
  readonly dcmId: string;
  readonly region: string;
  /** How long the caller has the creation to itself, in milliseconds. */
  readonly leaseMs: number;
  /** The record of a VM that is gone for good: the id is given to another one. */
  readonly after?: LaunchedRecord;
  readonly request?: CreateRequest | undefined;
};

export type Begun<Launch = unknown, Known extends Facts = Facts> =
  /** The caller, and nobody else, is to create the VM: from the start, or as `launch` and `attempt` say. */
  | { readonly outcome: 'begun'; readonly record: ResourceRecord<Launch, Known> }
  /** There is a VM with this id, or somebody has its creation in hand, or it is to be deleted. */
  | { readonly outcome: 'held'; readonly record: ResourceRecord<Launch, Known> };

/** An instance, and whose VM it is. */
export type LaunchedResource<Known extends Facts = Facts> = {
  readonly dcmId: string;
  readonly region: string;
  readonly resourceId: string;
  readonly account: string;
  readonly facts: Known;
  /** As in ResourceRecord. */
  readonly adopted?: boolean | undefined;
};

export type RecordsPage<Launch = unknown, Known extends Facts = Facts> = {
  readonly records: readonly ResourceRecord<Launch, Known>[];
  /** The id after which the next page begins; undefined on the last one. */
  readonly last: string | undefined;
};

/**
 * What is remembered of every DCM id, one record an id, for which one conditional write at a time decides. Safe under any number of
 * concurrent callers. Every method rejects with UnavailableError where the store did not answer.
 */
export type Records<Launch = unknown, Known extends Facts = Facts> = {
  /** As it is now; undefined where there is no VM with this id, or its creation was refused. */
  read(dcmId: string): Promise<ResourceRecord<Launch, Known> | undefined>;
  /**
   * Exactly one of any number of callers gets the creation of a VM, or takes it over where another's lease has run out: the request of the
   * one before stays noted with its plan. None gets it for a request whose id DCM has deleted.
   * @throws FailedPreconditionError in that case, where there is no record of a VM either.
   */
  begin(beginning: Beginning): Promise<Begun<Launch, Known>>;
  /**
   * Notes, before EC2 is asked, what it will be asked for.
   * @returns the record; undefined where the creation is no longer in the caller's hands.
   */
  attempt(
    mine: ResourceRecord<Launch, Known>,
    launch: Launch,
    attempt: number,
  ): Promise<ResourceRecord<Launch, Known> | undefined>;
  /**
   * Notes the instance that EC2 launched for the attempt, and forgets the plan. Idempotent, also where it was adopted before, and where
   * somebody else took over the same attempt.
   * @returns the record; undefined where this instance is not the VM: another one is, or another attempt is to be.
   */
  launched(
    mine: ResourceRecord<Launch, Known>,
    vm: LaunchedResource<Known>,
  ): Promise<ResourceRecord<Launch, Known> | undefined>;
  /** Forgets a creation that led to no instance; only the generation is kept. Without effect where it is not the caller's any more. */
  abandon(mine: ResourceRecord<Launch, Known>): Promise<void>;
  /**
   * An instance carries the id in its tags. `adopted`: it is the VM from now on, which nobody had noted yet, or which had been taken
   * for gone; `known`: it was before; `another`: another instance is, or is being launched and this one was not launched by us.
   */
  adopt(vm: LaunchedResource<Known>): Promise<'adopted' | 'known' | 'another'>;
  /**
   * Idempotent. Also of an id without a VM: for a week, a request that is still on its way is refused.
   * @returns the record, with the time of the first request; undefined as `read`.
   */
  requestDelete(dcmId: string): Promise<ResourceRecord<Launch, Known> | undefined>;
  /** Idempotent: it cannot be deleted as it is. */
  withdrawDelete(dcmId: string): Promise<void>;
  /** How far a creation has come, also where there is no record of it. */
  creation(dcmId: string): Promise<Creation<Launch, Known>>;
  /**
   * Keeps the status of a creation that has failed, for a week, where it still is as `seen`.
   * @returns the status; undefined where it is not.
   */
  fail(dcmId: string, seen: Creation, status: UnpublishedStatus): Promise<UnpublishedStatus | undefined>;
  /** Idempotent: the status with this id need not be published any more. */
  failurePublished(dcmId: string, statusId: string): Promise<void>;
  /** Idempotent: the VM that was this instance is gone. It is listed and counted no more, and forgotten in a week. */
  end(dcmId: string, resourceId: string): Promise<void>;
  /** One query: the target's resources whose DCM id is greater than `after`, ascending, at most `limit`. May lag behind by a moment. */
  list(target: Target, after: string, limit: number): Promise<RecordsPage<Launch, Known>>;
  /**
   * How many resources a target has, roughly: with those that EC2 is about to be asked for, without those whose deletion was asked for. It may
   * lag behind by a moment, and counts those that were terminated without DCM until they are ended.
   */
  count(target: Target): Promise<number>;
};

/** What of the records differs between service types: the plan of a launch, and what is known of a resource. */
export type RecordFormat<Launch, Known extends Facts> = {
  readonly kind: Kind;
  readonly launch: z.ZodMiniType<Launch>;
  readonly facts: z.ZodMiniType<Known>;
  /** What is seen of a resource, and what the plan that it was launched for adds to that. */
  readonly factsOf: (
    record: Pick<ResourceRecord<Launch, Known>, 'launch' | 'attempt'> | undefined,
    seen: Known,
  ) => Known;
};
