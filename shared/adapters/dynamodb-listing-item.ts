import * as z from 'zod/mini';
import { noStatusChecks, statusChecks } from '../domain/status-checks.ts';
import type { Listing, Standing } from '../ports/listings.ts';

const ids = z._default(z.array(z.string()), []);
const count = z._default(z.int(), 0);

const Checks = z.object({
  askedAtMs: z.int(),
  asked: z.enum(statusChecks),
  failing: z.object({ instance: ids, system: ids, 'attached-ebs': ids }),
});

const Digest = z.object({ states: z.string(), members: z.string(), comparedAtMs: count });

const ListingItem = z.object({
  page: z.int(),
  token: z.optional(z.string()),
  startedAtMs: z.int(),
  digests: z._default(z.array(Digest), []),
  seen: count,
  busy: z._default(z.boolean(), false),
  removed: ids,
  added: ids,
  absences: z._default(z.record(z.string(), z.object({ sinceMs: z.int(), listings: z.int() })), {}),
  lastBusyAtMs: count,
  intervalSeconds: count,
  breakerSinceMs: z.optional(z.int()),
  releasedAtMs: z.optional(z.int()),
  republishAt: count,
  republishedAt: count,
  checks: z._default(Checks, {
    ...noStatusChecks,
    failing: { instance: [], system: [], 'attached-ebs': [] },
  }),
});

/** @throws ZodError where the item was not written by dynamodb-listings.ts. */
export const listingOf = (region: string, item: Record<string, unknown>): Listing => {
  const { removed, added, token, breakerSinceMs, releasedAtMs, republishAt, republishedAt, ...rest } =
    ListingItem.parse(item);
  return {
    ...{ region, ...rest, token, breakerSinceMs, releasedAtMs, republishedAt },
    republishAt: republishAt > republishedAt ? republishAt : undefined,
    removed: new Set(removed),
    added: new Set(added),
  };
};

/** What a page that is done leaves in the item; `token` where another follows. An attribute that is undefined is not there. */
export const listingAttributes = (listing: Listing, token: string | undefined) => {
  const { region: _, releasedAtMs: __, republishAt: ___, removed, added, ...kept } = listing;
  return token === undefined
    ? { ...kept, token, page: 0, removed: undefined, added: undefined }
    : { ...kept, token, page: listing.page + 1, removed: [...removed], added: [...added] };
};

const StandingItem = z.object({
  listedAtMs: z.optional(z.int()),
  intervalSeconds: count,
  instances: count,
  breakerSinceMs: z.optional(z.int()),
  republishWantedAt: count,
  republishedAt: count,
});

/** @throws ZodError as above. */
export const standingOf = (region: string, item: Record<string, unknown>): Standing => {
  const { listedAtMs, breakerSinceMs, republishWantedAt, republishedAt, ...rest } = StandingItem.parse(item);
  return {
    ...{ region, ...rest, listedAtMs, breakerSinceMs },
    republishWantedAt: republishWantedAt > republishedAt ? republishWantedAt : undefined,
  };
};
