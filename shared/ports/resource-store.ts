import type { ProviderError } from '../core/errors.ts';
import type { Kind } from '../core/kind.ts';
import type { Notice, Observation } from '../core/message.ts';
import type { Addresses } from '../core/outputs.ts';
import type { Resource, UnforwardedStatus, UnpublishedStatus } from '../core/resource.ts';

/** The owner of an instance, as the resource store holds it. */
export type Ownership =
  | { readonly owner: 'ours'; readonly vm: Resource }
  /** `duplicateOf`: it carries our tags and this DCM id, but another instance already is the VM with the id. */
  | { readonly owner: 'foreign'; readonly duplicateOf?: string | undefined }
  | { readonly owner: 'unknown' }
  /** The item cannot be read: another program wrote it. */
  | { readonly owner: 'unreadable'; readonly error: ProviderError };

/** The result of a write. `vm` is the item after the write, or the item that the refused write found. */
export type Recorded =
  | { readonly outcome: 'accepted'; readonly vm: Resource }
  /** Newer, but with the state that is held already: nothing to publish. */
  | { readonly outcome: 'unchanged'; readonly vm: Resource }
  /** Older than what is held, the same again, or after `terminated`. The outbox may still hold statuses that a crashed worker left. */
  | { readonly outcome: 'stale'; readonly vm: Resource }
  | { readonly outcome: 'unknown' };

/** What changes in `unforwarded`. */
export type Forwarding = {
  readonly keep: readonly UnforwardedStatus[];
  readonly forwarded: readonly string[];
};

export type EndedPage = {
  readonly resources: readonly Pick<Resource, 'resourceId' | 'account'>[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
};

/** An address that is undefined leaves the held one as it is. `deleteRequested`: as by `requestDelete`, in the same write. */
export type Claim = Pick<Resource, 'resourceId' | 'dcmId' | 'region' | 'account'> &
  Addresses & { readonly deleteRequested?: boolean | undefined };

/**
 * The state, outbox and history of every VM, and which instances are foreign. Safe under any number of concurrent writers.
 * Every method rejects with UnavailableError where the store did not answer; nothing is lost, and a retry helps. An item that cannot be
 * read rejects with an UnreadableError that names the instance.
 */
export type ResourceStore = {
  /** One batched read, which may lag behind. Any number of ids; the answer has an entry for each. */
  read(resourceIds: readonly string[]): Promise<ReadonlyMap<string, Ownership>>;
  /**
   * One page of the region's resources of a kind that have ended, by the service's clock, at `since` or later, and are still stored. Reads the whole table
   * page by page: half a read unit for each 4 KB of it.
   */
  ended(asked: {
    readonly kind: Kind;
    readonly region: string;
    readonly since: number;
    readonly token: string | undefined;
  }): Promise<EndedPage>;
  /** `unchanged`, with the VM after all writes so far, or `unknown`. Costs twice as much as `read`. */
  readConsistently(resourceId: string): Promise<Recorded>;
  /** Idempotent: makes an instance ours, or gives it another DCM id. Its held state stays. */
  claim(claim: Claim): Promise<void>;
  /**
   * Gives an instance another DCM id, with `status` as the new VM's first, if there is one. The outbox is emptied: it was published under
   * the old id. The instance's held state and history stay. Rejects with UnavailableError also where the item has changed since `vm`.
   */
  move(vm: Resource, dcmId: string, status: UnpublishedStatus | undefined): Promise<Resource>;
  /**
   * Idempotent: marks instances as foreign for a day, or as having the id of a VM that another instance is. Never overrides a claim.
   */
  markForeign(resourceIds: readonly string[], duplicateOf?: string): Promise<void>;
  /** Idempotent: DCM has requested the deletion, so its end is never reported as FAILED. Without effect on instances that are not ours. */
  requestDelete(resourceId: string): Promise<void>;
  /** Idempotent: the instance's ownership tags were removed, so it is no longer reported. */
  removeOwnership(resourceId: string): Promise<void>;
  /**
   * The gate and the outbox in one conditional write: accepts the observation if it is new (core/gate.ts). A newer observation of the held
   * state moves the gate and adds nothing to the outbox. Either way the observed addresses are kept; a stop or a start that was observed
   * without a public address removes the held one.
   */
  record(observation: Observation, status: UnpublishedStatus): Promise<Recorded>;
  /**
   * Keeps a notice and its status, if the notice is new (core/resource.ts); without a status where the resource's state is not known.
   * Rejects with UnavailableError also where the item has changed since `vm`.
   */
  notify(vm: Resource, notice: Notice, status: UnpublishedStatus | undefined): Promise<Recorded>;
  /**
   * Keeps the addresses that were seen and, where there is a status, puts it into the outbox, and into the history where it joins that
   * (core/resource.ts), in one write.
   * Rejects with UnavailableError also where the item has changed since `vm`.
   */
  readdress(vm: Resource, seen: Addresses, status: UnpublishedStatus | undefined): Promise<Recorded>;
  /**
   * Puts the last status into the outbox once more, as `status`, if the request is new (core/resource.ts).
   * Rejects with UnavailableError also where the item has changed since `vm`.
   */
  republish(vm: Resource, status: UnpublishedStatus): Promise<Recorded>;
  /**
   * Idempotent: removes exactly these statuses from the outbox, and from the history the entries that `vm` then no longer
   * needs (core/history.ts). Any number of keys, in several writes where one is too small. Returns the VM after that, which may have more
   * to publish; undefined where it is no longer ours.
   */
  settle(
    vm: Pick<Resource, 'resourceId' | 'outbox' | 'history'>,
    keys: readonly string[],
    /** Also, in the same write: the statuses that the status bus has not taken, and the keys of those that it has taken since. At least one key or status in all. */
    forwarding?: Forwarding,
  ): Promise<Resource | undefined>;
};
