import { describe, expect, it } from 'vitest';
import { poller } from '../../../functions/poller/handle-request.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, ourTags, tagKeys } from '../../fixtures/resource-messages.ts';

const regions = [
  { region: 'us-east-1', kind: 'legacy' },
  { region: 'eu-west-1', kind: 'streaming' },
] as const;

const setup = () => {
  const clock = { ms: halfPastTen * 1000 };
  const now = () => clock.ms;
  const listings = memoryListings(now);
  const log = memoryLog();
  const instances = scriptedInstances(described({ tags: ourTags, launchedAtMs: 0 }));
  const answer = poller({
    ...{ regions, provider: 'ec2-sp', tagKeys, floorSeconds: 10 },
    ...{
      resourceStore: memoryResourceStore(now),
      listings,
      instances,
      observations: { send: async () => undefined },
    },
    ...{ now, random: () => 0, meter: countingMeter(), log },
  });
  return { answer, clock, listings, log };
};

describe('poller', () => {
  it('answers a plan', async () => {
    const { answer } = setup();

    expect(await answer({ do: 'plan', execution: 'one' })).toMatchObject({ next: 'poll', waitSeconds: 0 });
  });

  it('lists a region, and answers nothing', async () => {
    const { answer } = setup();

    expect(await answer({ do: 'poll', region: 'eu-west-1' })).toBeUndefined();
  });

  it('notes that every status of a region is wanted once more, and has that region at once', async () => {
    const { answer, clock } = setup();
    for (const { region } of regions) await answer({ do: 'poll', region });
    clock.ms += 5_000;
    const before = await answer({ do: 'plan', execution: 'one' });

    expect(await answer({ do: 'republish', region: 'eu-west-1' })).toEqual({ wanted: true });

    expect(before).toMatchObject({ waitSeconds: 5 });
    expect(await answer({ do: 'plan', execution: 'one' })).toMatchObject({
      regions: [{ region: 'eu-west-1' }],
      waitSeconds: 0,
    });
  });

  it('releases a breaker that holds, and says so in its log; and says where none does', async () => {
    const { answer, listings, log, clock } = setup();
    await answer({ do: 'poll', region: 'eu-west-1' });
    const without = await answer({ do: 'release', region: 'eu-west-1' });
    clock.ms += 600_000;
    const listing = await listings.take('eu-west-1', { floorMs: 0, leaseMs: 1 });
    if (listing) await listings.save({ ...listing, breakerSinceMs: 1 }, { token: undefined, dueAtMs: 0 });

    expect([without, await answer({ do: 'release', region: 'eu-west-1' })]).toEqual([
      { released: false },
      { released: true },
    ]);
    expect(log.lines).toEqual(['warn: an operator released the breaker of a region']);
  });

  it('tells how every region stands: when it was listed, how often, what is held back and what is wanted', async () => {
    const { answer, listings, clock } = setup();
    await answer({ do: 'poll', region: 'us-east-1' });
    await answer({ do: 'republish', region: 'us-east-1' });
    const listedAt = new Date(clock.ms).toISOString();
    const listing = await listings.take('eu-west-1', { floorMs: 0, leaseMs: 1 });
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

  it('tells of a region that was never listed just that', async () => {
    const { answer } = setup();

    expect(await answer({ do: 'regions' })).toMatchObject({
      regions: [{ region: 'us-east-1', intervalSeconds: 0, instances: 0, republishWanted: false }, {}],
    });
  });

  it.each([
    { request: { do: 'republish', region: 'mars-1' }, says: 'mars-1 is none of the regions' },
    { request: { do: 'release', region: 'mars-1' }, says: 'mars-1 is none of the regions' },
    { request: { do: 'republish' }, says: 'not a request to the poller' },
    { request: { do: 'poll', region: 'mars-1' }, says: 'mars-1 is none of the regions that are polled' },
    { request: { do: 'dance' }, says: 'not a request to the poller' },
    { request: undefined, says: 'not a request to the poller' },
  ])('refuses $request', async ({ request, says }) => {
    await expect(setup().answer(request)).rejects.toThrow(says);
  });
});
