import { describe, expect, it } from 'vitest';
import { PollerRequest, poller } from '../../../functions/poller/handle-request.ts';
import { startStateMachine } from '../../../local/emulators/step-functions/start-state-machine.ts';
import type { Listings } from '../../../shared/ports/listings.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, ourTags, tagKeys } from '../../fixtures/resource-messages.ts';
import { definition } from './scripted-poller.ts';

const floorSeconds = 10;
const requests = 300;
const regions = ['us-east-1', 'eu-west-1'];

/** Two executions, started at once, of the state machine with its poller; each request takes a second of their clock. */
const startTwo = async (planOf: (real: unknown) => unknown) => {
  const clock = { ms: halfPastTen * 1000 };
  const now = () => clock.ms;
  const begun: { readonly region: string; readonly atMs: number }[] = [];
  const planners = new Map<string, number>();
  let left = requests;
  const listings = noting(memoryListings(now), begun);
  const answer = poller({
    regions: regions.map((region) => ({ region, kind: 'legacy' })),
    ...{ provider: 'ec2-sp', tagKeys, floorSeconds, now, random: () => 0 },
    ...{ resourceStore: memoryResourceStore(now), listings, observations: { send: async () => undefined } },
    instances: scriptedInstances(described({ tags: ourTags, state: 'pending', launchedAtMs: clock.ms })),
    ...{ meter: countingMeter(), log: memoryLog() },
  });
  const invoke = async (_: string, payload: unknown): Promise<unknown> => {
    const request = PollerRequest.parse(payload);
    left -= 1;
    clock.ms += 1_000;
    if (request.do !== 'plan') return answer(request);
    planners.set(request.execution, (planners.get(request.execution) ?? 0) + 1);
    if (left <= 0) return { next: 'stop', regions: [], waitSeconds: 0 };
    return planOf(await answer(request));
  };
  const substitutions = { Partition: 'aws', Poller: 'poller' };
  const log = () => undefined;
  const machine = await startStateMachine({ definition, substitutions, secondMs: 0.01, log, invoke });
  machine.start();
  return { machine, begun, plans: () => [...planners.values()] };
};

/** Notes when each listing of a region is begun. */
const noting = (listings: Listings, begun: { region: string; atMs: number }[]): Listings => ({
  ...listings,
  take: async (region, timing) => {
    const listing = await listings.take(region, timing);
    if (listing && listing.token === undefined) begun.push({ region, atMs: listing.startedAtMs });
    return listing;
  },
});

const secondsBetween = (begun: readonly { region: string; atMs: number }[], region: string): number[] => {
  const times = begun.filter((one) => one.region === region).map(({ atMs }) => atMs);
  return times.slice(1).map((atMs, index) => (atMs - (times[index] ?? 0)) / 1000);
};

describe('two executions of the state machine at once', () => {
  const run = async (planOf: (real: unknown) => unknown) => {
    const two = await startTwo(planOf);
    await using _ = two.machine;
    const statuses = () => two.machine.executions().map(({ status }) => status);
    await expect.poll(statuses, { interval: 5, timeout: 20_000 }).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    return two;
  };

  it('are one after the first plan: the other is told to stop', async () => {
    const { plans, begun } = await run((real) => real);

    const [fewest, most] = plans().sort((a, b) => a - b);
    expect(fewest).toBe(1);
    expect(most).toBeGreaterThan(50);
    for (const region of regions)
      expect(Math.min(...secondsBetween(begun, region))).toBeGreaterThanOrEqual(floorSeconds);
  });

  it('never poll a region twice within the floor, though both take themselves to be in charge (C 42)', async () => {
    const everything = regions.map((region) => ({ region }));
    const { plans, begun } = await run(() => ({ next: 'poll', regions: everything, waitSeconds: 0 }));

    expect(Math.min(...plans())).toBeGreaterThan(10);
    for (const region of regions) {
      const between = secondsBetween(begun, region);
      expect(between.length).toBeGreaterThan(4);
      expect(Math.min(...between)).toBeGreaterThanOrEqual(floorSeconds);
    }
  });
});
