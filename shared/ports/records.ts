import type * as z from 'zod/mini';
import type { Kind } from '../core/kind.ts';
import type { CreateRequest, Creation, Facts, LaunchedRecord, ResourceRecord } from '../core/record.ts';
import type { UnpublishedStatus } from '../core/resource.ts';
import type { Target } from '../core/target.ts';

export type Beginning = {
  readonly dcmId: string;
  /** The key of the target. */
  readonly region: string;
  /** Whether a record of another target refuses the creation. @default false: it is continued there */
  readonly thereAlone?: boolean;
  /** For how long the caller gets the lease of the creation, in milliseconds. */
  readonly leaseMs: number;
  /** The record of the VM that had this id and has ended: the id is given to another one. */
  readonly after?: LaunchedRecord;
  readonly request?: CreateRequest | undefined;
};

export type Begun<Launch = unknown, Known extends Facts = Facts> =
  /** Only this caller is to create the VM: from the start, or as `launch` and `attempt` say. */
  | { readonly outcome: 'begun'; readonly record: ResourceRecord<Launch, Known> }
  /** There is a VM with this id, or another caller has the lease of its creation, or its deletion was requested. */
  | { readonly outcome: 'held'; readonly record: ResourceRecord<Launch, Known> };

/** An instance, and the VM that it is. */
export type LaunchedResource<Known extends Facts = Facts> = {
  readonly dcmId: string;
  /** The key of the target. */
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
 * The records of DCM ids, one for each id. Every change is one conditional write, so any number of concurrent callers is safe.
 * Every method rejects with UnavailableError where the store did not answer.
 */
export type Records<Launch = unknown, Known extends Facts = Facts> = {
  /** The record, read consistently; undefined where there is no VM with this id, or its creation was refused. */
  read(dcmId: string): Promise<ResourceRecord<Launch, Known> | undefined>;
  /**
   * Gives exactly one of any number of callers the lease of a creation, also where an earlier lease has expired: then the record keeps
   * the earlier caller's request and plan. No caller gets it for a request with an id that DCM has deleted.
   * @throws FailedPreconditionError in that case, where there is no record of a VM either, and for a record of another target where
   * `thereAlone`.
   */
  begin(beginning: Beginning): Promise<Begun<Launch, Known>>;
  /**
   * Stores the plan of the launch before EC2 is called.
   * @returns the record; undefined where the caller has lost the lease.
   */
  attempt(
    mine: ResourceRecord<Launch, Known>,
    launch: Launch,
    attempt: number,
  ): Promise<ResourceRecord<Launch, Known> | undefined>;
  /**
   * Stores the instance that EC2 launched for the attempt, and removes the plan. Idempotent, also where the instance was adopted before, or
   * another caller took over the same attempt.
   * @returns the record; undefined where this instance is not the VM: another one is, or another attempt was begun.
   */
  launched(
    mine: ResourceRecord<Launch, Known>,
    vm: LaunchedResource<Known>,
  ): Promise<ResourceRecord<Launch, Known> | undefined>;
  /** Removes a creation that led to no instance; only the generation is kept. Without effect where the caller has lost the lease. */
  abandon(mine: ResourceRecord<Launch, Known>): Promise<void>;
  /**
   * Records an instance that carries the id in its tags. `adopted`: it is the VM from now on; no instance was recorded, or this one was
   * recorded as ended. `known`: it was the VM before. `another`: another instance is, or is being launched and we did not launch this one.
   */
  adopt(vm: LaunchedResource<Known>): Promise<'adopted' | 'known' | 'another'>;
  /**
   * Idempotent. For an id without a VM, creates that arrive late in the target are refused for a week; without a target, in all.
   * @returns the record, with the time of the first request; undefined as `read`.
   * @throws NotFoundError where a target is given and the record is of another one.
   */
  requestDelete(dcmId: string, target?: Target): Promise<ResourceRecord<Launch, Known> | undefined>;
  /** Idempotent: removes the request, because EC2 refused the deletion. */
  withdrawDelete(dcmId: string): Promise<void>;
  /** How far a creation has come, also where there is no record of it. A deletion that had nothing to delete in another target is not in it. */
  creation(dcmId: string, target?: Target): Promise<Creation<Launch, Known>>;
  /**
   * Keeps the status of a failed creation for a week, unless the creation has changed since `seen`.
   * @returns the status; undefined where the creation has changed.
   */
  fail(dcmId: string, seen: Creation, status: UnpublishedStatus): Promise<UnpublishedStatus | undefined>;
  /** Idempotent: the status with this id is published. */
  failurePublished(dcmId: string, statusId: string): Promise<void>;
  /** Idempotent: the VM that was this instance has ended. It is no longer listed or counted, and its record expires in a week. */
  end(dcmId: string, resourceId: string): Promise<void>;
  /** One query: at most `limit` of the target's resources, ascending by DCM id, from after `after`. May lag behind by a moment. */
  list(target: Target, after: string, limit: number): Promise<RecordsPage<Launch, Known>>;
  /**
   * About how many resources a target has: with planned launches, without requested deletions. It may lag behind by a moment, and counts
   * resources that were terminated without DCM until `end` is called.
   */
  count(target: Target): Promise<number>;
  /**
   * The DCM ids of a target whose deletion was requested at `untilMs` or before, and whose resource is not known to have ended. May lag behind
   * by a moment. Reads every record of the target: half a read unit for each 4 KB.
   */
  deletionsRequested(target: Target, untilMs: number): Promise<readonly string[]>;
};

/** The part of records that differs between service types: the plan of a launch, and the facts of a resource. */
export type RecordFormat<Launch, Known extends Facts> = {
  readonly kind: Kind;
  readonly launch: z.ZodMiniType<Launch>;
  readonly facts: z.ZodMiniType<Known>;
  /** The facts that are seen of a resource, completed from the plan of its launch. */
  readonly factsOf: (
    record: Pick<ResourceRecord<Launch, Known>, 'launch' | 'attempt'> | undefined,
    seen: Known,
  ) => Known;
};
