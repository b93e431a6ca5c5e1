import type { Clock } from '../../shared/ports/clock.ts';
import type { Listing } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import { statusWantedEvent } from '../../shared/wire/status-wanted.ts';
import type { ListedVm } from './compare-page.ts';

/** What the normaliser and NATS take beside everything else. */
const vmsPerSecond = 100;
/** SQS holds a message back for no longer. */
const longestDelaySeconds = 900;

type Parts = { readonly observations: Observations; readonly now: Clock };

/**
 * Asks the normaliser, where that is wanted, to tell once more the status of a page's living VMs: so many a second, counted from the
 * beginning of the listing. A page that is done again asks with the same time, and is told once.
 */
export const tellAgain =
  ({ observations, now }: Parts) =>
  async (listing: Listing, vms: readonly ListedVm[]): Promise<void> => {
    const { region, republishAt: at, seen, startedAtMs } = listing;
    if (at === undefined) return;
    const events = vms
      .filter(({ instance }) => instance.state !== 'terminated')
      .map(({ instance: { instanceId, account } }) =>
        statusWantedEvent({ 'instance-id': instanceId, region, account, at }),
      );
    const passedSeconds = Math.floor((now() - startedAtMs) / 1000);
    for (let told = 0; told < events.length; told += vmsPerSecond) {
      const delaySeconds = Math.floor((seen + told) / vmsPerSecond) - passedSeconds;
      await observations.send(
        events.slice(told, told + vmsPerSecond),
        Math.min(Math.max(delaySeconds, 0), longestDelaySeconds),
      );
    }
  };
