import type { Absences } from '../core/listing/absences.ts';
import type { ListedTarget } from '../core/target.ts';

/** The listing of one service type in one target, from its first page to its last, as it is stored between two pages and between two listings. */
export type Listing = {
  readonly target: ListedTarget;
  /** 0 for the first page. */
  readonly page: number;
  /** Where the next page begins; undefined for the first page. */
  readonly token: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Digests of each page in the last listing: of its resources' states, and of which resources were on it. */
  readonly digests: readonly {
    readonly states: string;
    readonly members: string;
    /** When the page was last compared with the resource store, in milliseconds since 1970; 0: never. */
    readonly comparedAtMs: number;
  }[];
  /** So far in this listing: the number of our resources, whether any is changing, and the differences from the last listing. */
  readonly seen: number;
  readonly busy: boolean;
  /** How many states listings have found that nothing had reported, since the second listing of the target; and when the last one. @default none */
  readonly healed?: number | undefined;
  readonly healedAtMs?: number | undefined;
  readonly removed: ReadonlySet<string>;
  readonly added: ReadonlySet<string>;
  readonly absences: Absences;
  readonly lastBusyAtMs: number;
  readonly intervalSeconds: number;
  /** When the breaker tripped, so that no missing resource counts as deleted; undefined: it has not. */
  readonly breakerSinceMs: number | undefined;
  /** When an operator last released the breaker; `save` does not change it. */
  readonly releasedAtMs: number | undefined;
  /** The second of the republication request that this listing answers, the same on all its pages; undefined: there is none. */
  readonly republishAt: number | undefined;
  /** The second of the newest republication request that a complete listing answered; 0: none. */
  readonly republishedAt: number;
  /** Whether the inventory lacks a page of this listing, because its table did not take it. @default false */
  readonly inventoryFailed?: boolean | undefined;
  /** What the service type stores beside the listing (vm: its status checks); undefined: nothing yet. */
  readonly checks: unknown;
};

/** The state of polling in one target, for operators. Milliseconds since 1970. */
export type ListingStatus = {
  readonly target: ListedTarget;
  /** When the last complete listing ended; undefined: there was none. */
  readonly listedAtMs: number | undefined;
  readonly intervalSeconds: number;
  /** Our resources in the last complete listing. */
  readonly instances: number;
  readonly breakerSinceMs: number | undefined;
  /** As in Listing, in complete listings and in the one under way. */
  readonly healed: number;
  readonly healedAtMs: number | undefined;
  /** The second of a republication request that no listing has answered; undefined: there is none. */
  readonly republicationRequestedAt: number | undefined;
};

/** The listings of all targets. All rejections are UnavailableErrors. */
export type Listings = {
  /**
   * Leases the next page of a target for `leaseMs`; undefined where the target is not due, or another worker has it. Never starts a
   * listing within `floorMs` of the start of the last one, however many workers try.
   */
  lease(
    target: ListedTarget,
    timing: { readonly floorMs: number; readonly leaseMs: number },
  ): Promise<Listing | undefined>;
  /**
   * Ends the lease of a page that is done; `token` where another page follows. A complete listing answers its `republishAt`. Where a
   * republication or a release was requested since the listing started, the next one is due at once, whatever `dueAtMs` says.
   */
  save(
    listing: Listing,
    next: { readonly token: string | undefined; readonly dueAtMs: number },
  ): Promise<void>;
  /** Ends the lease of a page that failed: the listing starts again, not before `dueAtMs`. */
  fail(target: ListedTarget, dueAtMs: number): Promise<void>;
  /** When targets are due and not leased, in milliseconds since 1970, by `listingKey`. 0 for one that was never listed. */
  due(targets: readonly ListedTarget[]): Promise<ReadonlyMap<string, number>>;
  /** One for every target asked for, also where it was never listed. */
  status(targets: readonly ListedTarget[]): Promise<readonly ListingStatus[]>;
  /** The ids of the resources on a page in the last listing. */
  members(target: ListedTarget, page: number): Promise<readonly string[]>;
  saveMembers(target: ListedTarget, page: number, resourceIds: readonly string[]): Promise<void>;
  /**
   * Leases polling as a whole to an execution of the state machine. Returns the number of polling turns of the execution, this one included;
   * undefined where another execution has the lease.
   */
  leasePolling(execution: string, leaseMs: number): Promise<number | undefined>;
  /** Lets the next execution have the lease at once. */
  releasePolling(execution: string): Promise<void>;
  /**
   * Has the next listing, which is due at once, republish every status, as of `at` in seconds since 1970. Idempotent; the newest request
   * counts. The next listing answers a request that is made during a listing.
   */
  requestRepublication(target: ListedTarget, at: number): Promise<void>;
  /**
   * Has the next listing, which is due at once, confirm the deletions that the breaker holds back. False where the breaker has not
   * tripped; a breaker that trips later is not released.
   */
  releaseBreaker(target: ListedTarget): Promise<boolean>;
};
