import type { Clock } from '../../shared/ports/clock.ts';
import type { Listing } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { republicationRequestedEvent } from '../../shared/wire/own-messages.ts';
import type { ListedVm } from './compare-page.ts';

/** What the normaliser and NATS take beside everything else. */
const vmsPerSecond = 100;
/** SQS holds a message back for no longer. */
const longestDelaySeconds = 900;
/** Less than what is left of the function's time-out after a page. */
const readEndedWithinMs = 5_000;
/** What was published shortly before the last republication may have been lost with it. */
const overlapSeconds = 3_600;

type Parts = {
  readonly resourceStore: Pick<ResourceStore, 'ended'>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

type Wanted = { readonly instanceId: string; readonly account: string };

/**
 * Asks the normaliser, where that is wanted, to tell once more the status of a region's VMs: so many a second, counted from the beginning
 * of the listing. A page that is done again asks with the same time, and is told once.
 */
export const requestRepublications = ({ resourceStore, observations, now, log }: Parts) => {
  return {
    /** The living VMs of a page. */
    async living(listing: Listing, vms: readonly ListedVm[]): Promise<void> {
      const living = vms.filter(({ instance }) => instance.state !== 'terminated');
      const instances = living.map(({ instance }) => instance);
      await want(listing, instances, listing.seen);
    },

    /**
     * After a complete listing: the VMs that have ended since the republication before, and in the hour before that, as far as the fleet
     * remembers them, which is a week. It reads the whole table; what it has not read within five seconds it leaves out, with a warning.
     */
    async ended(listing: Listing): Promise<void> {
      const { region, republishAt, republishedAt } = listing;
      if (republishAt === undefined) return;
      const untilMs = now() + readEndedWithinMs;
      const since = Math.max(0, republishedAt - overlapSeconds);
      let { seen } = listing;
      let token: string | undefined;
      do {
        const page = await resourceStore.ended({ region, since, token });
        const ended = page.resources.map(({ resourceId, account }) => ({ instanceId: resourceId, account }));
        await want(listing, ended, seen);
        seen += page.resources.length;
        token = page.next;
      } while (token !== undefined && now() < untilMs);
      if (token !== undefined)
        log.warn('the fleet table could not be read in time; some VMs that have ended are not republished', {
          region,
        });
    },
  };

  async function want(listing: Listing, vms: readonly Wanted[], before: number): Promise<void> {
    const { region, republishAt: at, startedAtMs } = listing;
    if (at === undefined) return;
    const events = vms.map(({ instanceId, account }) =>
      republicationRequestedEvent({ 'instance-id': instanceId, region, account, at }),
    );
    const passedSeconds = Math.floor((now() - startedAtMs) / 1000);
    for (let told = 0; told < events.length; told += vmsPerSecond) {
      const delaySeconds = Math.floor((before + told) / vmsPerSecond) - passedSeconds;
      await observations.send(
        events.slice(told, told + vmsPerSecond),
        Math.min(Math.max(delaySeconds, 0), longestDelaySeconds),
      );
    }
  }
};
