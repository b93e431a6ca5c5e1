import type { Absences } from '../domain/absence.ts';

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
  readonly digests: readonly { readonly states: string; readonly members: string }[];
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
  /** Gives the page back, done: `token` where another follows. */
  save(
    listing: Listing,
    next: { readonly token: string | undefined; readonly dueAtMs: number },
  ): Promise<void>;
  /** Gives the page back, failed: the listing is begun anew, not before `dueAtMs`. */
  fail(region: string, dueAtMs: number): Promise<void>;
  /** When regions can be taken, in milliseconds since 1970: when they are due, and nobody has them. 0 for one that was never listed. */
  due(regions: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** How many pages the region had in the last listing, and in the present one so far if that has more. */
  pages(region: string): Promise<number>;
  /** The instances that were on a page in the last listing. */
  members(region: string, page: number): Promise<readonly string[]>;
  keepMembers(region: string, page: number, instanceIds: readonly string[]): Promise<void>;
  /**
   * How many turns `execution` has now been in charge of polling, and is for `leaseMs` more; undefined where another one is.
   */
  takeCharge(execution: string, leaseMs: number): Promise<number | undefined>;
  /** Lets the next execution take charge at once. */
  resign(execution: string): Promise<void>;
};
