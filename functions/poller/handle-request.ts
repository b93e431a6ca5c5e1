import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import { type Accounts, listingKey, listingName } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ListedCollections } from '../../shared/ports/inventory.ts';
import type { ListingStatus, Listings } from '../../shared/ports/listings.ts';
import type { PolledRegion, PollingReport } from '../../shared/wire/polling.ts';
import type { PolledTarget } from './env.ts';
import { listCollection } from './list-collection.ts';
import { type PollParts, pollTarget } from './poll-target.ts';

/**
 * What the state machine (functions/poller/state-machine.asl.json), a schedule or a person asks of the poller. `region` is the key of a
 * listing (shared/core/target.ts): `eu-west-1` for the VMs of the home account, `container#eu-west-1` for its containers. A person may write
 * the alias of another account for its id: `prod/eu-west-1`. It is one text, because the state machine passes it on, and its executions outlive a deployment.
 */
export const PollerRequest = z.discriminatedUnion('do', [
  /** Which targets are due, and when. Only one execution of the state machine polls at a time. */
  z.object({ do: z.literal('plan'), execution: z.string() }),
  /** Lists one page of one target. */
  z.object({ do: z.literal('poll'), region: z.string() }),
  /** Republishes the status of every resource by the next listing, which is due at once. */
  z.object({ do: z.literal('republish'), region: z.string() }),
  /** Lets the next listing, which is due at once, confirm the deletions that the breaker holds back. */
  z.object({ do: z.literal('release'), region: z.string() }),
  /** How polling stands in all targets. */
  z.object({ do: z.literal('regions') }),
]);
export type PollerRequest = z.infer<typeof PollerRequest>;

export const Plan = z.object({
  /**
   * poll: wait, then poll `regions`. handover: the execution's history grows too long, so a new execution continues.
   * stop: another execution polls.
   */
  next: z.enum(['poll', 'handover', 'stop']),
  /** Due once `waitSeconds` have passed; keys of listings. */
  regions: z.array(z.object({ region: z.string() })),
  /** 0 to 300. */
  waitSeconds: z.int(),
});
export type Plan = z.infer<typeof Plan>;

type Answer =
  | Plan
  | { readonly wanted: true }
  /** False where the breaker had not tripped. */
  | { readonly released: boolean }
  | PollingReport;

type Parts = PollParts & {
  readonly targets: readonly PolledTarget[];
  /** The collections that only the inventory has, and the time between two of their listings. */
  readonly collections?: { readonly lists: ListedCollections; readonly seconds: number } | undefined;
};

/** @throws UnreadableError for anything that is no request, and for a target that is not polled. */
export const handleRequest = (parts: Parts) => {
  const { listings, targets, accounts = {}, log, now } = parts;
  const plan = planPolls(parts);
  const poll = pollTarget(parts);
  const listFurther =
    parts.collections &&
    listCollection({
      ...{ ...parts, inventory: parts.inventory },
      ...{ collections: parts.collections.lists, seconds: parts.collections.seconds },
    });

  return async (given: unknown): Promise<Answer | undefined> => {
    const parsed = PollerRequest.safeParse(given);
    if (!parsed.success) throw new UnreadableError(`not a request to the poller: ${reasonOf(parsed.error)}`);
    const request = parsed.data;
    if (request.do === 'plan') return plan(request.execution);
    if (request.do === 'regions') return report();
    const polled = polledTarget(request.region);
    if (request.do === 'republish') return republish(polled);
    if (request.do === 'release') return release(polled);
    await (polled.target.collection === undefined ? poll(polled) : listFurther?.(polled));
    return undefined;
  };

  function polledTarget(key: string): PolledTarget {
    const polled = targets.find(({ target }) =>
      [listingKey(target), listingName(accounts, target)].includes(key),
    );
    if (polled) return polled;
    const expected = targets.map(({ target }) => listingName(accounts, target)).join(', ');
    throw new UnreadableError(`${key} is not polled; expected one of ${expected}`);
  }

  async function republish({ target }: PolledTarget): Promise<Answer> {
    await listings.requestRepublication(target, Math.floor(now() / 1000));
    return { wanted: true };
  }

  async function release({ target }: PolledTarget): Promise<Answer> {
    const released = await listings.releaseBreaker(target);
    if (released)
      log.warn('an operator released the breaker of a region', {
        region: listingName(accounts, target),
      });
    return { released };
  }

  async function report(): Promise<Answer> {
    const statuses = await listings.status(targets.map(({ target }) => target));
    return { regions: statuses.map((status) => reportOf(accounts, status)) };
  }
};

const reportOf = (accounts: Accounts, status: ListingStatus): PolledRegion => {
  const { target, listedAtMs, intervalSeconds, instances, breakerSinceMs, republicationRequestedAt } = status;
  return {
    region: listingName(accounts, target),
    ...{ intervalSeconds, instances },
    ...(listedAtMs !== undefined && { lastListedAt: new Date(listedAtMs).toISOString() }),
    ...(breakerSinceMs !== undefined && { breakerSince: new Date(breakerSinceMs).toISOString() }),
    republishWanted: republicationRequestedAt !== undefined,
  };
};

const longestWaitSeconds = 300;
/** An execution that does not plan for this long after its wait has ended, and the watchdog's next one continues. */
const graceMs = 60_000;
/** Three rounds of the 40 that a Map state has at once, so that a turn ends within the lease also where every target fails. */
const mostAtOnce = 120;
/** A polling turn adds 13 events to an execution's history, and up to 15 for each target that fails; the limit is 25,000. */
const historyBudget = 20_000;
const eventsPerTurn = 13;
const eventsPerTarget = 15;
/** A turn waits for its slowest listing, and the collections of all targets are due at the same time: the rest of them follows next turn. */
const collectionsPerTurn = 5;

type PlanPollsParts = {
  readonly listings: Listings;
  readonly targets: readonly PolledTarget[];
  readonly now: Clock;
};

/** Answers when the next targets are due and which, to the one execution that polls. */
export const planPolls =
  ({ listings, targets, now }: PlanPollsParts) =>
  async (execution: string): Promise<Plan> => {
    const mostPerTurn = ofOneTurn(targets).length;
    const due = await listings.due(targets.map(({ target }) => target));
    const soonest = Math.min(now() + longestWaitSeconds * 1000, ...due.values());
    const waitSeconds = Math.ceil((Math.max(soonest, now()) - now()) / 1000);
    const turns = await listings.leasePolling(execution, waitSeconds * 1000 + graceMs);
    if (turns === undefined) return { next: 'stop', regions: [], waitSeconds: 0 };

    if (turns * (eventsPerTurn + eventsPerTarget * mostPerTurn) > historyBudget) {
      await listings.releasePolling(execution);
      return { next: 'handover', regions: [], waitSeconds: 0 };
    }
    const wakeUpMs = now() + waitSeconds * 1000;
    const dueMs = ({ target }: PolledTarget) => due.get(listingKey(target)) ?? 0;
    const dueThen = targets.filter((polled) => dueMs(polled) <= wakeUpMs);
    const longestDue = ofOneTurn(dueThen.toSorted((a, b) => dueMs(a) - dueMs(b)));
    return {
      next: 'poll',
      regions: longestDue.map(({ target }) => ({ region: listingKey(target) })),
      waitSeconds,
    };
  };

const ofOneTurn = (targets: readonly PolledTarget[]): readonly PolledTarget[] => [
  ...targets.filter(({ target }) => target.collection === undefined).slice(0, mostAtOnce),
  ...targets.filter(({ target }) => target.collection !== undefined).slice(0, collectionsPerTurn),
];
