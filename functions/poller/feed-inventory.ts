import {
  type Collection,
  collectionOfType,
  type ListedEntry,
  type Place,
} from '../../shared/core/inventory/entry.ts';
import { type Accounts, listingName } from '../../shared/core/target.ts';
import type { InventoryWriter } from '../../shared/ports/inventory.ts';
import type { Listing } from '../../shared/ports/listings.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { checkNames, statusChecks, statusChecksOf } from '../../shared/service-types/vm/status-checks.ts';

/** The inventory as the poller fills it. */
export type PolledInventory = {
  readonly writer: InventoryWriter;
  /** The collections that the listings of service types fill. */
  readonly collections: ReadonlySet<Collection>;
};

/** The place that a listing fills; undefined where the inventory does not have it. */
export const placeOf = (
  inventory: PolledInventory | undefined,
  { region, account, serviceType = 'vm', collection = collectionOfType[serviceType] }: Listing['target'],
): Place | undefined =>
  inventory?.collections.has(collection)
    ? { target: { region, ...(account !== undefined && { account }) }, collection }
    : undefined;

type Parts = {
  readonly inventory: PolledInventory | undefined;
  /** The accounts besides the home account. */
  readonly accounts?: Accounts | undefined;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * Gives what the poller lists for DCM to the inventory too. An inventory that cannot be written costs DCM nothing: its listing does not end
 * then, and the next one fills it.
 */
export const feedInventory = ({ inventory, accounts = {}, log, meter }: Parts) => {
  return {
    /** A page. @returns the listing, which notes where the inventory lacks it. */
    async page(listing: Listing, entries: readonly ListedEntry[]): Promise<Listing> {
      const place = placeOf(inventory, listing.target);
      if (inventory === undefined || place === undefined) return listing;
      const failed = listing.page > 0 && listing.inventoryFailed === true;
      const { startedAtMs, page } = listing;
      const shown = place.collection === 'instances' ? entries.map(withStatusChecks(listing)) : entries;
      const isStored =
        !failed &&
        (await stored(listing, () => inventory.writer.observePage(place, { startedAtMs, page }, shown)));
      return { ...listing, inventoryFailed: !isStored };
    },

    /** The end of a listing, after its last page. */
    async end(listing: Listing): Promise<void> {
      const place = placeOf(inventory, listing.target);
      if (inventory === undefined || place === undefined || listing.inventoryFailed === true) return;
      const { startedAtMs, page } = listing;
      await stored(listing, () => inventory.writer.complete(place, { startedAtMs, pages: page + 1 }));
    },
  };

  async function stored({ target }: Listing, store: () => Promise<unknown>): Promise<boolean> {
    try {
      await store();
      return true;
    } catch (error) {
      meter.count('inventoryNotWritten');
      log.warn('the inventory did not take a listing; the next one fills it', {
        ...{ region: listingName(accounts, target), error },
      });
      return false;
    }
  }
};

/** The instance with the status check that it failed when EC2 was last asked, which is after a listing. */
const withStatusChecks = ({ checks }: Listing) => {
  const { everywhere } = statusChecksOf(checks);
  const failing = statusChecks.map((check) => ({ check, ids: new Set(everywhere[check]) }));
  return (entry: ListedEntry): ListedEntry => {
    const failed = failing.find(({ ids }) => ids.has(entry.id));
    return failed === undefined
      ? entry
      : { ...entry, unhealthy: `its ${checkNames[failed.check]} status check fails` };
  };
};
