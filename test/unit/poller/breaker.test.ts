import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { acceptFault } from '../../fakes/faulty.ts';
import { deletions, idOf, minuteMs, polledRegion } from './region.ts';

describe('poller with an implausible listing', () => {
  it('deletes nothing in a region whose listing is empty (C2 3)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 50; n++) region.add(n);
    await region.list();
    region.distort(() => ({ resources: [], nextToken: undefined }));

    await region.listFor(180 * minuteMs);

    expect(deletions(region.published())).toBe(0);
    expect(region.meter.counts.breakerTripped).toBeGreaterThanOrEqual(1);
    expect(region.log.lines).toContain(
      'error: too many resources are missing at once; none counts as deleted',
    );
  });

  it('deletes many VMs when EC2, asked for their ids ten minutes later, does not return them', async () => {
    const region = polledRegion();
    for (let n = 0; n < 50; n++) region.add(n);
    await region.list();
    for (let n = 0; n < 20; n++) region.forget(n);

    await region.listFor(20 * minuteMs);
    expect(deletions(region.published())).toBe(0);
    await region.listFor(15 * minuteMs);

    expect(deletions(region.published())).toBe(20);
    expect(region.meter.counts).toMatchObject({ breakerTripped: 1, vanished: 20 });
  });

  const withManyMissing = async () => {
    const region = polledRegion();
    for (let n = 0; n < 50; n++) region.add(n);
    await region.list();
    for (let n = 0; n < 20; n++) region.forget(n);
    await region.listFor(15 * minuteMs);
    return region;
  };

  it('deletes them at once when an operator releases the breaker, after a question for their ids', async () => {
    const region = await withManyMissing();
    const held = (await region.listings.status([{ region: 'us-east-1' }]))[0]?.breakerSinceMs;
    const asked = region.instances.calls.length;

    await region.release();
    await region.listFor(10_000, 10_000);

    expect([held, asked]).toEqual([region.clock.ms - 10_000, 0]);
    expect(region.instances.calls).toHaveLength(1);
    expect(deletions(region.published())).toBe(20);
    expect(await region.listings.status([{ region: 'us-east-1' }])).toMatchObject([
      { breakerSinceMs: undefined },
    ]);
  });

  it('deletes none that EC2 returns by id, even after an operator released the breaker', async () => {
    const region = polledRegion();
    for (let n = 0; n < 50; n++) region.add(n);
    await region.list();
    region.distort(() => ({ resources: [], nextToken: undefined }));
    await region.listFor(15 * minuteMs);

    await region.release();
    await region.listFor(30 * minuteMs, 10_000);

    expect(region.instances.calls[0]).toHaveLength(50);
    expect(deletions(region.published())).toBe(0);
  });

  it('holds the next deletions back, although an operator released the breaker for the last ones', async () => {
    const region = await withManyMissing();
    await region.release();
    await region.listFor(5 * minuteMs);
    for (let n = 20; n < 40; n++) region.forget(n);

    await region.listFor(20 * minuteMs);

    expect(deletions(region.published())).toBe(20);
    expect(region.meter.counts.breakerTripped).toBe(2);
  });

  it('publishes more missing VMs than an item has room for in several listings', async () => {
    const region = polledRegion();
    for (let n = 0; n < 5_000; n++) region.add(n);
    await region.list();
    for (let n = 0; n < 4_500; n++) region.forget(n);

    await region.listFor(120 * minuteMs);

    expect(deletions(region.published())).toBe(4_500);
  });

  it('deletes nothing after a listing that failed on a later page', async () => {
    const region = polledRegion();
    for (let n = 0; n < 2_500; n++) region.add(n);
    await region.list();
    let page = 0;
    region.distort((found) => {
      page += 1;
      if (page % 2 === 0) throw new UnavailableError('the connection was cut');
      return found;
    });

    for (let turn = 0; turn < 30; turn++) {
      region.clock.ms += 5 * minuteMs;
      await region.list().catch(acceptFault);
    }

    expect(deletions(region.published())).toBe(0);
  });

  it('rebuilds a lost resource store from the tags, and deletes nothing (C 41)', async () => {
    const region = polledRegion();
    for (let n = 0; n < 30; n++) region.add(n);
    await region.list();
    region.loseResourceStore();
    region.add(30); // so that the page is looked at

    await region.listFor(60 * minuteMs);

    expect(deletions(region.published())).toBe(0);
    expect((await region.resourceStore().read([idOf(3)])).get(idOf(3))).toMatchObject({
      owner: 'ours',
      vm: { dcmId: 'vm-3' },
    });
  });
});
