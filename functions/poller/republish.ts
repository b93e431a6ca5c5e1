import type { Vm } from '../../shared/domain/vm.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet } from '../../shared/ports/fleet.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import { statusWantedEvent } from '../../shared/wire/status-wanted.ts';
import type { Republished, RepublishRequest } from './request.ts';

/** What the normaliser and NATS take beside everything else. */
const vmsPerSecond = 100;
/** SQS holds a message back for no longer. */
const longestDelaySeconds = 900;
/** No further page after so long: one of a thousand VMs has to fit into what is left of the function's time-out. */
const patienceMs = 4_000;

type Parts = {
  readonly fleet: Fleet;
  readonly listings: Listings;
  readonly observations: Observations;
  readonly now: Clock;
};

/**
 * Asks the normaliser to tell once more the status of every living VM that the region's last listing showed, so many a second. A region
 * that is too large for one invocation is gone on with by `next`.
 */
export const republish =
  ({ fleet, listings, observations, now }: Parts) =>
  async (request: RepublishRequest): Promise<Republished> => {
    const beganMs = now();
    const { region, at = Math.floor(beganMs / 1000), page: first = 0 } = request;
    let queued = request.queued ?? 0;
    const delaySeconds = () => Math.max(0, at + Math.floor(queued / vmsPerSecond) - Math.floor(now() / 1000));

    const pages = await listings.pages(region);
    for (let page = first; page < pages; page++) {
      const isTooLong = now() - beganMs >= patienceMs || delaySeconds() + pageSeconds > longestDelaySeconds;
      if (isTooLong) return { queued, next: { do: 'republish', region, at, page, queued } };
      await queue(await living(await listings.members(region, page)));
    }
    return { queued };

    async function living(instanceIds: readonly string[]): Promise<Vm[]> {
      const remembered = await fleet.recall(instanceIds);
      return [...remembered.values()].flatMap((held) =>
        held.owner === 'us' && held.vm.state !== 'terminated' ? [held.vm] : [],
      );
    }

    async function queue(vms: readonly Vm[]) {
      const events = vms.map(({ instanceId, account }) =>
        statusWantedEvent({ 'instance-id': instanceId, region, account, at }),
      );
      while (events.length > 0) {
        const thisSecond = events.splice(0, vmsPerSecond - (queued % vmsPerSecond));
        await observations.send(thisSecond, delaySeconds());
        queued += thisSecond.length;
      }
    }
  };

/** A page has up to a thousand VMs. */
const pageSeconds = 1000 / vmsPerSecond;
