import { describe, expect, it } from 'vitest';
import { couldBeStale } from '../../../shared/domain/listing.ts';
import { idOf, minuteMs, polledRegion } from './region.ts';

const deleted = (told: readonly { status: string }[]) =>
  told.filter(({ status }) => status === 'DELETED').length;

describe('poller, listing a region', () => {
  it('tells what nobody has told, of every VM once', async () => {
    const region = polledRegion();
    region.add(1);
    region.add(2, { state: 'stopped' });

    await region.list();
    await region.listFor(20 * minuteMs);

    expect(region.told()).toMatchObject([
      { id: 'vm-1', status: 'RUNNING' },
      { id: 'vm-2', status: 'STOPPED' },
    ]);
  });

  it('tells a change once, and nothing of a hundred listings that show the same (C57)', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();

    region.change(1, { state: 'stopping' });
    await region.listFor(5 * minuteMs);
    region.change(1, { state: 'stopped' });
    await region.listFor(500 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);
  });

  it('reads nothing of the fleet for a page that has not changed', async () => {
    const region = polledRegion();
    for (let n = 0; n < 2_500; n++) region.add(n);
    await region.listFor(10 * minuteMs); // once for the news, once to see that they were taken
    const before = region.recalls();

    await region.listFor(15 * minuteMs);

    expect(region.recalls()).toBe(before);
    expect(region.meter.counts).toMatchObject({ pagesListed: 15, pagesUnchanged: 9 });
  });

  it('does not report an instance of another provider, or without a DCM id', async () => {
    const region = polledRegion();
    region.add(1, { tags: { 'managed-by': 'dcm', 'dcm-instance-id': 'vm-1', 'dcm-provider': 'another' } });
    region.add(2, { tags: { 'managed-by': 'dcm' } });

    await region.list();

    expect(region.told()).toEqual([]);
  });

  it('heals a change that followed another within seconds, though the gate takes a listing for older than it is', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();
    region.change(1, { state: 'stopping' });
    await region.listFor(10_000, 10_000);
    region.clock.ms -= 7_000; // the next listing comes three seconds later
    region.change(1, { state: 'stopped' });

    await region.listFor(60_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);
  });

  it('queues again what the normaliser did not take', async () => {
    const region = polledRegion();
    region.add(1);
    await region.listFor(10 * minuteMs);
    region.change(1, { state: 'stopping' });
    region.loseQueue();
    await region.list();

    await region.listFor(5 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING']);
  });

  it('does not believe a listing that may be older than what is held, until the held state is a minute old', async () => {
    const region = polledRegion();
    region.add(1, { state: 'stopped' });
    await region.list();
    region.change(1, { state: 'running' }); // two steps on, or one read that is late
    await region.listFor(10_000, 10_000);
    expect(region.statusesOf(1)).toEqual(['STOPPED']);

    await region.listFor(60_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['STOPPED', 'RUNNING']);
  });

  it('leaves a young instance to its events where there are any', async () => {
    const [streaming, legacy] = [polledRegion('streaming'), polledRegion('legacy')];
    for (const region of [streaming, legacy]) {
      region.add(1, { state: 'running', launchedAtMs: region.clock.ms - 30_000 });
      await region.list();
    }

    expect([streaming.statusesOf(1), legacy.statusesOf(1)]).toEqual([[], ['RUNNING']]);
    await streaming.listFor(5 * minuteMs);
    expect(streaming.statusesOf(1)).toEqual(['RUNNING']);
  });

  it('is never done by two workers at once, nor more often than the floor (C42)', async () => {
    const region = polledRegion();
    region.add(1);
    const workers = [region.worker(), region.worker(), region.worker()];

    for (let second = 0; second < 60; second++) {
      await Promise.all(workers.map((poll) => poll({ region: 'us-east-1', kind: 'legacy' })));
      region.clock.ms += 1_000;
    }

    expect(region.meter.counts.pagesListed).toBeLessThanOrEqual(6);
  });

  it('begins anew, later, after a page that failed (C44)', async () => {
    const region = polledRegion();
    region.add(1);
    region.instances.throttled = true;

    await expect(region.list()).rejects.toThrow('throttled');
    region.instances.throttled = false;
    await region.list();
    expect(region.told()).toEqual([]);
    await region.listFor(10_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING']);
  });
});

