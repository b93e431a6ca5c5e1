import { describe, expect, it } from 'vitest';
import { observed } from '../../fixtures/resource-messages.ts';
import { idOf, minuteMs, polledRegion } from './region.ts';

const addressHeld = async (region: ReturnType<typeof polledRegion>) => {
  const held = (await region.resourceStore().read([idOf(1)])).get(idOf(1));
  return held?.owner === 'ours' ? held.vm.publicAddress : undefined;
};

describe('poller, and public addresses', () => {
  it('has the fleet hold the address of a VM of which events told, and DCM told nothing more', async () => {
    const region = polledRegion('streaming');
    region.add(1, { publicAddress: '198.18.0.1' });
    const at = Math.floor(region.clock.ms / 1000);
    await region.deliver([observed('running', 0, { resourceId: idOf(1), at })]);

    await region.listFor(10 * minuteMs);

    expect(await addressHeld(region)).toBe('198.18.0.1');
    expect(region.statusesOf(1)).toEqual(['RUNNING']);
  });

  it('follows an address that comes, changes and goes', async () => {
    const region = polledRegion();
    region.add(1);
    await region.listFor(10 * minuteMs);
    const held: (string | undefined)[] = [await addressHeld(region)];

    for (const publicAddress of ['198.18.0.1', '198.18.0.2', undefined]) {
      region.change(1, { publicAddress });
      await region.listFor(10 * minuteMs);
      held.push(await addressHeld(region));
    }

    expect(held.map((address) => address ?? '')).toEqual(['', '198.18.0.1', '198.18.0.2', '']);
    expect(region.statusesOf(1)).toEqual(held.map(() => 'RUNNING')); // each with its outputs
  });

  it('gives a VM that was stopped no address, and the new one once it runs again', async () => {
    const region = polledRegion();
    region.add(1, { publicAddress: '198.18.0.1' });
    await region.listFor(10 * minuteMs);
    region.change(1, { state: 'stopped', publicAddress: undefined });
    await region.listFor(10 * minuteMs);
    const stopped = await addressHeld(region);
    region.change(1, { state: 'running', publicAddress: '198.18.0.9' });

    await region.listFor(10 * minuteMs);

    expect([stopped || '', await addressHeld(region)]).toEqual(['', '198.18.0.9']);
  });

  it('does not take it for something that events failed to tell', async () => {
    const region = polledRegion();
    region.add(1);
    await region.list();
    const { resyncHealed } = region.meter.counts;
    region.change(1, { publicAddress: '198.18.0.1' });

    await region.listFor(10 * minuteMs);

    expect(region.meter.counts.resyncHealed).toBe(resyncHealed);
  });

  it('asks again as long as the fleet does not hold it, and then reads nothing more', async () => {
    const region = polledRegion();
    region.add(1);
    await region.listFor(10 * minuteMs);
    region.change(1, { publicAddress: '198.18.0.1' });
    region.loseQueue();
    await region.listFor(15 * minuteMs);
    const reads = region.recalls();

    await region.listFor(30 * minuteMs);

    expect(await addressHeld(region)).toBe('198.18.0.1');
    expect(region.recalls()).toBe(reads);
  });
});
