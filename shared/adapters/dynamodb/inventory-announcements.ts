import type { Place } from '../../core/inventory/entry.ts';
import { type ChangeFeed, collectionListed, inventoryChanges } from '../../ports/change-feed.ts';
import type { AppliedChange } from '../../ports/inventory.ts';
import type { Position } from './append-log.ts';
import type { InventoryStorage, LoggedEntry } from './inventory-storage.ts';

const readAtOnce = 500;

/** Announces the changes of a collection. @throws UnavailableError; then the next call announces them. */
export type Announce = (place: Place) => Promise<void>;

/**
 * Announces in the feed what is in the log of the base that is read, from the entry on up to which that was done before. The head has the
 * number of that entry, so whoever comes next announces what a worker stored that ended before it announced it. Workers who do so at once
 * announce the same changes twice, and none of them leaves one out.
 */
export const announceFromLog =
  (storage: InventoryStorage, feed: Pick<ChangeFeed, 'append'>): Announce =>
  async (place) => {
    const head = await storage.head(place);
    if (head === undefined) return; // there is nothing to read yet; the first base is announced
    const log = storage.log(place, head.base);
    if (head.announced === undefined) {
      const { next } = await log.tail();
      await feed.append([collectionListed(place)]);
      await storage.noteAnnounced(place, head.base, next.number);
      return;
    }
    const newest = new Map<string, AppliedChange>();
    let next: Position = { number: head.announced, atMs: 0 };
    for (let complete = false; !complete; ) {
      const page = await log.read(next, readAtOnce);
      for (const one of page.entries.flatMap(({ entry }) => appliedBy(entry))) newest.set(one.id, one);
      next = page.next;
      complete = page.complete;
    }
    if (newest.size === 0) return;
    await feed.append(inventoryChanges(place, [...newest.values()]));
    await storage.noteAnnounced(place, head.base, next.number);
  };

/** The change that an entry of a log is; none for the mark of a listing. */
export const appliedBy = (one: LoggedEntry): AppliedChange[] =>
  'listed' in one ? [] : [{ id: one.id, change: one.digest === undefined ? 'ended' : 'changed' }];