describe('poller, missing a VM', () => {
  it('takes it for deleted after three listings, ten minutes, and a question by its id', async () => {
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
    expect(deleted(region.told())).toBe(1);
  });

  it('does not within ten minutes, however often it is listed', async () => {
    const region = polledRegion();
    for (let n = 0; n < 20; n++) region.add(n);
    await region.list();
    region.forget(7);

    await region.listFor(9 * minuteMs, 10_000);

    expect(region.statusesOf(7)).toEqual(['RUNNING']);
  });

  it('does not where EC2 knows it by its id', async () => {
    const region = polledRegion();
    for (let n = 0; n < 20; n++) region.add(n);
    await region.list();
    region.distort(({ instances, nextToken }) => ({
      instances: instances.filter(({ instanceId }) => instanceId !== idOf(7)),
      nextToken,
    }));

    await region.listFor(120 * minuteMs);

    expect(deleted(region.told())).toBe(0);
  });

  it('does not where it only moved to another page', async () => {
    const region = polledRegion();
    for (let n = 0; n < 1_500; n++) region.add(n);
    await region.list();
    region.distort(({ instances, nextToken }) => ({ instances: instances.toReversed(), nextToken }));
    const first = region.instances.known.get(idOf(0));
    region.forget(0);
    if (first) region.instances.known.set(first.instanceId, first); // now the last of the last page

    await region.listFor(60 * minuteMs);

    expect(deleted(region.told())).toBe(0);
  });

  it('says nothing more of one that was terminated before EC2 forgot it', async () => {
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

  it('tells what became of one that EC2 still knows by its id', async () => {
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

describe('poller, with a listing that cannot be true', () => {
  it('deletes none of a region whose listing comes back empty (C2-3)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 50; n++) region.add(n);
    await region.list();
    region.distort(() => ({ instances: [], nextToken: undefined }));

    await region.listFor(180 * minuteMs);

    expect(deleted(region.told())).toBe(0);
    expect(region.meter.counts.breakerTripped).toBeGreaterThanOrEqual(1);
    expect(region.log.lines).toContain('error: so many VMs are missing that none is taken for deleted');
  });

  it('deletes many where ten minutes later EC2 does not know them by their ids either', async () => {
    const region = polledRegion();
    for (let n = 0; n < 50; n++) region.add(n);
    await region.list();
    for (let n = 0; n < 20; n++) region.forget(n);

    await region.listFor(20 * minuteMs);
    expect(deleted(region.told())).toBe(0);
    await region.listFor(15 * minuteMs);

    expect(deleted(region.told())).toBe(20);
    expect(region.meter.counts).toMatchObject({ breakerTripped: 1, vanished: 20 });
  });

  it('tells of more missing VMs than it can keep in mind by and by', async () => {
    const region = polledRegion();
    for (let n = 0; n < 5_000; n++) region.add(n);
    await region.list();
    for (let n = 0; n < 4_500; n++) region.forget(n);

    await region.listFor(120 * minuteMs);

    expect(deleted(region.told())).toBe(4_500);
  });

  it('deletes nothing by a listing that failed after some of its pages', async () => {
    const region = polledRegion();
    for (let n = 0; n < 2_500; n++) region.add(n);
    await region.list();
    let page = 0;
    region.distort((found) => {
      page += 1;
      if (page % 2 === 0) throw new Error('the connection was cut');
      return found;
    });

    for (let turn = 0; turn < 30; turn++) {
      region.clock.ms += 5 * minuteMs;
      await region.list().catch(() => undefined);
    }

    expect(deleted(region.told())).toBe(0);
  });

  it('rebuilds a fleet that was lost from the tags, and deletes nothing (C41)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 30; n++) region.add(n);
    await region.list();
    region.setFleet();
    region.add(30); // so that the page is looked at

    await region.listFor(60 * minuteMs);

    expect(deleted(region.told())).toBe(0);
    expect((await region.fleet().recall([idOf(3)])).get(idOf(3))).toMatchObject({
      owner: 'us',
      vm: { vmId: 'vm-3' },
    });
  });
});

describe('a listing', () => {
  it('that shows what follows the held state is believed at once', () => {
    expect(couldBeStale({ state: 'pending', at: 100 }, 'running', 101)).toBe(false);
    expect(couldBeStale({ state: 'running', at: 100 }, 'pending', 101)).toBe(true);
    expect(couldBeStale({ state: 'running', at: 100 }, 'pending', 160)).toBe(false);
  });
});
