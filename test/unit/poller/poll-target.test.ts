import { describe, expect, it } from 'vitest';
import { couldBeStale } from '../../../shared/core/listing/doubt.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import { observed } from '../../fixtures/resource-messages.ts';
import { deletions, idOf, minuteMs, polledRegion } from './region.ts';

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

  it('tells a change once, and nothing of a hundred listings that show the same (C 57)', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();

    region.change(1, { state: 'stopping' });
    await region.listFor(5 * minuteMs);
    region.change(1, { state: 'stopped' });
    await region.listFor(500 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);
  });

  it('reads nothing of the fleet for a page that has not changed (C 64)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 2_500; n++) region.add(n);
    await region.listFor(10 * minuteMs); // once for the news, once to see that they were taken
    const before = region.recalls();

    await region.listFor(15 * minuteMs);

    expect(region.recalls()).toBe(before);
    expect(region.meter.counts).toMatchObject({ pagesListed: 15, pagesUnchanged: 9 });
  });

  it('reads the fleet once for a page that has changed, however many VMs are on it (C 64)', async () => {
    const [small, large] = [polledRegion(), polledRegion()];
    for (let n = 0; n < 10; n++) small.add(n);
    for (let n = 0; n < 1_000; n++) large.add(n);

    await Promise.all([small.list(), large.list()]);

    expect([small.recalls(), large.recalls()]).toEqual([1, 1]);
  });

  it('asks EC2 for as many pages as there are, and at most once more (C 43)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 10_000; n++) region.add(n);
    await region.list();
    const { listed } = region.instances;

    await region.listFor(5 * minuteMs);

    expect(region.instances.listed - listed).toBe(10);
    expect(region.instances.checked).toHaveLength(2);
    expect(region.instances.calls).toEqual([]);
  });

  it('skips and repeats nothing for good where VMs come and go between two pages (C 26)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 2_500; n++) region.add(n);
    await region.list();
    let [oldest, newest] = [0, 2_500];
    region.distort((page) => {
      for (let count = 0; count < 3; count++) {
        region.change(oldest++, { state: 'terminated' }); // EC2 forgets it by the next page
        region.forget(oldest - 1);
        region.add(newest++);
      }
      return page;
    });
    await region.listFor(30 * minuteMs);
    region.distort(undefined);

    await region.listFor(30 * minuteMs);

    const living = Array.from({ length: newest - oldest }, (_, n) => oldest + n);
    expect(living.filter((n) => region.statusesOf(n).join() !== 'RUNNING')).toEqual([]);
    expect(deletions(region.told())).toBe(oldest);
  });

  it.each([-600, 0, 600])(
    'tells STOPPED of what was stopped seconds after its launch, by a clock that is %i s off (C 37)',
    async (seconds) => {
      const region = polledRegion();
      const launchedAtMs = region.clock.ms + seconds * 1000;
      region.add(1, { state: 'pending', launchedAtMs });
      region.add(2, { state: 'stopped', launchedAtMs });
      await region.list();
      region.change(1, { state: 'stopped' });

      await region.listFor(80_000, 10_000);

      expect([region.statusesOf(1), region.statusesOf(2)]).toEqual([
        ['PROVISIONING', 'STOPPED'],
        ['STOPPED'],
      ]);
    },
  );

  it('reports STOPPED within the floor where the VM was stopped right after it came up', async () => {
    const region = polledRegion();
    region.add(1, { launchedAtMs: region.clock.ms - 30_000 });
    await region.list();
    region.change(1, { state: 'stopped' });

    await region.listFor(10_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPED']);
  });

  it('reports what changed twice between two listings where the events of the second change were lost', async () => {
    const region = polledRegion('streaming');
    const at = (seconds: number) => Math.floor(region.clock.ms / 1000) + seconds;
    region.add(1);
    await region.listFor(10 * minuteMs);
    await region.deliver([observed('stopped', 0, { resourceId: idOf(1), at: at(10) })]);
    region.change(1, { launchedAtMs: at(120) * 1000 }); // started again, and no event came

    await region.listFor(10 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPED', 'RUNNING']);
  });

  it('compares a page that looks unchanged with the fleet once an hour, and counts what it finds', async () => {
    const region = polledRegion('streaming');
    region.add(1);
    await region.listFor(10 * minuteMs);
    const at = Math.floor(region.clock.ms / 1000);
    await region.deliver([observed('stopping', 0, { resourceId: idOf(1), at })]); // the stop failed, and no event came
    await region.listFor(45 * minuteMs);
    const before = region.statusesOf(1);

    await region.listFor(20 * minuteMs);

    expect([before, region.statusesOf(1)]).toEqual([
      ['RUNNING', 'STOPPING'],
      ['RUNNING', 'STOPPING', 'RUNNING'],
    ]);
    expect(region.meter.counts).toMatchObject({ pagesCompared: 1, comparisonHealed: 1 });
  });

  it('takes a page for unchanged whatever the order of the instances and of their tags', async () => {
    const region = polledRegion();
    for (const n of [1, 2]) region.add(n);
    await region.listFor(10 * minuteMs);
    const before = region.recalls();
    region.distort(({ instances, ...page }) => ({
      ...page,
      instances: instances
        .map((one) => ({ ...one, tags: Object.fromEntries(Object.entries(one.tags).toReversed()) }))
        .toReversed(),
    }));

    await region.listFor(10 * minuteMs);

    expect(region.recalls()).toBe(before);
  });

  it('does not bring a VM back to life that is being deleted and still listed as it was (C2 4)', async () => {
    const region = polledRegion('streaming');
    region.add(1);
    await region.list();
    const at = Math.floor(region.clock.ms / 1000) + 5;
    await region.deliver([observed('shutting-down', 0, { resourceId: idOf(1), at })]);

    await region.listFor(60_000, 10_000);
    region.change(1, { state: 'terminated', reason: { code: 'Client.UserInitiatedShutdown' } });
    await region.listFor(10 * minuteMs, 10_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'DELETING', 'DELETED']);
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

  it('is never done by two workers at once, nor more often than the floor (C 42)', async () => {
    const region = polledRegion();
    region.add(1);
    const workers = [region.worker(), region.worker(), region.worker()];

    for (let second = 0; second < 60; second++) {
      await Promise.all(workers.map((poll) => poll({ region: 'us-east-1', kind: 'legacy' })));
      region.clock.ms += 1_000;
    }

    expect(region.meter.counts.pagesListed).toBeLessThanOrEqual(6);
  });

  it('begins anew, later, after a page that failed (C 44)', async () => {
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

describe('a listing', () => {
  const held = (state: InstanceState, stoppedAt?: number) => ({ state, at: 100, stoppedAt });
  const listed = (state: InstanceState, launchedAt = 0) => ({ state, launchedAtMs: launchedAt * 1000 });

  it('that shows what follows the held state is believed at once', () => {
    expect(couldBeStale(held('pending'), listed('running'), 101)).toBe(false);
    expect(couldBeStale(held('running'), listed('pending'), 101)).toBe(true);
    expect(couldBeStale(held('running'), listed('pending'), 160)).toBe(false);
  });

  it.each([
    { what: 'running, and stopped, of a first launch', one: held('running'), two: listed('stopped', 90) },
    { what: 'running, and stopped, of one launch', one: held('running', 80), two: listed('stopped', 90) },
    { what: 'stopped, and running, launched since', one: held('stopped', 100), two: listed('running', 101) },
  ])('is believed at once where the launch time shows that it is newer: $what', ({ one, two }) => {
    expect(couldBeStale(one, two, 101)).toBe(false);
  });

  it.each([
    { what: 'running, and stopped before that launch', one: held('running', 80), two: listed('stopped', 50) },
    { what: 'running, and pending of one launch', one: held('running', 80), two: listed('pending', 90) },
    { what: 'stopped, and running before that', one: held('stopped', 100), two: listed('running', 90) },
    { what: 'shutting down, and stopped', one: held('shutting-down', 80), two: listed('stopped', 90) },
  ])('is not believed at once where it may be older: $what', ({ one, two }) => {
    expect(couldBeStale(one, two, 101)).toBe(true);
  });
});
