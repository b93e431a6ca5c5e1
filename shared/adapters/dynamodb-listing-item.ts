import * as z from 'zod/mini';
import type { Listing } from '../ports/listings.ts';

const ids = z._default(z.array(z.string()), []);

const ListingItem = z.object({
  page: z.int(),
  token: z.optional(z.string()),
  startedAtMs: z.int(),
  digests: z._default(z.array(z.object({ states: z.string(), members: z.string() })), []),
  seen: z._default(z.int(), 0),
  busy: z._default(z.boolean(), false),
  removed: ids,
  added: ids,
  absences: z._default(z.record(z.string(), z.object({ sinceMs: z.int(), listings: z.int() })), {}),
  lastBusyAtMs: z._default(z.int(), 0),
  intervalSeconds: z._default(z.int(), 0),
  breakerSinceMs: z.optional(z.int()),
});

/** @throws ZodError where the item was not written by dynamodb-listings.ts. */
export const listingOf = (region: string, item: Record<string, unknown>): Listing => {
  const { removed, added, token, breakerSinceMs, ...rest } = ListingItem.parse(item);
  return { region, ...rest, token, breakerSinceMs, removed: new Set(removed), added: new Set(added) };
};

/** A page that is done; `token` where another follows. */
export const listingItem = (listing: Listing, token: string | undefined): Record<string, unknown> => {
  const { region: _, removed, added, breakerSinceMs, ...rest } = listing;
  const more =
    token === undefined
      ? { page: 0 }
      : { page: listing.page + 1, token, removed: [...removed], added: [...added] };
  const { token: __, ...kept } = rest;
  return { ...kept, ...more, ...(breakerSinceMs !== undefined && { breakerSinceMs }), leasedUntilMs: 0 };
};
