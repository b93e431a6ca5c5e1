import { createHash } from 'node:crypto';
import { isStuck } from '../../shared/core/follow-up.ts';
import type { ListedEntry } from '../../shared/core/inventory/entry.ts';
import type { Kind } from '../../shared/core/kind.ts';
import { nextDue, nextInterval, paces } from '../../shared/core/listing/interval.ts';
import { dcmIdOf, managedByDcm, type TagKeys } from '../../shared/core/ownership.ts';
import { listingKey } from '../../shared/core/target.ts';
import type { ClusterSteps } from '../../shared/ports/cluster-steps.ts';
import type { DescribedResource } from '../../shared/ports/described-resources.ts';
import type { Listing, Listings } from '../../shared/ports/listings.ts';
import { type ServedType, servedTypeOf } from '../../shared/ports/served-type.ts';
import type { ImpairedInstances } from '../../shared/service-types/vm/status-checks.ts';
import { type ComparisonParts, comparePage, type ListedResource } from './compare-page.ts';
import { confirmDeletions, type DeletionParts } from './confirm-deletions.ts';
import type { PolledTarget } from './env.ts';
import { feedInventory, type PolledInventory, placeOf } from './feed-inventory.ts';
import { type ImpairedParts, reportImpaired } from './report-impaired.ts';
import { requestRepublications } from './request-republications.ts';

/** Less than the floor, so that a target whose service does not answer delays the others by less than one polling turn. */
const timeoutMs = 5_000;
/**
 * Of a target that has failed, until it answers again: a turn is as long as its slowest target. Every fourth attempt has the whole time, so
 * that a target that is only slow recovers.
 */
const shortTimeoutMs = 1_000;
const attemptsToFullTimeout = 4;
/** Longer than the function's timeout, so that only one worker has a page. */
const leaseMs = 20_000;
/**
 * How often a page with unchanged digest is compared all the same: a digest does not show a resource that changed twice between two
 * listings and whose last event was lost. The comparison costs half a read unit for each resource.
 */
const fullComparisonMs = 3_600_000;
/** Between ours and the service's clock; a change is published once, though it was begun in two intervals. */
const clockSkewMs = 60_000;
const shortestRetryMs = 10_000;
const longestRetryMs = 300_000;

/** A service type as it is polled. */
export type PolledType = ServedType & {
  /** Where the service checks its resources and sends no event of a failure. */
  readonly statusChecks?: ImpairedInstances;
  /** Where creations and deletions take several steps: the queue of those steps. */
  readonly steps?: ClusterSteps;
};

export type PollParts = ComparisonParts &
  DeletionParts &
  ImpairedParts & {
    readonly types: readonly PolledType[];
    readonly listings: Listings;
    readonly provider: string;
    readonly tagKeys: TagKeys;
    readonly floorSeconds: number;
    /** Undefined: there is none. */
    readonly inventory?: PolledInventory | undefined;
    /** From 0 to below 1. */
    readonly random: () => number;
  };

/**
 * Lists one page of a target's resources and queues the differences from the resource store; after the last page, confirms deletions and
 * reads status checks. Does nothing where the target is not due, or another worker has it. A listing that failed starts again, and deletes
 * nothing.
 */
