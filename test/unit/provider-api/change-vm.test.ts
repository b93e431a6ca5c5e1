import { describe, expect, it } from 'vitest';
import type { Change } from '../../../functions/provider-api/change-vm.ts';
import { FailedPreconditionError, NotFoundError, UnavailableError } from '../../../shared/core/errors.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import { asked, dcmId, provider } from './provider.ts';

const firstInstance = 'i-00000000000000001';

/** A VM whose instance is in a state, and has been for a minute. */
const vmIn = async (state: InstanceState) => {
  const world = provider();
  await world.create(asked);
  await world.happens(state);
  world.clock.ms += 60_000;
  world.ec2.calls.length = 0;
  world.queued.length = 0;
  return world;
};

describe('changing a VM', () => {
  it.each<[Change, InstanceState, InstanceState, string]>([
    ['start', 'stopped', 'pending', 'PROVISIONING'],
    ['stop', 'running', 'stopping', 'STOPPING'],
  ])('%ss one that is %s, and answers that it is %s', async (change, before, after, status) => {
    const { change: ask, ec2, queued } = await vmIn(before);

    const answer = await ask(dcmId, change);

    expect(ec2.calls).toEqual([`${change} ${firstInstance}`]);
    expect(answer).toMatchObject({
      id: dcmId,
      status,
      status_message: `instance ${firstInstance} is ${after}`,
      update_time: '2026-08-22T10:31:00.000Z',
    });
    expect(queued.map(({ event }) => [event.time, event.detail])).toEqual([
      [
        '2026-08-22T10:30:54.000Z',
        { 'instance-id': firstInstance, 'request-id': asked.requestId, state: after },
      ],
    ]);
  });

  it('reboots a running VM, whose status does not change', async () => {
    const { change, ec2, queued, read } = await vmIn('running');

    const answer = await change(dcmId, 'reboot');

    expect(ec2.calls).toEqual([`reboot ${firstInstance}`]);
    expect(answer).toEqual(await read.get(dcmId));
    expect(queued).toEqual([]);
  });

  it.each<[Change, InstanceState, string]>([
    ['start', 'pending', 'PROVISIONING'],
    ['start', 'running', 'RUNNING'],
    ['stop', 'stopping', 'STOPPING'],
    ['stop', 'stopped', 'STOPPED'],
  ])('does not ask EC2 to %s one that is %s already', async (change, state, status) => {
    const { change: ask, ec2, queued } = await vmIn(state);

    expect(await ask(dcmId, change)).toMatchObject({ status });
    expect(ec2.calls).toEqual([]);
    expect(queued).toEqual([]);
  });

  it.each<[Change, InstanceState]>([
    ['start', 'stopping'],
    ['start', 'shutting-down'],
    ['stop', 'pending'],
    ['stop', 'shutting-down'],
    ['reboot', 'pending'],
    ['reboot', 'stopping'],
    ['reboot', 'stopped'],
    ['reboot', 'shutting-down'],
  ])('refuses to %s one that is %s, and says that it is', async (change, state) => {
    const { change: ask, ec2 } = await vmIn(state);

    const asking = ask(dcmId, change);

    await expect(asking).rejects.toThrow(FailedPreconditionError);
    await expect(asking).rejects.toThrow(`cannot ${change} VM ${dcmId}: it is ${state}`);
    expect(ec2.calls).toEqual([]);
  });

  it.each<Change>(['start', 'stop', 'reboot'])(
    'refuses to %s one that is being deleted, or has not been launched',
    async (change) => {
      const { change: ask, remove, parts } = await vmIn('running');
      await remove(dcmId);
      await parts.records.begin({ dcmId: 'vm-2', region: 'us-east-1', leaseMs: 11_000 });

      await expect(ask(dcmId, change)).rejects.toThrow('is being deleted');
      await expect(ask('vm-2', change)).rejects.toThrow('has not been launched yet');
    },
  );

  it('takes an instance without observations as pending', async () => {
    const { create, change } = provider();
    await create(asked);

    await expect(change(dcmId, 'stop')).rejects.toThrow('it is pending');
    expect(await change(dcmId, 'start')).toMatchObject({ status: 'PROVISIONING' });
  });

  it('answers 404 for a VM that never existed, or does not exist any more', async () => {
    const { change } = await vmIn('terminated');

    await expect(change(dcmId, 'start')).rejects.toThrow(NotFoundError);
    await expect(change('never-heard-of', 'start')).rejects.toThrow(NotFoundError);
  });

  it('answers EC2’s refusal', async () => {
    const { change, ec2, queued } = await vmIn('running');
    ec2.stop = () => Promise.reject(new FailedPreconditionError('IncorrectInstanceState'));

    await expect(change(dcmId, 'stop')).rejects.toThrow('IncorrectInstanceState');
    expect(queued).toEqual([]);
  });

  it('answers although the observation cannot be queued: an event of EC2 reports it', async () => {
    const { change, parts } = await vmIn('running');
    parts.observations.send = () => Promise.reject(new UnavailableError('no queue'));

    expect(await change(dcmId, 'stop')).toMatchObject({ status: 'STOPPING' });
    expect(parts.log.lines).toEqual([
      'warn: the observation of a change was not queued; an event of EC2 will report it',
    ]);
  });
});
