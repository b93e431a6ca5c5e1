import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ListingStatus, Listings } from '../../shared/ports/listings.ts';
import type { PolledRegion } from './env.ts';
import { type PollParts, pollTarget } from './poll-target.ts';

type Parts = PollParts & { readonly regions: readonly PolledRegion[] };

/**
 * Answers the state machine: what is due, and when; or lists a page of a region. Answers people: how the regions stand. And notes what
 * they want of a region, for its next listing to do.
 * @throws UnreadableError for anything else, and for a region that is not polled.
 */
export const poller = (parts: Parts) => {
  const { listings, log, now } = parts;
  const plan = planPolls(parts);
  const poll = pollTarget(parts);
  const report = reportRegions(parts);
  const polledRegion = (region: string): PolledRegion => {
    const polled = parts.regions.find((one) => one.region === region);
    if (!polled) throw new UnreadableError(`${region} is none of the regions that are polled`);
    return polled;
  };

  const republish = async (region: string) => {
    await listings.requestRepublication(region, Math.floor(now() / 1000));
    return { wanted: true } as const;
  };

  const release = async (region: string) => {
    const released = await listings.release(region);
    if (released) log.warn('an operator released the breaker of a region', { region });
    return { released };
  };

  return async (request: unknown): Promise<Answer | undefined> => {
    const parsed = PollerRequest.safeParse(request);
    if (!parsed.success) throw new UnreadableError(`not a request to the poller: ${reasonOf(parsed.error)}`);
    if (parsed.data.do === 'plan') return plan(parsed.data.execution);
    if (parsed.data.do === 'regions') return report();
    const polled = polledRegion(parsed.data.region);
    if (parsed.data.do === 'republish') return republish(polled.region);
    if (parsed.data.do === 'release') return release(polled.region);
    await poll(polled);
    return undefined;
  };
};

/** What the state machine (functions/poller/state-machine.asl.json), a schedule or a person asks of the poller. */
export const PollerRequest = z.discriminatedUnion('do', [
  /** Which regions are due, and when. `execution` is the state machine's execution, of which only one is in charge. */
  z.object({ do: z.literal('plan'), execution: z.string() }),
  /** One page of one region's listing. */
  z.object({ do: z.literal('poll'), region: z.string() }),
  /** Every living VM's status once more, by the region's next listing, which is due at once. */
  z.object({ do: z.literal('republish'), region: z.string() }),
  /** The VMs that the region's breaker holds back are to be judged now. */
  z.object({ do: z.literal('release'), region: z.string() }),
  /** How all regions stand. */
  z.object({ do: z.literal('regions') }),
]);
export type PollerRequest = z.infer<typeof PollerRequest>;

export const Plan = z.object({
  /**
   * poll: wait, then poll `regions`. handover: the history grows too long, so a new execution takes over.
   * stop: another execution is in charge.
   */
  next: z.enum(['poll', 'handover', 'stop']),
  /** Due once `waitSeconds` have passed. */
  regions: z.array(z.object({ region: z.string() })),
  /** 0 to 300. */
  waitSeconds: z.int(),
});
export type Plan = z.infer<typeof Plan>;

/** How polling stands in one region. Times are ISO 8601; what never happened is left out. */
export type RegionReport = {
  readonly region: string;
  readonly lastListedAt?: string;
  readonly intervalSeconds: number;
  /** Ours, in the last complete listing. */
  readonly instances: number;
  /** Since when so many VMs are missing that none of them is taken for deleted. */
  readonly breakerSince?: string;
  /** Every status is to be told once more, and is not yet asked for. */
  readonly republishWanted: boolean;
};

export type Answer =
  | Plan
  | { readonly wanted: true }
  /** False where no breaker holds back anything. */
  | { readonly released: boolean }
  | { readonly regions: readonly RegionReport[] };

const longestWaitSeconds = 300;
/** An execution that does not plan for this long after its wait is dead, and the watchdog's next one takes over. */
const graceMs = 60_000;
/** A turn adds 13 events to an execution's history, and up to 15 for each region that fails; it ends at 25,000. */
const historyBudget = 20_000;
const eventsPerTurn = 13;
const eventsPerRegion = 15;

type PlanPollsParts = {
  readonly listings: Listings;
  readonly regions: readonly PolledRegion[];
  readonly now: Clock;
};

/** Says when the next regions are due and which, for the one execution that is in charge. */
export const planPolls =
  ({ listings, regions, now }: PlanPollsParts) =>
  async (execution: string): Promise<Plan> => {
    const due = await listings.due(regions.map(({ region }) => region));
    const soonest = Math.min(now() + longestWaitSeconds * 1000, ...due.values());
    const wakeAtMs = Math.max(soonest, now());
    const waitSeconds = Math.ceil((wakeAtMs - now()) / 1000);
    const turns = await listings.leasePolling(execution, waitSeconds * 1000 + graceMs);
    if (turns === undefined) return { next: 'stop', regions: [], waitSeconds: 0 };

    const wakeUpMs = now() + waitSeconds * 1000;
    const dueRegions = regions.filter(({ region }) => (due.get(region) ?? 0) <= wakeUpMs);
    if (turns * (eventsPerTurn + eventsPerRegion * regions.length) > historyBudget) {
      await listings.releasePolling(execution);
      return { next: 'handover', regions: [], waitSeconds: 0 };
    }
    return { next: 'poll', regions: dueRegions.map(({ region }) => ({ region })), waitSeconds };
  };

type ReportRegionsParts = { readonly listings: Listings; readonly regions: readonly PolledRegion[] };

/** Tells people how polling stands in every region: above all what a breaker holds back. */
const reportRegions =
  ({ listings, regions }: ReportRegionsParts) =>
  async (): Promise<{ readonly regions: readonly RegionReport[] }> => ({
    regions: (await listings.status(regions.map(({ region }) => region))).map(reportOf),
  });

const reportOf = ({
  listedAtMs,
  breakerSinceMs,
  republishWantedAt,
  ...rest
}: ListingStatus): RegionReport => ({
  ...rest,
  ...(listedAtMs !== undefined && { lastListedAt: new Date(listedAtMs).toISOString() }),
  ...(breakerSinceMs !== undefined && { breakerSince: new Date(breakerSinceMs).toISOString() }),
  republishWanted: republishWantedAt !== undefined,
});
