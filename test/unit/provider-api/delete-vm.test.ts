import { describe, expect, it } from 'vitest';
import { FailedPreconditionError, NotFoundError, UnavailableError } from '../../../shared/core/errors.ts';
import { asked, dcmId, provider } from './provider.ts';

const firstInstance = 'i-00000000000000001';
const terminations = (calls: readonly string[]) => calls.filter((call) => call.startsWith('terminate'));

describe('deleting a VM', () => {
  it('succeeds where there is no such VM (C2 8)', async () => {
    const { remove, ec2 } = provider();

    await expect(remove('never-heard-of')).resolves.toBeUndefined();
    expect(ec2.calls).toEqual([]);
  });

  it('terminates the instance, and queues its observation with the time of a listing', async () => {
    const { create, remove, happens, ec2, queued, clock } = provider();
    await create(asked);
    await happens('running');
    clock.ms += 60_000;
    queued.length = 0;

    await remove(dcmId);

    expect(terminations(ec2.calls)).toEqual([`terminate ${firstInstance}`]);
    expect(queued.map(({ event }) => event)).toMatchObject([
      {
        'detail-type': 'EC2 Instance Observed',
        time: '2026-08-22T10:30:54.000Z',
        detail: { 'instance-id': firstInstance, 'request-id': asked.requestId, state: 'shutting-down' },
      },
    ]);
  });

  it('shows the VM as DELETING until it has ended, and not afterwards (C 31, C2 4)', async () => {
    const { create, remove, read, happens, clock } = provider();
    await create(asked);
    await happens('running');
    clock.ms += 1000;

    await remove(dcmId);
    const asRead = await read.get(dcmId);
    await happens('shutting-down');
    clock.ms += 1000;
    const later = await read.get(dcmId);
    await happens('terminated');

    expect(asRead).toMatchObject({
      status: 'DELETING',
      status_message: `instance ${firstInstance} is running; DCM has requested the deletion`,
      update_time: '2026-08-22T10:30:01.000Z',
    });
    expect(later).toMatchObject({
      status: 'DELETING',
      status_message: `instance ${firstInstance} is shutting-down`,
    });
    await expect(read.get(dcmId)).rejects.toThrow(NotFoundError);
  });

  it('asks EC2 once, however often it is repeated (C 31)', async () => {
    const { create, remove, happens, ec2, clock } = provider();
    await create(asked);

    await remove(dcmId);
    await remove(dcmId);
    await happens('shutting-down');
    clock.ms += 120_000;
    await remove(dcmId);
    await happens('terminated');
    await remove(dcmId);
    await remove(dcmId);

    expect(terminations(ec2.calls)).toHaveLength(1);
  });

  it('asks EC2 again after a minute where the instance has not changed (C2 4)', async () => {
    const { create, remove, happens, ec2, clock } = provider();
    await create(asked);
    await happens('running');

    await remove(dcmId);
    clock.ms += 61_000;
    await remove(dcmId);

    expect(terminations(ec2.calls)).toHaveLength(2);
  });

  it('has the end reported as DELETED, whatever EC2’s reason', async () => {
    const { create, remove, happens, parts } = provider();
    await create(asked);
    await remove(dcmId);

    await happens('terminated', { reason: { code: 'Server.InternalError' } });

    const held = (await parts.resourceStore.read([firstInstance])).get(firstInstance);
    expect(held).toMatchObject({ owner: 'ours', vm: { latest: { status: 'DELETED' } } });
  });

  it('is refused for an instance with termination protection, and leaves the VM as it was', async () => {
    const { create, remove, read, happens, ec2, clock } = provider();
    await create(asked);
    await happens('running');
    clock.ms += 60_000;
    ec2.isProtected.add(firstInstance);

    await expect(remove(dcmId)).rejects.toThrow(FailedPreconditionError);

    expect(await read.get(dcmId)).toMatchObject({ status: 'RUNNING' });
    expect(await create(asked)).toMatchObject({ status: 'RUNNING' });
  });

  it('answers that a retry helps where EC2 does not know the recently launched instance yet (C 31)', async () => {
    const { create, remove, ec2 } = provider();
    await create(asked);
    const { terminate } = ec2;
    ec2.terminate = () => Promise.reject(new NotFoundError('there is no such instance'));

    await expect(remove(dcmId)).rejects.toThrow(/does not know i-00000000000000001 yet.*retry the request/);
    ec2.terminate = terminate;
    await remove(dcmId);

    expect(ec2.living()).toEqual([]);
  });

  it('succeeds where EC2 does not know the instance any more (C 31)', async () => {
    const { create, remove, happens, ec2, clock } = provider();
    await create(asked);
    await happens('running');
    clock.ms += 120_000;
    ec2.instances.clear();

    await expect(remove(dcmId)).resolves.toBeUndefined();
  });

  it('answers that a retry helps where EC2 did not accept it, and remains requested', async () => {
    const { create, remove, read, ec2 } = provider();
    await create(asked);
    const { terminate } = ec2;
    ec2.terminate = () => Promise.reject(new UnavailableError('EC2 did not answer'));

    await expect(remove(dcmId)).rejects.toThrow(UnavailableError);
    expect(await read.get(dcmId)).toMatchObject({ status: 'DELETING' });
    ec2.terminate = terminate;
    await remove(dcmId);

    expect(ec2.living()).toEqual([]);
  });

  it('succeeds although the observation cannot be queued: an event of EC2 reports it', async () => {
    const { create, remove, parts, ec2 } = provider();
    await create(asked);
    parts.observations.send = () => Promise.reject(new UnavailableError('no queue'));

    await remove(dcmId);

    expect(ec2.living()).toEqual([]);
    expect(parts.log.lines).toEqual([
      'warn: the observation of a termination was not queued; an event or a listing will report it',
    ]);
  });

  it('queues the observation although the resource store does not answer', async () => {
    const { create, remove, parts, queued } = provider();
    await create(asked);
    queued.length = 0;
    parts.resourceStore.requestDelete = () => Promise.reject(new UnavailableError('no table'));

    await remove(dcmId);

    expect(queued.map(({ event }) => event)).toMatchObject([{ detail: { state: 'shutting-down' } }]);
    expect(parts.log.lines).toEqual([
      'warn: the deletion was not stored in the resource store; EC2’s reason decides the last status',
    ]);
  });

  it('deletes a VM whose launch failed', async () => {
    const { create, remove, read, happens, ec2 } = provider();
    await create(asked);
    await happens('terminated', { reason: { code: 'Server.InternalError' } });
    expect(await read.get(dcmId)).toMatchObject({ status: 'FAILED' });

    await remove(dcmId);

    await expect(read.get(dcmId)).rejects.toThrow(NotFoundError);
    expect(terminations(ec2.calls)).toEqual([]);
  });
});
