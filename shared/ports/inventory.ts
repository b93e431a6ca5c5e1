import type { Entry, EntryChange, ListedEntry, Place, Summary } from '../core/inventory/entry.ts';

/** A collection at one moment. It does not change: its pages, concatenated, are the whole collection, whatever happens meanwhile. */
export type Snapshot = {
  /** Names this moment for `snapshot`; opaque. */
  readonly generation: string;
  /** The time of the newest complete listing: its start less its lag, in milliseconds since 1970. */
  readonly listedAtMs: number;
  readonly count: number;
  /** At most `limit` entries from `offset`, ascending by id. Costs the same at every offset. */
  page(offset: number, limit: number): Promise<readonly Entry[]>;
  /** The same without objects, which costs about a tenth. */
  summaries(offset: number, limit: number): Promise<readonly Summary[]>;
  find(id: string): Promise<Entry | undefined>;
  /** All entries, ascending by id, a bounded number at a time. Reads the whole collection. */
  all(): AsyncIterable<readonly Entry[]>;
  /** The same without objects: for filters. */
  allSummaries(): AsyncIterable<readonly Summary[]>;
};

/** The reading side of the inventory. No method asks AWS for resources. All rejections are UnavailableErrors, unless said otherwise. */
export type InventoryReader = {
  /**
   * The collection as it is now, or as it was in `generation`; undefined: it has never been listed completely. While very much changes at
   * once, it can be as it was some seconds ago.
   * @throws GoneError where the generation is no longer kept (15 minutes at least); InvalidArgumentError where the text names none.
   */
  snapshot(place: Place, generation?: string): Promise<Snapshot | undefined>;
};

/** A listing: one or several pages, each observed before `complete`. */
export type ObservedListing = { readonly startedAtMs: number };

/** A change that was new to the inventory. */
export type AppliedChange = { readonly id: string; readonly change: 'changed' | 'ended' };

/**
 * The writing side of the inventory. Several functions may write at once; of two changes of a resource the one with the later `at` stays.
 * A change that is not later than the newest complete listing counts for nothing: the listing has shown it.
 * Each method is idempotent, and returns what was new. That is announced in the change feed once it is stored, at least once: after a
 * rejection or a crash by the next call for the place. Of a collection that cannot be read yet, only its first base is announced.
 * Rejections are UnavailableErrors: some of the changes may have been stored, and the same call may be made again.
 */
export type InventoryWriter = {
  /** Adds changes that events show, or a read of single resources. */
  change(place: Place, changes: readonly EntryChange[]): Promise<readonly AppliedChange[]>;
  /**
   * Adds page `page` (from 0) of a listing. The entries' `at` is ignored: it is the listing's. Where the page is as the inventory has it,
   * nothing is written. Nothing ends before `complete`.
   */
  observePage(
    place: Place,
    listing: ObservedListing & { readonly page: number },
    entries: readonly ListedEntry[],
  ): Promise<readonly AppliedChange[]>;
  /**
   * Ends a listing of `pages` pages: what none of them showed, and what no event has shown since it began, has ended. The first one makes
   * the collection available, as soon as its base is written.
   */
  complete(
    place: Place,
    listing: ObservedListing & { readonly pages: number },
  ): Promise<readonly AppliedChange[]>;
};

/** The AWS services' own view of the collections that only the inventory has. */
export type ListedCollections = {
  /**
   * One page of a collection.
   * @throws UnavailableError where the service throttled or refused the call, or did not answer in `timeoutMs`; UpstreamError where it
   * answered with an error of its own.
   */
  list(query: {
    readonly place: Place;
    readonly token: string | undefined;
    readonly timeoutMs: number;
  }): Promise<{
    readonly entries: readonly ListedEntry[];
    readonly nextToken: string | undefined;
    /** How many calls of the service the page took. */
    readonly calls: number;
  }>;
};

/** Has the next base of a place written. May resolve before it is. @throws UnavailableError */
export type RequestCompaction = (place: Place) => Promise<void>;

/** Keeps the inventory's storage small and quick to read. */
export type InventoryMaintenance = {
  /** Writes the next base of a collection, from the base and the changes since. Nothing where few have been added. Idempotent. */
  compact(place: Place): Promise<void>;
  /** Deletes all that is stored of a collection: of a target that is no longer configured, or of a collection that was switched off. */
  forget(place: Place): Promise<void>;
  /** Keys of all places that something is stored of. */
  places(): Promise<readonly string[]>;
};
