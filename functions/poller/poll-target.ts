import { createHash } from 'node:crypto';
import { isStuck } from '../../shared/core/follow-up.ts';
import { isTransitional } from '../../shared/core/listing/doubt.ts';
import { nextDue, nextInterval, paces } from '../../shared/core/listing/interval.ts';
import { dcmIdOf, managedByDcm, type TagKeys } from '../../shared/core/ownership.ts';
import type { Instance, Instances } from '../../shared/ports/instances.ts';
import type { Listing, Listings } from '../../shared/ports/listings.ts';
import { type ComparisonParts, comparePage, type ListedVm } from './compare-page.ts';
import { confirmDeletions, type DeletionParts } from './confirm-deletions.ts';
import type { PolledRegion } from './env.ts';
import { type ImpairedParts, reportImpaired } from './report-impaired.ts';
import { requestRepublications } from './request-republications.ts';

/** Less than the floor, so that a region whose EC2 does not answer holds up the others by less than one turn. */
const timeoutMs = 5_000;
/** Longer than the function's time-out: a page is worked on by one. */
const leaseMs = 20_000;
/**
 * A page that looks as in the last listing is compared with the fleet once an hour: what changed and changed back between two listings,
 * and whose last event was lost, does not show in the digest. It costs half a read unit for each VM.
 */
const fullComparisonMs = 3_600_000;
const shortestRetryMs = 10_000;
const longestRetryMs = 300_000;

export type PollParts = ComparisonParts &
  DeletionParts &
  ImpairedParts & {
    readonly instances: Instances;
    readonly listings: Listings;
    readonly provider: string;
    readonly tagKeys: TagKeys;
    readonly floorSeconds: number;
    /** From 0 to below 1. */
    readonly random: () => number;
  };

/**
 * Lists one page of a region's instances and queues what the fleet does not hold; after the last page, judges what is missing. Does
 * nothing where the region is not due, or another worker has it. A failed listing is begun anew and says nothing of what it did not show.
 */
export const pollTarget = (parts: PollParts) => {
  const { instances, listings, provider, tagKeys, floorSeconds, meter, now, random } = parts;
  const compare = comparePage(parts);
  const judge = confirmDeletions(parts);
  const notice = reportImpaired(parts);
  const again = requestRepublications(parts);

  return async (polled: PolledRegion): Promise<void> => {
    const { region } = polled;
    const listing = await listings.take(region, { floorMs: floorSeconds * 1000, leaseMs });
    if (!listing) return;
    try {
      const { page, nextToken } = await listPage(listing);
      const { after, turnover } = await look(polled, listing, page);
      await again.living(listing, page);
      if (nextToken === undefined) await again.ended(after);
      await (nextToken === undefined
        ? close(polled, after)
        : listings.save(after, { token: nextToken, dueAtMs: now() }));
      // after what is missing was saved: a crash in between makes it be noticed again, never overlooked
      if (turnover) await listings.saveMembers(region, listing.page, turnover.members);
    } catch (error) {
      await listings.fail(region, now() + retryMs(listing));
      throw error;
    }
  };

  async function listPage({ region, token }: Listing) {
    const tag = { key: tagKeys.managedBy, value: managedByDcm };
    const { instances: found, nextToken } = await instances.list({
      region,
      tag,
      token,
      timeoutMs: timeoutMs,
    });
    meter.count('pagesListed');
    const page = found.flatMap((instance): ListedVm[] => {
      const dcmId = dcmIdOf(instance.tags, tagKeys, provider);
      return dcmId === undefined ? [] : [{ instance, dcmId }];
    });
    return { page, nextToken };
  }

  /** Ends a complete listing, and says when the next one is due. */
  async function close(polled: PolledRegion, listing: Listing) {
    const judged = await notice(await judge(listing));
    const pace = paces[polled.kind](floorSeconds);
    const intervalSeconds = nextInterval(judged, pace, now());
    const dueAtMs = nextDue(listing.startedAtMs, intervalSeconds, pace);
    await listings.save({ ...judged, intervalSeconds }, { token: undefined, dueAtMs });
  }

  /** The listing with one more page in it, and who came to the page and left it, where anybody did. */
  async function look(polled: PolledRegion, listing: Listing, vms: readonly ListedVm[]) {
    const found = vms.map(({ instance }) => instance);
    const digest = pageDigest(found, now());
    const before = listing.digests[listing.page];
    const { differences, comparedAtMs } = await comparison(polled, vms, before, digest.states);
    const ids = found.map(({ instanceId }) => instanceId);
    const { members, turnover } = await membershipOf(listings, listing, digest.members, ids);

    const isMoving = found.some((one) => isTransitional(one.state) && !isStuck(one, now()));
    // what was queued or is doubtful is compared again next time: only what the fleet holds is done
    const states = differences > 0 ? '' : digest.states;
    const after = withTurnover(withPage(listing, { states, members, comparedAtMs }, found.length), turnover);
    const busy = listing.busy || differences > 0 || isMoving;
    const isFirst = listing.lastBusyAtMs === 0; // nobody knows yet how quiet the region is
    const lastBusyAtMs = busy || isFirst ? now() : listing.lastBusyAtMs;
    return { after: { ...after, busy, lastBusyAtMs }, turnover };
  }

  /** The fleet is not read for a page that looks as before and was compared within the hour. */
  async function comparison(
    polled: PolledRegion,
    vms: readonly ListedVm[],
    before: Listing['digests'][number] | undefined,
    states: string,
  ) {
    const looksUnchanged = before?.states === states;
    if (looksUnchanged && now() - before.comparedAtMs < fullComparisonMs) {
      meter.count('pagesUnchanged');
      return { differences: 0, comparedAtMs: before.comparedAtMs };
    }
    const { news, doubtful } = await compare(polled, vms);
    if (looksUnchanged) {
      meter.count('pagesCompared');
      meter.count('comparisonHealed', news);
    }
    return { differences: news + doubtful, comparedAtMs: now() };
  }

  function retryMs({ intervalSeconds }: Listing): number {
    const upTo = Math.min(Math.max(intervalSeconds * 2_000, shortestRetryMs), longestRetryMs);
    return shortestRetryMs + random() * (upTo - shortestRetryMs);
  }
};

const withPage = (listing: Listing, digest: Listing['digests'][number], seen: number): Listing => {
  const digests = [...listing.digests];
  digests[listing.page] = digest;
  return { ...listing, digests, seen: listing.seen + seen };
};

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
const membershipOf = async (
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

/** 96 bits tell a page from every other that a region will ever show. */
const digest = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url').slice(0, 16);

/**
 * What a page looks like: equal digests mean that nothing has changed on it since, that no instance was stopped and started again, and that
 * none got stuck. The order of instances and of tags does not matter, for EC2 promises none.
 */
export const pageDigest = (instances: readonly Instance[], nowMs: number) => ({
  states: digest(
    instances.map((instance) => {
      const { instanceId, state, launchedAtMs, publicAddress = '', tags } = instance;
      const shown = isStuck(instance, nowMs) ? 'stuck' : state;
      const sortedTags = Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1));
      return `${instanceId} ${shown} ${launchedAtMs} ${publicAddress} ${JSON.stringify(sortedTags)}`;
    }),
  ),
  members: digest(instances.map(({ instanceId }) => instanceId)),
});