export const pollTarget = (parts: PollParts) => {
  const { types, listings, provider, tagKeys, floorSeconds, meter, now, random } = parts;
  const compare = comparePage(parts);
  const confirm = confirmDeletions(parts);
  const report = reportImpaired(parts);
  const republications = requestRepublications(parts);
  /** How often in a row a target failed; for each worker. */
  const failures = new Map<string, number>();
  const fed = feedInventory({ ...parts, inventory: parts.inventory });

  return async (polled: PolledTarget): Promise<void> => {
    const { target } = polled;
    const type = servedTypeOf(types, { serviceType: target.serviceType ?? 'vm' });
    const listing = await listings.lease(target, { floorMs: floorSeconds * 1000, leaseMs });
    if (!listing) return;
    try {
      const { page, nextToken, entries } = await listPage(type, listing);
      failures.delete(listingKey(target));
      const { after: compared, turnover } = await withPage({ type, polled, listing }, page);
      const after = await fed.page(compared, entries);
      await republications.living(type.kind, listing, page);
      if (nextToken === undefined) await republications.ended(type.kind, after);
      await (nextToken === undefined
        ? complete(type, polled, after)
        : listings.save(after, { token: nextToken, dueAtMs: now() }));
      // After the missing instances were saved: a crash in between finds them again instead of forgetting them.
      if (turnover) await listings.saveMembers(target, listing.page, turnover.members);
    } catch (error) {
      failures.set(listingKey(target), (failures.get(listingKey(target)) ?? 0) + 1);
      await listings.fail(target, now() + retryMs(listing));
      throw error;
    }
  };

  async function listPage({ resources, pagesAtOnce = 1 }: PolledType, { target, token: start }: Listing) {
    const tag = { key: tagKeys.managedBy, value: managedByDcm };
    const listTimeoutMs = timeoutFor(listingKey(target));
    const untilMs = now() + listTimeoutMs;
    const withEntries = placeOf(parts.inventory, target) !== undefined;
    const found: DescribedResource[] = [];
    const entries: ListedEntry[] = [];
    let token = start;
    let pages = 0;
    do {
      const page = await resources.list({
        target,
        tag,
        token,
        timeoutMs: listTimeoutMs,
        ...(withEntries && { withEntries }),
      });
      found.push(...page.resources);
      entries.push(...(page.entries ?? []));
      token = page.nextToken;
      pages += 1;
    } while (token !== undefined && pages < pagesAtOnce && now() < untilMs);
    meter.count('pagesListed');
    const page = found.flatMap((described): ListedResource[] => {
      const dcmId = dcmIdOf(described.tags, tagKeys, provider);
      return dcmId === undefined ? [] : [{ described, dcmId }];
    });
    return { page, nextToken: token, entries };
  }

  function timeoutFor(key: string): number {
    return (failures.get(key) ?? 0) % attemptsToFullTimeout === 0 ? timeoutMs : shortTimeoutMs;
  }

  /** Ends a complete listing, and sets when the next one is due. */
  async function complete(type: PolledType, { mode }: PolledTarget, listing: Listing) {
    await fed.end(listing);
    const confirmed = await confirm(type, listing);
    const after = type.statusChecks ? await report(type.statusChecks, confirmed) : confirmed;
    const pace = paces[mode](floorSeconds);
    const intervalSeconds = nextInterval(after, pace, now());
    const dueAtMs = nextDue(listing.startedAtMs, intervalSeconds, pace);
    await listings.save({ ...after, intervalSeconds }, { token: undefined, dueAtMs });
  }

  /** The listing with this page added, and the page's turnover, where its members changed. */
  async function withPage({ type, polled, listing }: Polling, listed: readonly ListedResource[]) {
    const { kind } = type;
    const found = listed.map(({ described }) => described);
    const digest = pageDigest(kind, found, now());
    const before = listing.digests[listing.page];
    const { differences, healed, comparedAtMs } = await compareIfNeeded(
      { type, polled },
      listed,
      before,
      digest.states,
    );
    const ids = found.map(({ resourceId }) => resourceId);
    const { members, turnover } = await membershipOf(listings, listing, digest.members, ids);

    const isMoving = found.some(
      (one) => kind.transitionalStates.has(one.state) && !isStuck(kind, one, now()),
    );
    // A page with differences gets no digest, so that the next listing compares it again.
    const states = differences > 0 ? '' : digest.states;
    const digests = [...listing.digests];
    digests[listing.page] = { states, members, comparedAtMs };
    const busy = listing.busy || differences > 0 || isMoving;
    const isFirst = listing.lastBusyAtMs === 0; // it is not known yet how quiet the target is
    const lastBusyAtMs = busy || isFirst ? now() : listing.lastBusyAtMs;
    const seen = listing.seen + found.length;
    const after = { ...withHealed(listing, healed), digests, seen, busy, lastBusyAtMs };
    return { after: withTurnover(after, turnover), turnover };
  }

  /** What the first listing of a target finds was there before. */
  function withHealed(listing: Listing, count: number): Listing {
    if (count === 0 || listing.intervalSeconds === 0) return listing;
    return { ...listing, healed: (listing.healed ?? 0) + count, healedAtMs: now() };
  }

  /**
   * Does not read the resource store for a page whose digest is unchanged and that was compared within the hour. Where the service has
   * changes that no listing shows, a comparison is complete once it has said how they ended.
   */
  async function compareIfNeeded(
    polling: Omit<Polling, 'listing'>,
    listed: readonly ListedResource[],
    before: Listing['digests'][number] | undefined,
    states: string,
  ) {
    const { changes, steps } = polling.type;
    const looksUnchanged = before?.states === states;
    const isDue = before === undefined || now() - before.comparedAtMs >= fullComparisonMs;
    // a step that is due does not show in a listing
    if (looksUnchanged && steps === undefined && !isDue) {
      meter.count('pagesUnchanged');
      return { differences: 0, healed: 0, comparedAtMs: before.comparedAtMs };
    }
    const changedSinceMs = isDue && before ? before.comparedAtMs - clockSkewMs : undefined;
    const { queued, doubtful, healed, areChangesKnown } = await compare(
      { ...polling, changedSinceMs },
      listed,
    );
    if (looksUnchanged) {
      meter.count('pagesCompared');
      meter.count('comparisonHealed', queued);
    }
    const isComplete = changes === undefined || before === undefined || areChangesKnown;
    return {
      differences: queued + doubtful,
      healed,
      comparedAtMs: isComplete ? now() : before.comparedAtMs,
    };
  }

  function retryMs({ intervalSeconds }: Listing): number {
    const upTo = Math.min(Math.max(intervalSeconds * 2_000, shortestRetryMs), longestRetryMs);
    return shortestRetryMs + random() * (upTo - shortestRetryMs);
  }
};

