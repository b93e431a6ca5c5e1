import { describe, expect, it } from 'vitest';
import { FailedPreconditionError } from '../../../shared/core/errors.ts';
import { specOf } from '../../../shared/service-types/vm/spec.ts';
import { asked, dcmId, provider } from './provider.ts';

const larger = specOf({ vcpu: { count: 8 } });
const ofRequest = (key: string) => ({ ...asked, request: { key } });

describe('a create by Idempotency-Key', () => {
  it('creates one VM however often it is sent: once, redelivered, from the retry stream', async () => {
    const { create, ec2, happens, clock } = provider();
    const first = await create(ofRequest('r-1'));
    await happens('running');
    clock.ms += 120_000;

    const again = await Promise.all([1, 2, 3].map(() => create(ofRequest('r-1'))));

    expect(ec2.instances.size).toBe(1);
    for (const one of again) expect(one.instance_id).toBe(first.instance_id);
  });

  it('has PROVISIONING published with its answer, before DCM’s sweep can send it to another agent', async () => {
    const { create, queued, clock } = provider();
    const startedAtMs = clock.ms;

    await create(ofRequest('r-1'));

    expect(queued[0]).toMatchObject({ afterSeconds: 0, event: { detail: { state: 'pending' } } });
    expect(clock.ms - startedAtMs).toBeLessThan(10_000);
  });

  it('creates nothing where DCM deleted the id before it arrived', async () => {
    const { create, remove, ec2, clock } = provider();
    await remove(dcmId);
    clock.ms += 120_000;

    const late = create(ofRequest('r-1'));

    await expect(late).rejects.toThrow(FailedPreconditionError);
    await expect(late).rejects.toThrow('DCM deleted vm-1; no request creates it any more');
    expect(ec2.calls).toEqual([]);
  });

  it('creates nothing where it is repeated after its VM was deleted', async () => {
    const { create, remove, ec2, happens, clock } = provider();
    const request = ofRequest('r-1');
    await create(request);
    await happens('running');
    await remove(dcmId);
    clock.ms += 60_000;
    await happens('terminated');

    await expect(create(request)).rejects.toThrow(FailedPreconditionError);
    expect(ec2.instances.size).toBe(1);
  });

  it('creates no second VM where it is repeated after its VM ended otherwise', async () => {
    const { create, ec2, happens } = provider();
    await create(ofRequest('r-1'));
    await happens('terminated');

    await expect(create(ofRequest('r-1'))).rejects.toThrow(
      'the request r-1 created vm-1, which does not exist any more; one request creates one resource',
    );
    expect(ec2.instances.size).toBe(1);
  });

  it('creates a VM with a deleted id where the caller sends the id without a key', async () => {
    const { create, remove, happens } = provider();
    await create(ofRequest('r-1'));
    await remove(dcmId);
    await happens('terminated');

    expect(await create(asked)).toMatchObject({ status: 'PROVISIONING' });
  });

  it('answers the VM that another request created with the same spec, as DCM’s sweep sends it', async () => {
    const { create, ec2 } = provider();
    const first = await create({
      ...ofRequest('r-1'),
      spec: specOf({ vcpu: { count: 2 }, metadata: { labels: { a: 'b', c: 'd' } } }),
    });

    const swept = await create({
      ...ofRequest('r-2'),
      spec: specOf({ metadata: { labels: { c: 'd', a: 'b' } }, vcpu: { count: 2 } }),
    });

    expect(swept.instance_id).toBe(first.instance_id);
    expect(ec2.instances.size).toBe(1);
  });

  it('is refused where another request created the VM with another spec', async () => {
    const { create, ec2, queued } = provider();
    await create(ofRequest('r-1'));
    queued.length = 0;

    const forged = create({ ...ofRequest('r-2'), spec: larger });

    await expect(forged).rejects.toThrow(FailedPreconditionError);
    await expect(forged).rejects.toThrow(
      'vm-1 was created by the request r-1, whose spec differs from that of r-2',
    );
    expect([ec2.instances.size, queued]).toEqual([1, []]);
  });

  it('answers the existing VM where that was created without a key', async () => {
    const { create } = provider();
    const first = await create(asked);

    expect(await create({ ...ofRequest('r-1'), spec: larger })).toMatchObject({
      instance_id: first.instance_id,
    });
  });
});
