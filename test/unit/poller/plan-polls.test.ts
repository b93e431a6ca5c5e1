import { describe, expect, it } from 'vitest';
import { planPolls } from '../../../functions/poller/handle-request.ts';
import { nextDue, nextInterval, paces } from '../../../shared/core/listing/interval.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

const regions = [
  { region: 'us-west-2', kind: 'legacy' },
  { region: 'eu-west-1', kind: 'streaming' },
] as const;
const floor = { floorMs: 10_000, leaseMs: 20_000 };

const setup = () => {
  const clock = { ms: halfPastTen * 1000 };
  const listings = memoryListings(() => clock.ms);
  const listed = async (region: string, dueInMs: number) => {
    const listing = await listings.take(region, floor);
    if (listing) await listings.save(listing, { token: undefined, dueAtMs: clock.ms + dueInMs });
  };
  return { clock, listings, listed, plan: planPolls({ listings, regions, now: () => clock.ms }) };
};

describe('plan of polls', () => {
  it('has every region at once that was never listed', async () => {
    const { plan } = setup();

    expect(await plan('one')).toEqual({
      next: 'poll',
      regions: [{ region: 'us-west-2' }, { region: 'eu-west-1' }],
      waitSeconds: 0,
    });
  });

  it('waits for the region that is due first, and names only who is due then', async () => {
    const { plan, listed } = setup();
    await listed('us-west-2', 9_500);
    await listed('eu-west-1', 30_000);

    expect(await plan('one')).toEqual({ next: 'poll', regions: [{ region: 'us-west-2' }], waitSeconds: 10 });
  });

  it('stops an execution while another is in charge, and lets it in once that one is dead', async () => {
    const { plan, listed, clock } = setup();
    for (const { region } of regions) await listed(region, 300_000);
    await plan('one');

    expect((await plan('two')).next).toBe('stop');
    clock.ms += 361_000;
    expect((await plan('two')).next).toBe('poll');
    expect((await plan('one')).next).toBe('stop');
  });

  it('hands over before an execution’s history is full, to a successor that takes charge at once', async () => {
    const { plan } = setup();
    const answers = new Set<string>();
    let turns = 0;
    for (; !answers.has('handover'); turns++) answers.add((await plan('one')).next);

    expect([...answers]).toEqual(['poll', 'handover']);
    expect(turns).toBeGreaterThan(400);
    expect(turns * (13 + 15 * regions.length)).toBeLessThan(25_000);
    expect((await plan('two')).next).toBe('poll');
  });
});

describe('interval between listings', () => {
  const minute = 60_000;
  const calm = { busy: false, lastBusyAtMs: 0, intervalSeconds: 10 };

  it('is the floor while something happens', () => {
    expect(nextInterval({ ...calm, busy: true, intervalSeconds: 300 }, paces.legacy(10), minute)).toBe(10);
    expect(nextInterval({ ...calm, busy: true }, paces.streaming(10), minute)).toBe(30);
    expect(nextInterval({ ...calm, busy: true }, paces.legacy(45), minute)).toBe(45);
  });

  it('grows to a minute, and to five when nothing has happened for five', () => {
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

  it('is its interval after the last listing began', () => {
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
