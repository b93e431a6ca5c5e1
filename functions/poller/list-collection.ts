import type { ListedEntry } from '../../shared/core/inventory/entry.ts';
import { type Accounts, listingName } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ListedCollections } from '../../shared/ports/inventory.ts';
import type { Listing, Listings } from '../../shared/ports/listings.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import type { PolledTarget } from './env.ts';
import { type PolledInventory, placeOf } from './feed-inventory.ts';

const timeoutMs = 5_000;
/** Longer than the function's timeout, so that only one worker has a page. */
const leaseMs = 20_000;
/** Pages of the service that are one of a listing: each of ours costs a polling turn. */
const pagesAtOnce = 5;
const longestRetryMs = 900_000;
/** Quiet listings of service types are due at such times too, so that they share polling turns. */
const gridMs = 300_000;

type Parts = {
  readonly inventory: PolledInventory | undefined;
  readonly collections: ListedCollections;
  readonly listings: Listings;
  /** The time between two listings. */
  readonly seconds: number;
  /** The accounts besides the home account. */
  readonly accounts?: Accounts | undefined;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * Lists one page of a collection that only the inventory has. A listing that fails, such as for lack of permission, is begun again some time
 * later, and concerns no other collection: the inventory goes on with what it has.
 */
export const listCollection = (parts: Parts) => {
  const { inventory, collections, listings, seconds, accounts = {}, now, log, meter } = parts;

  return async ({ target }: PolledTarget): Promise<void> => {
    const place = placeOf(inventory, target);
    if (inventory === undefined || place === undefined) return;
    const listing = await listings.lease(target, { floorMs: Math.min(seconds, 60) * 1000, leaseMs });
    if (listing === undefined) return;
    try {
      const { startedAtMs, page } = listing;
      const { entries, token } = await list(listing, place);
      await inventory.writer.observePage(place, { startedAtMs, page }, entries);
      if (token === undefined) await inventory.writer.complete(place, { startedAtMs, pages: page + 1 });
      const after = { ...listing, seen: listing.seen + entries.length, intervalSeconds: seconds };
      await listings.save(after, { token, dueAtMs: token === undefined ? nextDue(listing) : now() });
    } catch (error) {
      meter.count('collectionsNotListed');
      log.warn('a collection of the inventory was not listed', {
        region: listingName(accounts, target),
        error,
      });
      await listings.fail(target, now() + Math.min(seconds * 1000, longestRetryMs));
    }
  };

  async function list({ token: start }: Listing, place: NonNullable<ReturnType<typeof placeOf>>) {
    const untilMs = now() + timeoutMs;
    const entries: ListedEntry[] = [];
    let token = start;
    let pages = 0;
    do {
      const page = await collections.list({ place, token, timeoutMs });
      meter.count('inventoryCalls', page.calls);
      entries.push(...page.entries);
      token = page.nextToken;
      pages += 1;
    } while (token !== undefined && pages < pagesAtOnce && now() < untilMs);
    return { entries, token };
  }

  function nextDue({ startedAtMs }: Listing): number {
    const due = startedAtMs + seconds * 1000;
    return seconds * 1000 < 2 * gridMs ? due : Math.ceil(due / gridMs) * gridMs;
  }
};
