import { describe, expect, it } from 'vitest';
import { polledRegion } from './region.ts';

describe('poller, asked to have a region told again', () => {
  it('has every living VM told once more, with what was told last', async () => {
    const region = polledRegion();
    region.add(1);
    region.add(2, { state: 'stopped', reason: { code: 'Server.ScheduledStop' } });
    region.add(3, { state: 'terminated', reason: { code: 'Client.UserInitiatedShutdown' } });
    region.add(4, { tags: { 'managed-by': 'dcm', 'dcm-instance-id': 'theirs', 'dcm-provider': 'other' } });
    await region.list();
    const before = region.told();
    region.clock.ms += 60_000;

    expect(await region.republish()).toEqual({ queued: 2 });
    await region.normalise();

    const living = before.filter(({ status }) => status !== 'DELETED');
    expect(region.told().slice(before.length)).toEqual(living);
    expect(living.map(({ status }) => status)).toEqual(['RUNNING', 'STOPPED']);
  });

  it('has it told once for two requests of one second, and again a second later', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();

    await region.republish();
    await region.republish();
    await region.normalise();
    region.clock.ms += 1000;
    await region.republish();
    await region.normalise();

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
  });

  it('tells the next change after it, also where that happened before the request', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();
    region.clock.ms += 60_000;
    region.change(1, { state: 'stopping' });

    await region.republish();
    await region.list();

    expect(region.statusesOf(1).at(-1)).toBe('STOPPING');
  });

  it('is quiet about a region that was never listed', async () => {
    expect(await polledRegion().republish()).toEqual({ queued: 0 });
  });

  it('spreads the VMs over time, a hundred a second', async () => {
    const region = polledRegion();
    for (let n = 1; n <= 1250; n++) region.add(n);
    await region.list();
    region.delays.length = 0;

    expect(await region.republish()).toEqual({ queued: 1250 });

    expect(region.delays).toEqual(Array.from({ length: 1250 }, (_, n) => Math.floor(n / 100)));
  });

  it('goes on where it said, once SQS cannot hold messages back for longer', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();
    const at = region.clock.ms / 1000;

    const first = await region.republish({ queued: 89_100 });
    region.clock.ms += 60_000;
    const second = await region.republish({ at, queued: 89_100 });

    expect(first).toEqual({
      queued: 89_100,
      next: { do: 'republish', region: 'us-east-1', at, page: 0, queued: 89_100 },
    });
    expect(second).toEqual({ queued: 89_101 });
    expect(region.delays.at(-1)).toBe(831);
  });
});
