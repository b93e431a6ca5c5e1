import type { Listing, Listings } from '../../shared/ports/listings.ts';

/** Together they leave room in the 400 KB of a DynamoDB item: an absence takes about 60 bytes, an id 20. */
const maximumMissing = 3_000;
const maximumAdded = 5_000;

/** Who is on a page now, and who is not any more and was not before. */
type Turnover = {
  readonly members: readonly string[];
  readonly removed: readonly string[];
  readonly added: readonly string[];
};

/** The turnover of a page whose members' digest is `digest` now, and the digest to remember: none, where the page is to be looked at again. */
export const membershipOf = async (
  listings: Listings,
  listing: Listing,
  digest: string,
  members: readonly string[],
) => {
  if (listing.digests[listing.page]?.members === digest) return { members: digest, turnover: undefined };
  const turnover = await turnoverOf(listings, listing, members);
  return { members: turnover ? digest : '', turnover };
};

/** Undefined where more would be missing than can be kept. */
const turnoverOf = async (
  listings: Listings,
  listing: Listing,
  members: readonly string[],
): Promise<Turnover | undefined> => {
  const before = await listings.members(listing.region, listing.page);
  const were = new Set(before);
  const are = new Set(members);
  const removed = before.filter((id) => !are.has(id));
  const missing = listing.removed.size + Object.keys(listing.absences).length + removed.length;
  if (removed.length > 0 && missing > maximumMissing) return undefined;
  return { members, removed, added: members.filter((id) => !were.has(id)) };
};

/**
 * The listing with a page's turnover in it. Who left one page and came to another only moved, and is not kept. A region's first listing
 * keeps nobody: there was nobody before to be missing. Beyond the bound a newcomer is not kept either: should it only have moved, EC2 is
 * asked by its id before anything is said of it.
 */
export const withTurnover = (listing: Listing, turnover: Turnover | undefined): Listing => {
  const isFirst = listing.intervalSeconds === 0;
  if (turnover === undefined || isFirst) return listing;
  const removed = new Set([...listing.removed, ...turnover.removed]);
  const added = new Set([...listing.added, ...turnover.added]);
  for (const id of removed) {
    if (!added.has(id)) continue;
    removed.delete(id);
    added.delete(id);
  }
  return { ...listing, removed, added: new Set([...added].slice(0, maximumAdded)) };
};
