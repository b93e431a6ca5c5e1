import { afterEach, describe, expect, it, vi } from 'vitest';
import { CapacityError, InvalidArgumentError, UnavailableError } from '../../../shared/core/errors.ts';
import { launchPlan } from '../../fixtures/launches.ts';
import { asked, dcmId, provider } from './provider.ts';

const firstInstance = 'i-00000000000000001';

describe('creating a VM', () => {
  afterEach(() => void vi.useRealTimers());

  it('answers the VM that EC2 is launching, with the rules that chose image and type', async () => {
    const { create } = provider();

    expect(await create(asked)).toEqual({
      id: dcmId,
      path: 'vms/vm-1',
      status: 'PROVISIONING',
      status_message: `instance ${firstInstance} is pending`,
      region: 'us-east-1',
      instance_id: firstInstance,
      adopted: false,
      instance_type: 't3.small',
      image_id: 'ami-0123456789abcdef0',
      zone: 'us-east-1a',
      private_ip_address: '10.0.0.4',
      ssh: { user: 'ec2-user' },
      chosen_by: { image: 'guest_os.type', instance_type: 'vcpu and memory' },
      create_time: '2026-08-22T10:30:00.000Z',
      update_time: '2026-08-22T10:30:00.000Z',
    });
  });

  it('claims the instance in the resource store before it answers', async () => {
    const { create, parts } = provider();

    await create(asked);

    const held = (await parts.resourceStore.read([firstInstance])).get(firstInstance);
    expect(held).toMatchObject({
      owner: 'ours',
      vm: { dcmId, region: 'us-east-1', account: '123456789012' },
    });
  });

  it('queues the observation of the launch, with EC2’s time, and a later republication', async () => {
    const { create, queued } = provider();

    await create(asked);

    expect(queued.map(({ event, afterSeconds }) => [event['detail-type'], event.time, afterSeconds])).toEqual(
      [
        ['EC2 Instance Observed', '2026-08-22T10:30:00.000Z', 0],
        ['VM Status Wanted', '2026-08-22T10:30:00.000Z', 5],
      ],
    );
    const about = { 'instance-id': firstInstance };
    const addresses = { privateAddress: '10.0.0.4', isWindows: false };
    expect(queued.map(({ event }) => event.detail)).toEqual([
      { ...about, 'request-id': asked.requestId, state: 'pending', ...addresses },
      about,
    ]);
  });

  it('tries the next placement, with another client token, where EC2 has no capacity', async () => {
    const { create, ec2 } = provider();
    ec2.isFull = ({ instanceType }) => instanceType === 't3.small';

    const answer = await create(asked);

    expect(ec2.calls).toEqual([
      'run t3.small in us-east-1a',
      'run t3.small in us-east-1b',
      'run m7i.large in us-east-1a',
    ]);
    expect(ec2.tokens.size).toBe(3);
    expect(ec2.living()).toHaveLength(1);
    expect(answer.instance_type).toBe('m7i.large');
  });

  it('fails where no placement has capacity; the id can be used again', async () => {
    const { create, ec2, read } = provider();
    ec2.isFull = () => true;

    await expect(create(asked)).rejects.toThrow(CapacityError);
    await expect(read.get(dcmId)).rejects.toThrow(/no VM vm-1/);
    const tokens = new Set(ec2.tokens);
    ec2.isFull = () => false;
    const answer = await create(asked);

    expect(answer.instance_type).toBe('t3.small');
    expect([...ec2.tokens].filter((token) => !tokens.has(token))).toHaveLength(1);
  });

  it('deletes the record of a VM that could not be planned', async () => {
    const { create, ec2, parts } = provider(() => ({
      plan: async () => {
        throw new InvalidArgumentError('guest_os.type: expected one of …');
      },
    }));

    await expect(create(asked)).rejects.toThrow(InvalidArgumentError);

    expect(ec2.calls).toEqual([]);
    expect(await parts.records.read(dcmId)).toBeUndefined();
  });

  it('answers although nothing can be queued: events of the instance report it', async () => {
    const { create, parts } = provider(() => ({
      observations: { send: () => Promise.reject(new UnavailableError('no queue')) },
    }));

    expect(await create(asked)).toMatchObject({ instance_id: firstInstance });
    expect(parts.log.lines).toEqual([
      'warn: the observation of a launched resource was not queued',
      'warn: the republication of a launched resource was not queued',
    ]);
  });

  it('neither logs nor keeps user data (C 2)', async () => {
    const { create, parts } = provider();

    await create(asked);

    expect(JSON.stringify([await parts.records.read(dcmId), parts.log.lines])).not.toContain(
      launchPlan().userData,
    );
  });
});
