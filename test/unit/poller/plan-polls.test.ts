import { describe, expect, it } from 'vitest';
import { planPolls } from '../../../functions/poller/handle-request.ts';
import { nextDue, nextInterval, paces } from '../../../shared/core/listing/interval.ts';
import { targetOfKey } from '../../../shared/core/target.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

const targets = [
  { target: { region: 'us-west-2' }, mode: 'legacy' },
  { target: { region: 'eu-west-1' }, mode: 'streaming' },
] as const;
const floor = { floorMs: 10_000, leaseMs: 20_000 };

const setup = () => {
  const clock = { ms: halfPastTen * 1000 };
  const listings = memoryListings(() => clock.ms);
  const listed = async (region: string, dueInMs: number) => {
    const listing = await listings.lease({ region }, floor);
    if (listing) await listings.save(listing, { token: undefined, dueAtMs: clock.ms + dueInMs });
  };
  return { clock, listings, listed, plan: planPolls({ listings, targets, now: () => clock.ms }) };
};

describe('plan of polls', () => {
  it('has every region that was never listed, without a wait', async () => {
    const { plan } = setup();

    expect(await plan('one')).toEqual({
      next: 'poll',
      regions: [{ region: 'us-west-2' }, { region: 'eu-west-1' }],
      waitSeconds: 0,
    });
  });

  it('waits for the region that is due first, and has only the regions due then', async () => {
    const { plan, listed } = setup();
    await listed('us-west-2', 9_500);
    await listed('eu-west-1', 30_000);

    expect(await plan('one')).toEqual({ next: 'poll', regions: [{ region: 'us-west-2' }], waitSeconds: 10 });
  });

  it('stops an execution while another one has the lease, and continues once the lease has ended', async () => {
    const { plan, listed, clock } = setup();
    for (const { target } of targets) await listed(target.region, 300_000);
    await plan('one');

    expect((await plan('two')).next).toBe('stop');
    clock.ms += 361_000;
    expect((await plan('two')).next).toBe('poll');
    expect((await plan('one')).next).toBe('stop');
  });

  it('tells the same region of two accounts apart, by the keys of the targets', async () => {
    const { listings, listed, clock } = setup();
    const other = { account: '222222222222', region: 'us-west-2' };
    const both = [...targets.slice(0, 1), { target: other, mode: 'legacy' as const }];
    await listed('us-west-2', 30_000);

    const plan = await planPolls({ listings, targets: both, now: () => clock.ms })('one');

    expect(plan).toMatchObject({ regions: [{ region: '222222222222/us-west-2' }], waitSeconds: 0 });
  });

  it('has a few collections of the inventory at once, so that other listings are not held up', async () => {
    const { listings, clock } = setup();
    const collections = Array.from({ length: 8 }, (_, index) => ({
      target: { region: `region-${index}`, collection: 'volumes' as const },
      mode: 'legacy' as const,
    }));
    const plan = planPolls({ listings, targets: [...collections, ...targets], now: () => clock.ms });
    const planned = async () => (await plan('one')).regions.map(({ region }) => region);
    const first = await planned();
    for (const { target } of [...collections.slice(0, 5), ...targets]) {
      const listing = await listings.lease(target, floor);
      if (listing) await listings.save(listing, { token: undefined, dueAtMs: clock.ms + 300_000 });
    }

    expect(first).toHaveLength(7);
    expect(first.slice(0, 2)).toEqual(['us-west-2', 'eu-west-1']);
    expect(await planned()).toEqual(collections.slice(5).map(({ target }) => `volumes#${target.region}`));
  });

  it('has the longest due targets, no more than a turn can list, and all of them in the end', async () => {
    const { listings, clock } = setup();
    const many = Array.from({ length: 1_600 }, (_, place) => ({
      target: { account: String(222222222222 + place), region: 'us-west-2' },
      mode: 'legacy' as const,
    }));
    const plan = planPolls({ listings, targets: many, now: () => clock.ms });
    const polled = new Set<string>();

    for (let turn = 0; turn < 20; turn++) {
      const { next, regions } = await plan(`execution ${turn}`);
      if (next !== 'poll') throw new Error(`turn ${turn}: ${next}`);
      expect(regions.length).toBeLessThanOrEqual(120);
      for (const { region } of regions) {
        polled.add(region);
        const listing = await listings.lease(targetOfKey(region), floor);
        if (listing) await listings.save(listing, { token: undefined, dueAtMs: clock.ms + 300_000 });
      }
      clock.ms += 10_000;
      await listings.releasePolling(`execution ${turn}`);
    }
    expect(polled.size).toBe(many.length);
  });

  it('hands over to a new execution before the history is full', async () => {
    const { plan } = setup();
    const answers = new Set<string>();
    let turns = 0;
    for (; !answers.has('handover'); turns++) answers.add((await plan('one')).next);

    expect([...answers]).toEqual(['poll', 'handover']);
    expect(turns).toBeGreaterThan(400);
    expect(turns * (13 + 15 * targets.length)).toBeLessThan(25_000);
    expect((await plan('two')).next).toBe('poll');
  });
});

describe('interval between listings', () => {
  const minute = 60_000;
  const calm = { busy: false, lastBusyAtMs: 0, intervalSeconds: 10 };

  it('is the floor while something changes', () => {
    expect(nextInterval({ ...calm, busy: true, intervalSeconds: 300 }, paces.legacy(10), minute)).toBe(10);
    expect(nextInterval({ ...calm, busy: true }, paces.streaming(10), minute)).toBe(30);
    expect(nextInterval({ ...calm, busy: true }, paces.legacy(45), minute)).toBe(45);
  });

  it('grows to a minute, and to five minutes once nothing has changed for five minutes', () => {
    const growing = [10];
    for (let turn = 0; turn < 6; turn++)
      growing.push(nextInterval({ ...calm, intervalSeconds: growing.at(-1) ?? 0 }, paces.legacy(10), minute));

    expect(growing).toEqual([10, 15, 23, 35, 53, 60, 60]);
    expect(nextInterval({ ...calm, intervalSeconds: 60 }, paces.legacy(10), 5 * minute)).toBe(300);
  });
});

describe('when a region is due', () => {
  const grid = 300_000;
  const pace = paces.legacy(10);

  it('is its interval after the start of the last listing', () => {
    expect(nextDue(grid + 1_000, 60, pace)).toBe(grid + 61_000);
  });

  it('is the same moment for all quiet regions, but never within the floor', () => {
    expect([2_000, 150_000, 289_000].map((ms) => nextDue(grid + ms, 300, pace))).toEqual([
      2 * grid,
      2 * grid,
      2 * grid,
    ]);
    expect(nextDue(2 * grid - 3_000, 300, pace)).toBe(2 * grid + 7_000);
  });
});
