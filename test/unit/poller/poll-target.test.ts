import { describe, expect, it } from 'vitest';
import { couldBeStale } from '../../../shared/core/listing/doubt.ts';
import { type InstanceState, vmKind } from '../../../shared/service-types/vm/kind.ts';
import { observed } from '../../fixtures/resource-messages.ts';
import { deletions, idOf, minuteMs, polledRegion } from './region.ts';

describe('listing a region', () => {
  it('publishes the status of every VM that events did not report, once', async () => {
    const region = polledRegion();
    region.add(1);
    region.add(2, { state: 'stopped' });

    await region.list();
    await region.listFor(20 * minuteMs);

    expect(region.published()).toMatchObject([
      { id: 'vm-1', status: 'RUNNING' },
      { id: 'vm-2', status: 'STOPPED' },
    ]);
  });

  it('publishes a change once, and nothing for a hundred listings without a change (C 57)', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();

    region.change(1, { state: 'stopping' });
    await region.listFor(5 * minuteMs);
    region.change(1, { state: 'stopped' });
    await region.listFor(500 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);
  });

  it('does not read the resource store for a page that has not changed (C 64)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 2_500; n++) region.add(n);
    await region.listFor(10 * minuteMs); // once for the news, once to see that they were taken
    const before = region.reads();

    await region.listFor(15 * minuteMs);

    expect(region.reads()).toBe(before);
    expect(region.meter.counts).toMatchObject({ pagesListed: 15, pagesUnchanged: 9 });
  });

  it('reads the resource store once for a page that has changed, however many VMs are on it (C 64)', async () => {
    const [small, large] = [polledRegion(), polledRegion()];
    for (let n = 0; n < 10; n++) small.add(n);
    for (let n = 0; n < 1_000; n++) large.add(n);

    await Promise.all([small.list(), large.list()]);

    expect([small.reads(), large.reads()]).toEqual([1, 1]);
  });

  it('asks EC2 once for each page (C 43)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 10_000; n++) region.add(n);
    await region.list();
    const { listed } = region.instances;

    await region.listFor(5 * minuteMs);

    expect(region.instances.listed - listed).toBe(10);
    expect(region.instances.checked).toHaveLength(2);
    expect(region.instances.calls).toEqual([]);
  });

  it('neither misses nor repeats a VM when VMs are created and deleted between two pages (C 26)', async () => {
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
    expect(deletions(region.published())).toBe(oldest);
  });

  it.each([-600, 0, 600])(
    'publishes STOPPED of a VM stopped seconds after its launch, with a clock that is %i s off (C 37)',
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

  it('publishes STOPPED within the floor when the VM was stopped right after it started', async () => {
    const region = polledRegion();
    region.add(1, { launchedAtMs: region.clock.ms - 30_000 });
    await region.list();
    region.change(1, { state: 'stopped' });

    await region.listFor(10_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPED']);
  });

  it('publishes a second change between two listings whose events were lost', async () => {
    const region = polledRegion('streaming');
    const at = (seconds: number) => Math.floor(region.clock.ms / 1000) + seconds;
    region.add(1);
    await region.listFor(10 * minuteMs);
    await region.deliver([observed('stopped', 0, { resourceId: idOf(1), at: at(10) })]);
    region.change(1, { launchedAtMs: at(120) * 1000 }); // started again, and no event came

    await region.listFor(10 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPED', 'RUNNING']);
  });

  it('compares a page with an unchanged digest once an hour, and counts the differences', async () => {
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

  it('finds a page unchanged when instances and tags have another order', async () => {
    const region = polledRegion();
    for (const n of [1, 2]) region.add(n);
    await region.listFor(10 * minuteMs);
    const before = region.reads();
    region.distort(({ resources: instances, ...page }) => ({
      ...page,
      resources: instances
        .map((one) => ({ ...one, tags: Object.fromEntries(Object.entries(one.tags).toReversed()) }))
        .toReversed(),
    }));

    await region.listFor(10 * minuteMs);

    expect(region.reads()).toBe(before);
  });

  it('does not publish RUNNING of a VM that is being deleted and still listed as running (C2 4)', async () => {
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

  it('does not publish an instance of another provider, or without a DCM id', async () => {
    const region = polledRegion();
    region.add(1, { tags: { 'managed-by': 'dcm', 'dcm-instance-id': 'vm-1', 'dcm-provider': 'another' } });
    region.add(2, { tags: { 'managed-by': 'dcm' } });

    await region.list();

    expect(region.published()).toEqual([]);
  });

  it('counts what a listing found that no event had reported, and not what the first listing found', async () => {
    const region = polledRegion('streaming');
    region.add(1);
    region.add(2);
    await region.list();
    await region.listFor(5 * minuteMs);
    const status = async () => (await region.listings.status([{ region: 'us-east-1' }]))[0];
    expect(await status()).toMatchObject({ healed: 0, healedAtMs: undefined });

    const changedAtMs = region.clock.ms;
    region.change(1, { state: 'stopped' }); // the event is lost
    await region.listFor(30 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPED']);
    expect(await status()).toMatchObject({ healed: 1, healedAtMs: changedAtMs + 5 * minuteMs });
  });

  it('heals a change that followed another within seconds, although the gate dates a listing back', async () => {
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

  it('queues a difference again that the normaliser did not process', async () => {
    const region = polledRegion();
    region.add(1);
    await region.listFor(10 * minuteMs);
    region.change(1, { state: 'stopping' });
    region.loseQueue();
    await region.list();

    await region.listFor(5 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING']);
  });

  it('ignores a listing that can be older than the held state until that is a minute old', async () => {
    const region = polledRegion();
    region.add(1, { state: 'stopped' });
    await region.list();
    region.change(1, { state: 'running' }); // two steps on, or one read that is late
    await region.listFor(10_000, 10_000);
    expect(region.statusesOf(1)).toEqual(['STOPPED']);

    await region.listFor(60_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['STOPPED', 'RUNNING']);
  });

  it('leaves a recently launched instance to its events in a streaming region', async () => {
    const [streaming, legacy] = [polledRegion('streaming'), polledRegion('legacy')];
    for (const region of [streaming, legacy]) {
      region.add(1, { state: 'running', launchedAtMs: region.clock.ms - 30_000 });
      await region.list();
    }

    expect([streaming.statusesOf(1), legacy.statusesOf(1)]).toEqual([[], ['RUNNING']]);
    await streaming.listFor(5 * minuteMs);
    expect(streaming.statusesOf(1)).toEqual(['RUNNING']);
  });

  it('is done by one worker at a time, and not more often than the floor (C 42)', async () => {
    const region = polledRegion();
    region.add(1);
    const workers = [region.worker(), region.worker(), region.worker()];

    for (let second = 0; second < 60; second++) {
      await Promise.all(workers.map((poll) => poll({ target: { region: 'us-east-1' }, mode: 'legacy' })));
      region.clock.ms += 1_000;
    }

    expect(region.meter.counts.pagesListed).toBeLessThanOrEqual(6);
  });

  it('starts again later after a page that failed (C 44)', async () => {
    const region = polledRegion();
    region.add(1);
    region.instances.throttled = true;

    await expect(region.list()).rejects.toThrow('throttled');
    region.instances.throttled = false;
    await region.list();
    expect(region.published()).toEqual([]);
    await region.listFor(10_000, 10_000);

    expect(region.statusesOf(1)).toEqual(['RUNNING']);
  });
});

describe('a listing', () => {
  const held = (state: InstanceState, stoppedAt?: number) => ({ state, at: 100, stoppedAt });
  const listed = (state: InstanceState, launchedAt = 0) => ({ state, launchedAtMs: launchedAt * 1000 });

  it('that shows the next state after the held one is used at once', () => {
    expect(couldBeStale(vmKind, held('pending'), listed('running'), 101)).toBe(false);
    expect(couldBeStale(vmKind, held('running'), listed('pending'), 101)).toBe(true);
    expect(couldBeStale(vmKind, held('running'), listed('pending'), 160)).toBe(false);
  });

  it.each([
    { what: 'running, and stopped, of a first launch', one: held('running'), two: listed('stopped', 90) },
    { what: 'running, and stopped, of one launch', one: held('running', 80), two: listed('stopped', 90) },
    { what: 'stopped, and running, launched since', one: held('stopped', 100), two: listed('running', 101) },
  ])('is used at once when the launch time proves it newer: $what', ({ one, two }) => {
    expect(couldBeStale(vmKind, one, two, 101)).toBe(false);
  });

  it.each([
    { what: 'running, and stopped before that launch', one: held('running', 80), two: listed('stopped', 50) },
    { what: 'running, and pending of one launch', one: held('running', 80), two: listed('pending', 90) },
    { what: 'stopped, and running before that', one: held('stopped', 100), two: listed('running', 90) },
    { what: 'shutting down, and stopped', one: held('shutting-down', 80), two: listed('stopped', 90) },
  ])('is not used at once when it can be older: $what', ({ one, two }) => {
    expect(couldBeStale(vmKind, one, two, 101)).toBe(true);
  });
});
