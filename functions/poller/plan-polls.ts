import type { Clock } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { PolledRegion } from './env.ts';
import type { Plan } from './request.ts';

const longestWaitSeconds = 300;
/** An execution that does not plan for this long after its wait is dead, and the watchdog's next one takes over. */
const graceMs = 60_000;
/** A turn adds 13 events to an execution's history, and up to 15 for each region that fails; it ends at 25,000. */
const historyBudget = 20_000;
const eventsPerTurn = 13;
const eventsPerRegion = 15;

type Parts = { readonly listings: Listings; readonly regions: readonly PolledRegion[]; readonly now: Clock };

/** Says when the next regions are due and which, for the one execution that is in charge. */
export const planPolls =
  ({ listings, regions, now }: Parts) =>
  async (execution: string): Promise<Plan> => {
    const due = await listings.due(regions.map(({ region }) => region));
    const soonest = Math.min(now() + longestWaitSeconds * 1000, ...due.values());
    const wakeAtMs = Math.max(soonest, now());
    const waitSeconds = Math.ceil((wakeAtMs - now()) / 1000);
    const turns = await listings.takeCharge(execution, waitSeconds * 1000 + graceMs);
    if (turns === undefined) return { next: 'stop', regions: [], waitSeconds: 0 };

    const wakeUpMs = now() + waitSeconds * 1000;
    const dueRegions = regions.filter(({ region }) => (due.get(region) ?? 0) <= wakeUpMs);
    if (turns * (eventsPerTurn + eventsPerRegion * regions.length) > historyBudget) {
      await listings.resign(execution);
      return { next: 'handover', regions: [], waitSeconds: 0 };
    }
    return { next: 'poll', regions: dueRegions.map(({ region }) => ({ region })), waitSeconds };
  };
