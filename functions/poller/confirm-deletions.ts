import { listingTime } from '../../shared/core/gate.ts';
import { finalState, isEnd } from '../../shared/core/kind.ts';
import {
  type Absences,
  isBreakerOpen,
  isMassDeletion,
  nextAbsences,
  overdue,
} from '../../shared/core/listing/absences.ts';
import type { Resource } from '../../shared/core/resource.ts';
import { type Accounts, loggedTarget, type Target } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { type DescribedResource, maximumDescribed } from '../../shared/ports/described-resources.ts';
import type { Listing, Listings } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { ServedType } from '../../shared/ports/served-type.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';

const timeoutMs = 5_000;

export type DeletionParts = {
  readonly resourceStore: ResourceStore;
  readonly listings: Listings;
  readonly observations: Observations;
  /** The accounts besides the home account. */
  readonly accounts?: Accounts | undefined;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
};

/**
 * Confirms, after a complete listing, which of the missing resources are deleted. One counts as deleted once three complete listings over
 * ten minutes lack it and its service, asked for its id, does not return it. Where too many are missing at once, a breaker trips, and none
 * counts as deleted until the service is asked for their ids: ten minutes later, or once an operator releases the breaker.
 */
export const confirmDeletions = (parts: DeletionParts) => {
  const { resourceStore, listings, observations, accounts = {}, now, meter, log } = parts;

  return async (type: ServedType, listing: Listing): Promise<Listing> => {
    const complete = await withFormerPages(listing);
    const absences = await withoutEnded(nextAbsences(complete.absences, complete, now()), complete.absences);
    const due = overdue(absences, now());
    if (due.length === 0) return after(complete, absences, undefined);

    const breakerSinceMs = breakerFor(complete, absences, due.length);
    if (breakerSinceMs !== undefined && isBreakerOpen({ ...complete, breakerSinceMs }, now()))
      return after(complete, absences, breakerSinceMs);

    const found = await describe(type, complete.target, due);
    const deleted = due.filter((id) => found.get(id)?.state === finalState(type.kind) || !found.has(id));
    await report(type, complete.target, deleted, found);
    const confirmed = new Set(due);
    const left = Object.entries(absences).filter(([id]) => !confirmed.has(id));
    return after(complete, Object.fromEntries(left), undefined);
  };

  /** Pages that the last listing had and this one has not: their resources are missing too. */
  async function withFormerPages(listing: Listing): Promise<Listing> {
    const { target, page, digests } = listing;
    const removed = new Set(listing.removed);
    for (let former = page + 1; former < digests.length; former++) {
      for (const id of await listings.members(target, former)) removed.add(id);
      await listings.saveMembers(target, former, []);
    }
    return { ...listing, removed, digests: digests.slice(0, page + 1) };
  }

  /** The service forgets a resource that has ended, within the hour; its absence says nothing. */
  async function withoutEnded(absences: Absences, known: Absences): Promise<Absences> {
    const fresh = Object.keys(absences).filter((id) => known[id] === undefined);
    const stored = fresh.length > 0 ? await resourceStore.read(fresh) : new Map();
    const isLiving = (id: string) => {
      const held = stored.get(id);
      return (
        held === undefined ||
        (held.owner === 'ours' && !(held.vm.state !== undefined && isEnd(held.vm.kind, held.vm.state)))
      );
    };
    return Object.fromEntries(Object.entries(absences).filter(([id]) => isLiving(id)));
  }

  /** When the breaker tripped, which is now where it has to trip; undefined: it has not tripped. */
  function breakerFor(
    { target, breakerSinceMs, seen }: Listing,
    absences: Absences,
    deletions: number,
  ): number | undefined {
    if (breakerSinceMs !== undefined) return breakerSinceMs;
    if (!isMassDeletion(deletions, seen + Object.keys(absences).length)) return undefined;
    meter.count('breakerTripped');
    log.error('too many resources are missing at once; none counts as deleted', {
      region: loggedTarget(accounts, target),
      missing: deletions,
      listed: seen,
    });
    return now();
  }

  async function describe({ resources }: ServedType, target: Target, ids: readonly string[]) {
    const found = new Map<string, DescribedResource>();
    for (let start = 0; start < ids.length; start += maximumDescribed) {
      const answer = await resources.describe(target, ids.slice(start, start + maximumDescribed), timeoutMs);
      for (const [id, described] of answer) found.set(id, described);
    }
    return found;
  }

  async function report(
    { kind, service }: ServedType,
    target: Target,
    ids: readonly string[],
    found: ReadonlyMap<string, DescribedResource>,
  ) {
    const stored = await resourceStore.read(ids);
    const vanished = { code: 'Vanished', message: `${service} does not know it any more` };
    const deleted = [...stored.values()].flatMap((held): Resource[] =>
      held.owner === 'ours' ? [held.vm] : [],
    );
    const at = listingTime(now());
    await observations.send(
      deleted.map(({ resourceId, account }) =>
        instanceObservedEvent({
          region: target.region,
          account,
          at,
          'instance-id': resourceId,
          state: finalState(kind),
          'state-reason': found.get(resourceId)?.reason ?? vanished,
        }),
      ),
    );
    meter.count('vanished', deleted.length);
    if (deleted.length > 0)
      log.warn('resources were deleted without an event', {
        ...{
          serviceType: kind.serviceType,
          region: loggedTarget(accounts, target),
          resources: deleted.length,
        },
      });
  }
};

/** The listing as the next one begins with it. */
const after = (listing: Listing, absences: Absences, breakerSinceMs: number | undefined): Listing => ({
  ...listing,
  absences,
  breakerSinceMs,
  busy: listing.busy || Object.keys(absences).length > 0,
});
