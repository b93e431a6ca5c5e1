import { describe, expect, it } from 'vitest';
import { handleRequest } from '../../../functions/poller/handle-request.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, ourTags, tagKeys } from '../../fixtures/resource-messages.ts';

const targets = [
  { target: { region: 'us-east-1' }, mode: 'legacy' },
  { target: { region: 'eu-west-1' }, mode: 'streaming' },
] as const;

const setup = () => {
  const clock = { ms: halfPastTen * 1000 };
  const now = () => clock.ms;
  const listings = memoryListings(now);
  const log = memoryLog();
  const instances = scriptedInstances(described({ tags: ourTags, launchedAtMs: 0 }));
  const answer = handleRequest({
    ...{ targets, provider: 'ec2-sp', tagKeys, floorSeconds: 10 },
    ...{
      resourceStore: memoryResourceStore(now),
      listings,
      types: [servedVms(instances)],
      observations: { send: async () => undefined },
    },
    ...{ now, random: () => 0, meter: countingMeter(), log },
  });
  return { answer, clock, listings, log };
};

describe('request to the poller', () => {
  it('is answered with a plan', async () => {
    const { answer } = setup();

    expect(await answer({ do: 'plan', execution: 'one' })).toMatchObject({ next: 'poll', waitSeconds: 0 });
  });

  it('lists a region, without an answer', async () => {
    const { answer } = setup();

    expect(await answer({ do: 'poll', region: 'eu-west-1' })).toBeUndefined();
  });

  it('requests the republication of a region, which is then due at once', async () => {
    const { answer, clock } = setup();
    for (const { target } of targets) await answer({ do: 'poll', region: target.region });
    clock.ms += 5_000;
    const before = await answer({ do: 'plan', execution: 'one' });

    expect(await answer({ do: 'republish', region: 'eu-west-1' })).toEqual({ wanted: true });

    expect(before).toMatchObject({ waitSeconds: 5 });
    expect(await answer({ do: 'plan', execution: 'one' })).toMatchObject({
      regions: [{ region: 'eu-west-1' }],
      waitSeconds: 0,
    });
  });

  it('releases a breaker and logs it, and answers false where none has tripped', async () => {
    const { answer, listings, log, clock } = setup();
    await answer({ do: 'poll', region: 'eu-west-1' });
    const without = await answer({ do: 'release', region: 'eu-west-1' });
    clock.ms += 600_000;
    const listing = await listings.lease({ region: 'eu-west-1' }, { floorMs: 0, leaseMs: 1 });
    if (listing) await listings.save({ ...listing, breakerSinceMs: 1 }, { token: undefined, dueAtMs: 0 });

    expect([without, await answer({ do: 'release', region: 'eu-west-1' })]).toEqual([
      { released: false },
      { released: true },
    ]);
    expect(log.lines).toEqual(['warn: an operator released the breaker of a region']);
  });

  it('reports for every region the last listing, the interval, the breaker and the republication', async () => {
    const { answer, listings, clock } = setup();
    await answer({ do: 'poll', region: 'us-east-1' });
    await answer({ do: 'republish', region: 'us-east-1' });
    const listedAt = new Date(clock.ms).toISOString();
    const listing = await listings.lease({ region: 'eu-west-1' }, { floorMs: 0, leaseMs: 1 });
    const breakerSinceMs = clock.ms - 60_000;
    if (listing) {
      await listings.save(
        { ...listing, seen: 7, intervalSeconds: 60, breakerSinceMs },
        { token: undefined, dueAtMs: 0 },
      );
    }

    expect(await answer({ do: 'regions' })).toEqual({
      regions: [
        {
          region: 'us-east-1',
          lastListedAt: listedAt,
          intervalSeconds: 10,
          instances: 1,
          republishWanted: true,
        },
        {
          region: 'eu-west-1',
          lastListedAt: listedAt,
          intervalSeconds: 60,
          instances: 7,
          breakerSince: new Date(breakerSinceMs).toISOString(),
          republishWanted: false,
        },
      ],
    });
  });

  it('reports a region that was never listed without a time', async () => {
    const { answer } = setup();

    expect(await answer({ do: 'regions' })).toMatchObject({
      regions: [{ region: 'us-east-1', intervalSeconds: 0, instances: 0, republishWanted: false }, {}],
    });
  });

  it.each([
    { request: { do: 'republish', region: 'mars-1' }, says: 'mars-1 is not polled' },
    { request: { do: 'release', region: 'mars-1' }, says: 'mars-1 is not polled' },
    { request: { do: 'republish' }, says: 'not a request to the poller' },
    {
      request: { do: 'poll', region: 'mars-1' },
      says: 'mars-1 is not polled; expected one of us-east-1, eu-west-1',
    },
    { request: { do: 'dance' }, says: 'not a request to the poller' },
    { request: undefined, says: 'not a request to the poller' },
  ])('is refused: $request', async ({ request, says }) => {
    await expect(setup().answer(request)).rejects.toThrow(says);
  });
});
