import { finalState, type Kind } from '../../shared/core/kind.ts';
import { type Accounts, loggedTarget, type Target } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Listing } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { republicationRequestedEvent } from '../../shared/wire/own-messages.ts';
import type { ListedResource } from './compare-page.ts';

/** A rate that leaves the normaliser and NATS room for everything else. */
const vmsPerSecond = 100;
/** The longest delay of an SQS message. */
const longestDelaySeconds = 900;
/** Less than what is left of the function's timeout after a page. */
const readEndedWithinMs = 5_000;
/** Statuses published shortly before the last republication can have been lost with it. */
const overlapSeconds = 3_600;

type Parts = {
  readonly resourceStore: Pick<ResourceStore, 'ended'>;
  readonly observations: Observations;
  /** The accounts besides the home account. */
  readonly accounts?: Accounts | undefined;
  readonly now: Clock;
  readonly log: Log;
};

type Republished = { readonly resourceId: string; readonly account: string };

/**
 * Where a republication was requested, has the normaliser republish the status of every VM of the target, at a fixed rate from the start of
 * the listing. A page that is listed again sends requests with the same time, which the normaliser answers once.
 */
export const requestRepublications = ({ resourceStore, observations, accounts = {}, now, log }: Parts) => {
  const others = new Set(Object.values(accounts).map(({ id }) => id));
  const isIn = (target: Target, { account }: Republished): boolean =>
    target.account === undefined ? !others.has(account) : account === target.account;

  return {
    /** The living resources of a page. */
    async living(kind: Kind, listing: Listing, page: readonly ListedResource[]): Promise<void> {
      const living = page.map(({ described }) => described).filter(({ state }) => state !== finalState(kind));
      await send(listing, living, listing.seen);
    },

    /**
     * After a complete listing: the resources that ended since the hour before the last republication, as far as the resource store has them,
     * which is a week. It reads the whole table; VMs that it has not read after five seconds are left out, with a warning.
     */
    async ended(kind: Kind, listing: Listing): Promise<void> {
      const { target, republishAt, republishedAt } = listing;
      if (republishAt === undefined) return;
      const untilMs = now() + readEndedWithinMs;
      const since = Math.max(0, republishedAt - overlapSeconds);
      let { seen } = listing;
      let token: string | undefined;
      do {
        const page = await resourceStore.ended({ kind, region: target.region, since, token });
        const ended = page.resources.filter((one) => isIn(target, one));
        await send(listing, ended, seen);
        seen += ended.length;
        token = page.next;
      } while (token !== undefined && now() < untilMs);
      if (token !== undefined)
        log.warn('the resource store could not be read in time; some ended VMs are not republished', {
          region: loggedTarget(accounts, target),
        });
    },
  };

  /** `before`: how many VMs of the listing were sent before these. */
  async function send(listing: Listing, vms: readonly Republished[], before: number): Promise<void> {
    const { target, republishAt: at, startedAtMs } = listing;
    if (at === undefined) return;
    const events = vms.map(({ resourceId, account }) =>
      republicationRequestedEvent({ 'instance-id': resourceId, region: target.region, account, at }),
    );
    const passedSeconds = Math.floor((now() - startedAtMs) / 1000);
    for (let start = 0; start < events.length; start += vmsPerSecond) {
      const delaySeconds = Math.floor((before + start) / vmsPerSecond) - passedSeconds;
      await observations.send(
        events.slice(start, start + vmsPerSecond),
        Math.min(Math.max(delaySeconds, 0), longestDelaySeconds),
      );
    }
  }
};
