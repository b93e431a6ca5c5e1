import { describe, expect, it } from 'vitest';
import { polledRegion } from './region.ts';

/** A quiet region, whose pages are not looked at any more. */
const quiet = async (...numbers: readonly number[]) => {
  const region = polledRegion();
  for (const n of numbers) region.add(n);
  await region.listFor(10 * 60_000);
  return region;
};

const wanted = ({ queued }: ReturnType<typeof polledRegion>) =>
  queued.filter((event) => event['detail-type'] === 'VM Status Wanted');

describe('poller with a requested republication', () => {
  it('republishes the last status of every living VM, although its page has not changed', async () => {
    const region = polledRegion();
    region.add(1);
    region.add(2, { state: 'stopped', reason: { code: 'Server.ScheduledStop' } });
    region.add(3, { state: 'terminated', reason: { code: 'Client.UserInitiatedShutdown' } });
    region.add(4, { tags: { 'managed-by': 'dcm', 'dcm-instance-id': 'theirs', 'dcm-provider': 'other' } });
    await region.listFor(10 * 60_000);
    const [before, reads] = [region.published(), region.reads()];

    await region.requestRepublication();
    await region.listFor(60_000, 60_000);

    const living = before.filter(({ status }) => status !== 'DELETED');
    const ended = before.filter(({ status }) => status === 'DELETED');
    expect(region.published().slice(before.length)).toEqual([...living, ...ended]);
    expect(living.map(({ status }) => status)).toEqual(['RUNNING', 'STOPPED']);
    expect(region.reads()).toBe(reads);
  });

  it('republishes once every VM that ended since the last republication, also where EC2 has dropped it', async () => {
    const region = await quiet(1, 2);
    region.change(2, { state: 'terminated', reason: { code: 'Client.UserInitiatedShutdown' } });
    await region.listFor(10 * 60_000);
    region.forget(2);
    region.clock.ms += 2 * 3_600_000;
    await region.requestRepublication();
    await region.listFor(60_000, 60_000);
    region.clock.ms += 6 * 3_600_000;

    await region.requestRepublication();
    await region.listFor(60_000, 60_000);

    expect(region.statusesOf(2)).toEqual(['RUNNING', 'DELETED', 'DELETED']);
  });

  it('republishes once for all requests before the listing', async () => {
    const region = await quiet(1);

    await region.requestRepublication();
    region.clock.ms += 3_000;
    await region.requestRepublication();
    await region.listFor(50 * 60_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'RUNNING']);
  });

  it('republishes once more for a request during the listing', async () => {
    const region = polledRegion();
    for (let n = 1; n <= 1_001; n++) region.add(n);
    await region.listFor(10 * 60_000);
    await region.requestRepublication();
    region.clock.ms += 60_000;
    await region.poll();
    region.clock.ms += 1_000;
    await region.requestRepublication();

    await region.list();
    await region.listFor(20_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
    expect(region.statusesOf(1_001)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
  });

  it('publishes the next change after it, also one from before the request', async () => {
    const region = await quiet(1);
    region.change(1, { state: 'stopping' });
    region.clock.ms += 60_000;

    await region.requestRepublication();
    await region.list();

    expect(region.statusesOf(1).at(-1)).toBe('STOPPING');
  });

  it('publishes and republishes the first listing of a region that was never listed', async () => {
    const region = polledRegion();
    region.add(1);

    await region.requestRepublication();
    await region.list();
    await region.listFor(10 * 60_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'RUNNING']);
  });

  it('repeats the page of a worker that crashed, and republishes once', async () => {
    const region = await quiet(1);
    await region.requestRepublication();
    region.clock.ms += 10_000;
    region.listings.save = () => Promise.reject(new Error('the worker died'));
    await expect(region.poll()).rejects.toThrow('the worker died');
    region.listings.save = region.save;
    expect(wanted(region)).toHaveLength(1);

    await region.listFor(60_000, 30_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'RUNNING']);
  });

  it('spreads the VMs over time, a hundred a second from the start of the listing', async () => {
    const region = polledRegion();
    for (let n = 1; n <= 2_250; n++) region.add(n);
    await region.listFor(10 * 60_000);
    region.delays.length = 0;
    await region.requestRepublication();
    region.clock.ms += 10_000;

    await region.poll();
    region.clock.ms += 4_000;
    await region.poll();
    await region.poll();

    const seconds = Array.from({ length: 2_250 }, (_, n) => Math.floor(n / 100));
    expect(region.delays).toEqual(seconds.map((second, n) => (n < 1_000 ? second : second - 4)));
  });
});
