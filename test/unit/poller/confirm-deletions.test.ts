import { describe, expect, it } from 'vitest';
import { deletions, idOf, minuteMs, polledRegion } from './region.ts';

describe('poller with a missing VM', () => {
  it('publishes DELETED after three listings, ten minutes and a question for its id', async () => {
    const region = polledRegion();
    for (let n = 0; n < 20; n++) region.add(n);
    await region.list();
    region.forget(7);

    await region.listFor(10 * minuteMs);
    expect(region.statusesOf(7)).toEqual(['RUNNING']);
    expect(region.instances.calls).toEqual([]);
    await region.listFor(5 * minuteMs);

    expect(region.statusesOf(7)).toEqual(['RUNNING', 'DELETED']);
    expect(region.instances.calls).toEqual([[idOf(7)]]);
    await region.listFor(60 * minuteMs);
    expect(deletions(region.published())).toBe(1);
  });

  it('publishes DELETED also for a VM that was deleted while polling was stopped (C2 17)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 20; n++) region.add(n);
    await region.list();
    region.forget(7);
    region.clock.ms += 3 * 24 * 60 * minuteMs;

    await region.listFor(20 * minuteMs);

    expect(region.statusesOf(7)).toEqual(['RUNNING', 'DELETED']);
  });

  it('does not publish DELETED within ten minutes, even after many listings', async () => {
    const region = polledRegion();
    for (let n = 0; n < 20; n++) region.add(n);
    await region.list();
    region.forget(7);

    await region.listFor(9 * minuteMs, 10_000);

    expect(region.statusesOf(7)).toEqual(['RUNNING']);
  });

  it('does not publish DELETED while EC2 returns the VM by its id', async () => {
    const region = polledRegion();
    for (let n = 0; n < 20; n++) region.add(n);
    await region.list();
    region.distort(({ resources: instances, nextToken }) => ({
      resources: instances.filter(({ resourceId: instanceId }) => instanceId !== idOf(7)),
      nextToken,
    }));

    await region.listFor(120 * minuteMs);

    expect(deletions(region.published())).toBe(0);
  });

  it('does not publish DELETED for a VM that moved to another page', async () => {
    const region = polledRegion();
    for (let n = 0; n < 1_500; n++) region.add(n);
    await region.list();
    region.distort(({ resources: instances, nextToken }) => ({
      resources: instances.toReversed(),
      nextToken,
    }));
    const first = region.instances.known.get(idOf(0));
    region.forget(0);
    if (first) region.instances.known.set(first.resourceId, first); // now the last of the last page

    await region.listFor(60 * minuteMs);

    expect(deletions(region.published())).toBe(0);
  });

  it('publishes nothing more of a terminated VM that EC2 drops', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();
    const reason = {
      code: 'Client.UserInitiatedShutdown',
      message: 'Client.UserInitiatedShutdown: by the user',
    };
    region.change(1, { state: 'terminated', reason });
    await region.listFor(5 * minuteMs);
    region.forget(1);

    await region.listFor(60 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'DELETED']);
    expect(region.instances.calls).toEqual([]);
  });

  it('publishes how a VM ended that EC2 returns only by its id', async () => {
    const region = polledRegion();
    for (let n = 0; n < 20; n++) region.add(n);
    await region.list();
    const reason = {
      code: 'Server.SpotInstanceTermination',
      message: 'Server.SpotInstanceTermination: taken back',
    };
    region.change(7, { state: 'terminated', reason, tags: {} }); // its tags went with it

    await region.listFor(20 * minuteMs);

    expect(region.statusesOf(7)).toEqual(['RUNNING', 'FAILED']);
  });
});
