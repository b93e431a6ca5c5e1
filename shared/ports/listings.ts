import type { Absences } from '../core/listing/absences.ts';
import type { StatusChecks } from '../service-types/vm/status-checks.ts';

/** One region's listing, from its first page to its last, as it is remembered between two pages and between two listings. */
export type Listing = {
  readonly region: string;
  /** 0 for the first page. */
  readonly page: number;
  /** Where EC2 goes on; undefined for the first page. */
  readonly token: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** What the pages of the last listings looked like, by page: of their instances' states, and of which instances there are. */
  readonly digests: readonly {
    readonly states: string;
    readonly members: string;
    /** When the page was last compared with the fleet, in milliseconds since 1970; 0: never. */
    readonly comparedAtMs: number;
  }[];
  /** So far in this listing: our instances, and which of them are more or less than in the last one. */
  readonly seen: number;
  readonly busy: boolean;
  readonly removed: ReadonlySet<string>;
  readonly added: ReadonlySet<string>;
  readonly absences: Absences;
  readonly lastBusyAtMs: number;
  readonly intervalSeconds: number;
  /** Since when so many instances are missing that none of them is believed to be gone; undefined: they are not. */
  readonly breakerSinceMs: number | undefined;
  /** When an operator last released the region's breaker, for good or for nothing; save leaves it as it is. */
  readonly releasedAtMs: number | undefined;
  /** Every current status is to be asked for once more, as of this second; undefined: it is not. Stays the same from page to page. */
  readonly republishAt: number | undefined;
  /** The second of the newest republication that a listing has completed; 0: none. */
  readonly republishedAt: number;
  readonly checks: StatusChecks;
};

/** How a region's listings stand, for people to look at. Milliseconds since 1970. */
export type ListingStatus = {
  readonly region: string;
  /** When the last complete listing ended; undefined: there was none. */
  readonly listedAtMs: number | undefined;
  readonly intervalSeconds: number;
  /** Our instances in the last complete listing. */
  readonly instances: number;
  readonly breakerSinceMs: number | undefined;
  /** Since when, in seconds, every status is wanted once more, and no listing has done it; undefined: it is not. */
  readonly republishWantedAt: number | undefined;
};

/**
 * What is remembered of the regions' listings. All rejections are UnavailableErrors.
 */
export type Listings = {
  /**
   * Takes the next page of a region for `leaseMs`, or undefined where the region is not due, or another worker has it. Never begins a
   * listing within `floorMs` of the beginning of the last one, however many try.
   */
  take(
    region: string,
    timing: { readonly floorMs: number; readonly leaseMs: number },
  ): Promise<Listing | undefined>;
  /**
   * Gives the page back, done: `token` where another follows. A complete listing answers its `republishAt`. Where somebody wanted
   * something of the region since it began, the next one is due at once, whatever `dueAtMs` says.
   */
  save(
    listing: Listing,
    next: { readonly token: string | undefined; readonly dueAtMs: number },
  ): Promise<void>;
  /** Gives the page back, failed: the listing is begun anew, not before `dueAtMs`. */
  fail(region: string, dueAtMs: number): Promise<void>;
  /** When regions can be taken, in milliseconds since 1970: when they are due, and nobody has them. 0 for one that was never listed. */
  due(regions: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** For every region asked, also one that was never listed. */
  status(regions: readonly string[]): Promise<readonly ListingStatus[]>;
  /** The instances that were on a page in the last listing. */
  members(region: string, page: number): Promise<readonly string[]>;
  saveMembers(region: string, page: number, resourceIds: readonly string[]): Promise<void>;
  /**
   * How many turns `execution` has now been in charge of polling, and is for `leaseMs` more; undefined where another one is.
   */
  leasePolling(execution: string, leaseMs: number): Promise<number | undefined>;
  /**
   * Has the next listing of the region, which is due at once, ask for every current status once more, as of `at`, in seconds since
   * 1970. Idempotent; the newest request counts, and one that is made while a listing goes on is the next one's.
   */
  requestRepublication(region: string, at: number): Promise<void>;
  /**
   * An operator believes what the region's breaker holds back: the instances that are missing are to be judged gone, at once. True where
   * there was such a breaker; nothing happens to one that trips later.
   */
  release(region: string): Promise<boolean>;
  /** Lets the next execution take charge at once. */
  releasePolling(execution: string): Promise<void>;
};
