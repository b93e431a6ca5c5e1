import type { ProviderError } from '../core/errors.ts';
import type { Notice, Observation } from '../core/message.ts';
import type { Addresses } from '../core/outputs.ts';
import type { Resource, UnpublishedStatus } from '../core/resource.ts';

/** Whose an instance is, as far as the fleet remembers. */
export type Ownership =
  | { readonly owner: 'ours'; readonly vm: Resource }
  /** `duplicateOf` where it carries our tags and the id of a VM that another instance already is. */
  | { readonly owner: 'foreign'; readonly duplicateOf?: string | undefined }
  | { readonly owner: 'unknown' }
  /** What is remembered makes no sense; somebody else wrote it. */
  | { readonly owner: 'unreadable'; readonly error: ProviderError };

/** What became of something told to the fleet. `vm` is as it stands after the write, or as it stood when the write was refused. */
export type Recorded =
  | { readonly outcome: 'accepted'; readonly vm: Resource }
  /** Newer, but the state is the one that is held already: DCM need not hear of it again. */
  | { readonly outcome: 'unchanged'; readonly vm: Resource }
  /** Older than what is held, the same again, or after `terminated`. The outbox may still hold what a crashed worker left. */
  | { readonly outcome: 'stale'; readonly vm: Resource }
  | { readonly outcome: 'unknown' };

export type EndedPage = {
  readonly resources: readonly Pick<Resource, 'resourceId' | 'account'>[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
};

/** Addresses that are not known leave those that are held. */
export type Claim = Pick<Resource, 'resourceId' | 'dcmId' | 'region' | 'account'> & Addresses;

/**
 * What we remember of every VM, and of instances that are not ours. Safe under any number of concurrent writers.
 * Every method rejects with UnavailableError where the store did not answer; nothing was lost then, and a retry helps. What it cannot
 * make sense of is an UnreadableError that names the instance.
 */
export type ResourceStore = {
  /** One batched read, which may lag behind. Answers for every id asked, in any number. */
  read(resourceIds: readonly string[]): Promise<ReadonlyMap<string, Ownership>>;
  /**
   * One page of the region's VMs that were terminated, by EC2's clock, at `since` or later, and are still remembered. Reads the whole table page by
   * page: half a read unit for each 4 KB of it, whatever is found.
   */
  ended(asked: {
    readonly region: string;
    readonly since: number;
    readonly token: string | undefined;
  }): Promise<EndedPage>;
  /** `unchanged`, with the VM as all writes so far have left it, or `unknown`. Twice as dear as a recall. */
  readConsistently(resourceId: string): Promise<Recorded>;
  /** Idempotent: makes an instance ours, or gives it another DCM id. What is held of its state stays. */
  claim(claim: Claim): Promise<void>;
  /**
   * Gives an instance another DCM id, with `status` as the new VM's first, if there is one. The outbox is emptied: it was published under
   * the old id. What is held of the instance's state and its history stays. Rejects with UnavailableError also where `vm` is no longer
   * what is held.
   */
  move(vm: Resource, dcmId: string, status: UnpublishedStatus | undefined): Promise<Resource>;
  /**
   * Idempotent: remembers for a day that an instance is not ours, or that it has the id of a VM that another instance is. Never overrules
   * a claim.
   */
  markForeign(resourceIds: readonly string[], duplicateOf?: string): Promise<void>;
  /** Idempotent: DCM has asked for its deletion, so nothing that EC2 says of its end is a failure. Without effect on what is not ours. */
  requestDelete(resourceId: string): Promise<void>;
  /** Idempotent: the tags that made it ours are gone, so it is not reported any more. */
  removeOwnership(resourceId: string): Promise<void>;
  /**
   * The gate and the outbox in one conditional write: accepts the observation if it is news (core/gate.ts). A newer observation of
   * the state that is held already moves the gate and adds nothing to the outbox. Either way the addresses seen are kept; the public one is
   * not known any more after a stop or a start that was seen without one.
   */
  record(observation: Observation, status: UnpublishedStatus): Promise<Recorded>;
  /**
   * Remembers a notice and its status, if it is news (core/resource.ts); without a status where no state is known that it could be told with.
   * Rejects with UnavailableError also where `vm` is no longer what is held.
   */
  notify(vm: Resource, notice: Notice, status: UnpublishedStatus | undefined): Promise<Recorded>;
  /**
   * Keeps the addresses that were seen and, where there is a status, puts it into the outbox, in one write.
   * Rejects with UnavailableError also where `vm` is no longer what is held.
   */
  readdress(vm: Resource, seen: Addresses, status: UnpublishedStatus | undefined): Promise<Recorded>;
  /**
   * Puts what was told last into the outbox once more, as `status`, if the request is news (core/resource.ts).
   * Rejects with UnavailableError also where `vm` is no longer what is held.
   */
  republish(vm: Resource, status: UnpublishedStatus): Promise<Recorded>;
  /**
   * Idempotent: removes these statuses, at least one, and no others, from the outbox, and from the history what `vm` then no longer needs
   * (core/history.ts). Any number of keys: where the store limits a write, several follow each other. Answers the VM as it then is, which
   * may have more to publish; undefined where the fleet no longer holds it.
   */
  settle(
    vm: Pick<Resource, 'resourceId' | 'outbox' | 'history'>,
    keys: readonly string[],
  ): Promise<Resource | undefined>;
};
