import { describe, expect, it } from 'vitest';
import { observed } from '../../fixtures/resource-messages.ts';
import { idOf, minuteMs, polledRegion } from './region.ts';

const addressHeld = async (region: ReturnType<typeof polledRegion>) => {
  const held = (await region.resourceStore().read([idOf(1)])).get(idOf(1));
  return held?.owner === 'ours' ? held.vm.publicAddress : undefined;
};

describe('poller and public addresses', () => {
  it('stores the address of a VM that events reported, without publishing anything', async () => {
    const region = polledRegion('streaming');
    region.add(1, { publicAddress: '198.18.0.1' });
    const at = Math.floor(region.clock.ms / 1000);
    await region.deliver([observed('running', 0, { resourceId: idOf(1), at })]);

    await region.listFor(10 * minuteMs);

    expect(await addressHeld(region)).toBe('198.18.0.1');
    expect(region.statusesOf(1)).toEqual(['RUNNING']);
  });

  it('follows an address that appears, changes and disappears', async () => {
    const region = polledRegion();
    region.add(1);
    await region.listFor(10 * minuteMs);
    const held: (string | undefined)[] = [await addressHeld(region)];

    for (const publicAddress of ['198.18.0.1', '198.18.0.2', '']) {
      region.change(1, { publicAddress });
      await region.listFor(10 * minuteMs);
      held.push(await addressHeld(region));
    }

    expect(held.map((address) => address ?? '')).toEqual(['', '198.18.0.1', '198.18.0.2', '']);
    expect(region.statusesOf(1)).toEqual(held.map(() => 'RUNNING')); // each with its outputs
  });

  it('stores no address of a stopped VM, and the new one once it runs again', async () => {
    const region = polledRegion();
    region.add(1, { publicAddress: '198.18.0.1' });
    await region.listFor(10 * minuteMs);
    region.change(1, { state: 'stopped', publicAddress: '' });
    await region.listFor(10 * minuteMs);
    const stopped = await addressHeld(region);
    region.change(1, { state: 'running', publicAddress: '198.18.0.9' });

    await region.listFor(10 * minuteMs);

    expect([stopped || '', await addressHeld(region)]).toEqual(['', '198.18.0.9']);
  });

  it('does not count it as a lost event', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();
    const { resyncHealed } = region.meter.counts;
    region.change(1, { publicAddress: '198.18.0.1' });

    await region.listFor(10 * minuteMs);

    expect(region.meter.counts.resyncHealed).toBe(resyncHealed);
  });

  it('reports it until it is stored, and then does not read the resource store any more', async () => {
    const region = polledRegion();
    region.add(1);
    await region.listFor(10 * minuteMs);
    region.change(1, { publicAddress: '198.18.0.1' });
    region.loseQueue();
    await region.listFor(15 * minuteMs);
    const reads = region.reads();

    await region.listFor(30 * minuteMs);

    expect(await addressHeld(region)).toBe('198.18.0.1');
    expect(region.reads()).toBe(reads);
  });
});
