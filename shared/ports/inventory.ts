import type { Entry, EntryChange, Place } from '../core/inventory/entry.ts';

/** A collection at one moment. It does not change: its pages, concatenated, are the whole collection, whatever happens meanwhile. */
export type Snapshot = {
  /** Names this moment for `snapshot`; opaque. */
  readonly generation: string;
  /** When the newest complete listing of the collection began, in milliseconds since 1970. */
  readonly listedAtMs: number;
  readonly count: number;
  /** At most `limit` entries from `offset`, ascending by id. Costs the same at every offset. */
  page(offset: number, limit: number): Promise<readonly Entry[]>;
  find(id: string): Promise<Entry | undefined>;
  /** All entries, ascending by id, a bounded number at a time. For filters: it reads the whole collection. */
  all(): AsyncIterable<readonly Entry[]>;
};

/** The reading side of the inventory. No method asks AWS for resources. All rejections are UnavailableErrors, unless said otherwise. */
export type InventoryReader = {
  /**
   * The collection as it is now, or as it was in `generation`; undefined: it has never been listed completely.
   * @throws GoneError where the generation is no longer kept (15 minutes at least).
   */
  snapshot(place: Place, generation?: string): Promise<Snapshot | undefined>;
};

/** The writing side of the inventory. Several functions may write at once; of two changes of a resource the one with the later `at` stays. */
export type InventoryWriter = {
  /** Adds changes that events show, or a read of single resources. */
  change(place: Place, changes: readonly EntryChange[]): Promise<void>;
  /**
   * Adds one page of a listing that began at `startedAtMs`. A page that is as it was in the last listing costs one read. Nothing ends before
   * `complete`.
   */
  observePage(
    place: Place,
    listing: { readonly startedAtMs: number; readonly page: number },
    entries: readonly Entry[],
  ): Promise<void>;
  /**
   * Ends a listing of `pages` pages: what none of them showed, and what no event has shown since it began, has ended. The first one makes
   * the collection available.
   */
  complete(place: Place, listing: { readonly startedAtMs: number; readonly pages: number }): Promise<void>;
};
