import { describe, expect, it } from 'vitest';
import { idOf, minuteMs, polledRegion } from './region.ts';

const messages = (region: ReturnType<typeof polledRegion>) =>
  region.published().map(({ id, status, message }) => `${id} ${status} ${message}`);
const running = (n: number, more = '') => `vm-${n} RUNNING instance ${idOf(n)} is running${more}`;
const broken = ': impaired: its instance status check fails';

/** So long that a quiet region is asked about each check. */
const round = 20 * minuteMs;

const withTwo = async (kind: 'legacy' | 'streaming' = 'legacy') => {
  const region = polledRegion(kind);
  region.add(1);
  region.add(2);
  await region.listFor(round);
  return region;
};

describe('poller with an instance that fails a status check', () => {
  it.each(['legacy', 'streaming'] as const)(
    'publishes the failure once, with the current status, in a %s region',
    async (kind) => {
      const region = await withTwo(kind);
      region.instances.failing.instance.set(idOf(1), region.clock.ms);

      await region.listFor(round);

      expect(messages(region).slice(2)).toEqual([running(1, broken)]);
    },
  );

  it.each([
    ['system', 'its system status check fails'],
    ['attached-ebs', 'its attached EBS status check fails'],
  ] as const)('publishes which check fails: %s', async (check, says) => {
    const region = await withTwo();
    region.instances.failing[check].set(idOf(1), region.clock.ms);

    await region.listFor(round);

    expect(messages(region).slice(2)).toEqual([running(1, `: impaired: ${says}`)]);
  });

  it('publishes one failure for a VM that fails two checks', async () => {
    const region = await withTwo();
    region.instances.failing.system.set(idOf(1), region.clock.ms);
    await region.listFor(round);
    region.instances.failing.instance.set(idOf(1), region.clock.ms);

    await region.listFor(round);

    expect(messages(region).slice(2)).toEqual([running(1, ': impaired: its system status check fails')]);
  });

  it('publishes the end once it fails no check, without the warning', async () => {
    const region = await withTwo();
    for (const failing of Object.values(region.instances.failing)) failing.set(idOf(1), region.clock.ms);
    await region.listFor(round);

    region.instances.failing.instance.clear();
    region.instances.failing['attached-ebs'].clear();
    await region.listFor(round);
    const half = messages(region).length;
    region.instances.failing.system.clear();
    await region.listFor(round);
    region.change(1, { state: 'stopping' });
    await region.listFor(round);

    expect(messages(region).slice(half)).toEqual([
      running(1),
      `vm-1 STOPPING instance ${idOf(1)} is stopping`,
    ]);
  });

  it('publishes the failure again when it fails again', async () => {
    const region = await withTwo();
    const { instance } = region.instances.failing;
    instance.set(idOf(1), region.clock.ms);
    await region.listFor(round);
    instance.clear();
    await region.listFor(round);

    instance.set(idOf(1), region.clock.ms - round);
    await region.listFor(round);

    expect(messages(region).slice(2)).toEqual([running(1, broken), running(1), running(1, broken)]);
  });

  it('does not publish the end when the VM was stopped and started in the meantime', async () => {
    const region = await withTwo();
    region.instances.failing.instance.set(idOf(1), region.clock.ms);
    await region.listFor(round);
    for (const state of ['stopping', 'stopped', 'pending', 'running'] as const) {
      region.change(1, { state });
      if (state === 'pending') region.instances.failing.instance.clear();
      region.change(1, { launchedAtMs: region.clock.ms });
      await region.listFor(10 * minuteMs);
    }
    await region.listFor(round);

    expect(region.statusesOf(1)).toEqual([
      'RUNNING',
      'RUNNING',
      'STOPPING',
      'STOPPED',
      'PROVISIONING',
      'RUNNING',
    ]);
    expect(messages(region).at(-1)).toBe(running(1));
  });

  it('does not repeat a failure that a worker queued before it crashed', async () => {
    const region = await withTwo();
    region.instances.failing.instance.set(idOf(1), undefined);
    region.listings.save = () => Promise.reject(new Error('the worker died'));
    for (let turn = 0; turn < 4; turn++) {
      region.clock.ms += 10 * minuteMs;
      await expect(region.list()).rejects.toThrow('the worker died');
      await region.normalise();
    }
    region.listings.save = region.save;

    await region.listFor(round);

    expect(messages(region).slice(2)).toEqual([running(1, broken)]);
  });

  it('publishes nothing of instances that are not ours', async () => {
    const region = await withTwo();
    region.add(3, { tags: {} });
    region.instances.failing.instance.set(idOf(3), region.clock.ms);

    await region.listFor(round);

    expect(messages(region)).toHaveLength(2);
  });

  it('asks EC2 at most once a minute, about one check after the other, and not in a region without VMs (C 43)', async () => {
    const [region, empty] = [polledRegion(), polledRegion()];
    region.add(1, { state: 'pending', launchedAtMs: region.clock.ms }); // so that it is listed every ten seconds
    await Promise.all([region.listFor(6 * minuteMs, 10_000), empty.listFor(6 * minuteMs, 10_000)]);

    expect(region.instances.checked).toEqual([
      ...['instance', 'system', 'attached-ebs'],
      ...['instance', 'system', 'attached-ebs'],
    ]);
    expect(empty.instances.checked).toEqual([]);
  });

  it('continues listing when the question about a check fails, and repeats the question', async () => {
    const region = await withTwo();
    region.instances.failing.instance.set(idOf(1), region.clock.ms);
    const { impaired } = region.instances;
    region.setImpaired(() => Promise.reject(new Error('throttled')));
    region.change(2, { state: 'stopping' });
    await region.listFor(round);
    region.setImpaired(impaired);

    await region.listFor(round);

    expect(messages(region).slice(2)).toEqual([
      `vm-2 STOPPING instance ${idOf(2)} is stopping`,
      running(1, broken),
    ]);
    expect(region.log.lines).toContain('warn: EC2 did not return the instances that fail a status check');
  });
});
