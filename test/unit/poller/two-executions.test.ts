import { describe, expect, it } from 'vitest';
import { handleRequest, PollerRequest } from '../../../functions/poller/handle-request.ts';
import { startStateMachine } from '../../../local/emulators/step-functions/start-state-machine.ts';
import type { Listings } from '../../../shared/ports/listings.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
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
  const started: { readonly region: string; readonly atMs: number }[] = [];
  const planners = new Map<string, number>();
  let left = requests;
  const listings = recordStarts(memoryListings(now), started);
  const answer = handleRequest({
    targets: regions.map((region) => ({ target: { region }, mode: 'legacy' })),
    ...{ provider: 'ec2-sp', tagKeys, floorSeconds, now, random: () => 0 },
    ...{ resourceStore: memoryResourceStore(now), listings, observations: { send: async () => undefined } },
    types: [
      servedVms(scriptedInstances(described({ tags: ourTags, state: 'pending', launchedAtMs: clock.ms }))),
    ],
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
  return { machine, started, plans: () => [...planners.values()] };
};

/** Records when each listing of a region starts. */
const recordStarts = (listings: Listings, started: { region: string; atMs: number }[]): Listings => ({
  ...listings,
  lease: async (target, timing) => {
    const listing = await listings.lease(target, timing);
    if (listing && listing.token === undefined)
      started.push({ region: target.region, atMs: listing.startedAtMs });
    return listing;
  },
});

const secondsBetween = (started: readonly { region: string; atMs: number }[], region: string): number[] => {
  const times = started.filter((one) => one.region === region).map(({ atMs }) => atMs);
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

  it('are one after the first plan, because the other one stops', async () => {
    const { plans, started } = await run((real) => real);

    const [fewest, most] = plans().sort((a, b) => a - b);
    expect(fewest).toBe(1);
    expect(most).toBeGreaterThan(50);
    for (const region of regions)
      expect(Math.min(...secondsBetween(started, region))).toBeGreaterThanOrEqual(floorSeconds);
  });

  it('never poll a region twice within the floor, even if both are planned for (C 42)', async () => {
    const everything = regions.map((region) => ({ region }));
    const { plans, started } = await run(() => ({ next: 'poll', regions: everything, waitSeconds: 0 }));

    expect(Math.min(...plans())).toBeGreaterThan(10);
    for (const region of regions) {
      const between = secondsBetween(started, region);
      expect(between.length).toBeGreaterThan(4);
      expect(Math.min(...between)).toBeGreaterThanOrEqual(floorSeconds);
    }
  });
});
