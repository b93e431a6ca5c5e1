import { isTransitional } from '../../shared/domain/listing.ts';
import { nextDue, nextInterval, paces } from '../../shared/domain/polling-interval.ts';
import { isStuck } from '../../shared/domain/stuck-launch.ts';
import { managedByDcm, type TagKeys, vmIdOf } from '../../shared/domain/tags.ts';
import type { Instances } from '../../shared/ports/instances.ts';
import type { Listing, Listings } from '../../shared/ports/listings.ts';
import { type ComparisonParts, comparePage, type ListedVm } from './compare-page.ts';
import type { PolledRegion } from './env.ts';
import { type AbsenceParts, judgeAbsences } from './judge-absences.ts';
import { type ImpairedParts, noticeImpaired } from './notice-impaired.ts';
import { pageDigest } from './page-digest.ts';
import { tellAgain } from './tell-again.ts';
import { membershipOf, withTurnover } from './turnover.ts';

/** Less than the floor, so that a region whose EC2 does not answer holds up the others by less than one turn. */
const patienceMs = 5_000;
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
  AbsenceParts &
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
export const pollRegion = (parts: PollParts) => {
  const { instances, listings, provider, tagKeys, floorSeconds, meter, now, random } = parts;
  const compare = comparePage(parts);
  const judge = judgeAbsences(parts);
  const notice = noticeImpaired(parts);
  const again = tellAgain(parts);

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
      if (turnover) await listings.keepMembers(region, listing.page, turnover.members);
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
      withinMs: patienceMs,
    });
    meter.count('pagesListed');
    const page = found.flatMap((instance): ListedVm[] => {
      const vmId = vmIdOf(instance.tags, tagKeys, provider);
      return vmId === undefined ? [] : [{ instance, vmId }];
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