/** A page that is being listed. */
type Polling = { readonly type: PolledType; readonly polled: PolledTarget; readonly listing: Listing };

/** Together they leave room in the 400 KB of a DynamoDB item: an absence takes about 60 bytes, an id 20. */
const maximumMissing = 3_000;
const maximumAdded = 5_000;

/** The resources on a page, and the differences from the last listing of the page. */
type Turnover = {
  readonly members: readonly string[];
  readonly removed: readonly string[];
  readonly added: readonly string[];
};

/**
 * The turnover of a page, undefined where its members are unchanged, and the digest to store. It is '', look at the page again, until the
 * members themselves were found stored: a crash before they are saved must not make the next listing take them for known.
 */
const membershipOf = async (
  listings: Listings,
  listing: Listing,
  digest: string,
  members: readonly string[],
) => {
  if (listing.digests[listing.page]?.members === digest) return { members: digest, turnover: undefined };
  const turnover = await turnoverOf(listings, listing, members);
  const isStored = turnover?.removed.length === 0 && turnover.added.length === 0;
  return isStored ? { members: digest, turnover: undefined } : { members: '', turnover };
};

/** Undefined where more resources would be missing than the item has room for. */
const turnoverOf = async (
  listings: Listings,
  listing: Listing,
  members: readonly string[],
): Promise<Turnover | undefined> => {
  const before = await listings.members(listing.target, listing.page);
  const [were, are] = [new Set(before), new Set(members)];
  const removed = before.filter((id) => !are.has(id));
  const missing = listing.removed.size + Object.keys(listing.absences).length + removed.length;
  if (removed.length > 0 && missing > maximumMissing) return undefined;
  return { members, removed, added: members.filter((id) => !were.has(id)) };
};

/**
 * The listing with a page's turnover added. A resource that left one page and appeared on another only moved, and is dropped. The first
 * listing of a target has no turnover, because nothing was listed before. Resources beyond the bound of `added` are dropped too: should
 * one of them only have moved, its service is asked by its id before it counts as deleted.
 */
const withTurnover = (listing: Listing, turnover: Turnover | undefined): Listing => {
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

/**
 * Two digests of a page. `states` is equal as long as no resource changes its state, its address or its tags, is stopped and started
 * again, or gets stuck; `members` as long as the same resources are on the page. The order of resources and tags does not matter, because
 * no service promises one.
 */
export const pageDigest = (kind: Kind, resources: readonly DescribedResource[], nowMs: number) => ({
  states: digestOf(
    resources.map((resource) => {
      const { resourceId, state, launchedAtMs, publicAddress = '', tags } = resource;
      const shown = isStuck(kind, resource, nowMs) ? 'stuck' : state;
      const sortedTags = Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1));
      return `${resourceId} ${shown} ${launchedAtMs} ${publicAddress} ${JSON.stringify(sortedTags)}`;
    }),
  ),
  members: digestOf(resources.map(({ resourceId }) => resourceId)),
});

/** 96 bits: no two pages that a target ever shows have the same digest. */
const digestOf = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url').slice(0, 16);
