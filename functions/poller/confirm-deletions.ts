import { listingTime } from '../../shared/core/gate.ts';
import { type Absences, isMassDeletion, nextAbsences, overdue } from '../../shared/core/listing/absences.ts';
import type { Resource } from '../../shared/core/resource.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { type Instance, type Instances, maximumDescribed } from '../../shared/ports/instances.ts';
import type { Listing, Listings } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';

const timeoutMs = 5_000;
const breakerHoldsMs = 10 * 60_000;

export type DeletionParts = {
  readonly resourceStore: ResourceStore;
  readonly instances: Instances;
  readonly listings: Listings;
  readonly observations: Observations;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
};

/**
 * Judges, after a complete listing, what it does not show any more. A VM is taken for deleted only after three listings and ten minutes
 * without it, and when EC2, asked for it by its id, does not know it either. Where so many are missing that the listing is to be
 * doubted, a breaker trips: none is deleted until EC2 is asked by their ids, ten minutes later or once an operator releases it.
 */
export const confirmDeletions = ({
  resourceStore,
  instances,
  listings,
  observations,
  now,
  meter,
  log,
}: DeletionParts) => {
  return async (listing: Listing): Promise<Listing> => {
    const complete = await withForgottenPages(listing);
    const absences = await onlyLiving(nextAbsences(complete.absences, complete, now()), complete.absences);
    const due = overdue(absences, now());
    if (due.length === 0) return closed(complete, absences, undefined);

    const breakerSinceMs = breakerFor(complete, absences, due.length);
    if (breakerSinceMs !== undefined && holds(breakerSinceMs, complete))
      return closed(complete, absences, breakerSinceMs);

    const found = await secondQuestion(complete.region, due);
    const gone = due.filter((id) => !isAlive(found.get(id)));
    await tellGone(complete.region, gone, found);
    const judged = new Set(due);
    return closed(
      complete,
      Object.fromEntries(Object.entries(absences).filter(([id]) => !judged.has(id))),
      undefined,
    );
  };

  /** Pages that the last listing had and this one has not: nobody is on them any more. */
  async function withForgottenPages(listing: Listing): Promise<Listing> {
    const { region, page, digests } = listing;
    const removed = new Set(listing.removed);
    for (let empty = page + 1; empty < digests.length; empty++) {
      for (const id of await listings.members(region, empty)) removed.add(id);
      await listings.saveMembers(region, empty, []);
    }
    return { ...listing, removed, digests: digests.slice(0, page + 1) };
  }

  /** EC2 forgets a terminated instance within the hour; that is no absence. */
  async function onlyLiving(absences: Absences, known: Absences): Promise<Absences> {
    const fresh = Object.keys(absences).filter((id) => known[id] === undefined);
    const remembered = fresh.length > 0 ? await resourceStore.read(fresh) : new Map();
    const isLiving = (id: string) => {
      const held = remembered.get(id);
      return held === undefined || (held.owner === 'ours' && held.vm.state !== 'terminated');
    };
    return Object.fromEntries(Object.entries(absences).filter(([id]) => isLiving(id)));
  }

  /** Until it is older than that, or an operator has released it. */
  function holds(sinceMs: number, { releasedAtMs = 0 }: Listing): boolean {
    return now() - sinceMs < breakerHoldsMs && releasedAtMs < sinceMs;
  }

  function breakerFor(
    { region, breakerSinceMs, seen }: Listing,
    absences: Absences,
    deletions: number,
  ): number | undefined {
    if (breakerSinceMs !== undefined) return breakerSinceMs;
    if (!isMassDeletion(deletions, seen + Object.keys(absences).length)) return undefined;
    meter.count('breakerTripped');
    log.error('so many VMs are missing that none is taken for deleted', {
      region,
      missing: deletions,
      listed: seen,
    });
    return now();
  }

  async function secondQuestion(
    region: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Instance>> {
    const found = new Map<string, Instance>();
    for (let start = 0; start < ids.length; start += maximumDescribed) {
      const answer = await instances.describe(region, ids.slice(start, start + maximumDescribed), timeoutMs);
      for (const [id, instance] of answer) found.set(id, instance);
    }
    return found;
  }

  async function tellGone(region: string, ids: readonly string[], found: ReadonlyMap<string, Instance>) {
    const remembered = await resourceStore.read(ids);
    const vms = [...remembered.values()].flatMap((held): Resource[] =>
      held.owner === 'ours' ? [held.vm] : [],
    );
    const at = listingTime(now());
    await observations.send(
      vms.map(({ resourceId: instanceId, account }) =>
        instanceObservedEvent({
          region,
          account,
          at,
          'instance-id': instanceId,
          state: 'terminated',
          'state-reason': found.get(instanceId)?.reason ?? vanished,
        }),
      ),
    );
    meter.count('vanished', vms.length);
    if (vms.length > 0) log.warn('VMs are gone from EC2 without an event', { region, vms: vms.length });
  }
};

const vanished = { code: 'Vanished', message: 'EC2 does not know it any more' };

const isAlive = (instance: Instance | undefined): boolean =>
  instance !== undefined && instance.state !== 'terminated';

/** Ready for the next listing to begin. */
const closed = (listing: Listing, absences: Absences, breakerSinceMs: number | undefined): Listing => ({
  ...listing,
  absences,
  breakerSinceMs,
  busy: listing.busy || Object.keys(absences).length > 0,
});
