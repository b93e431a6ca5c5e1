import { describe, expect, it } from 'vitest';
import { NotFoundError, UnreadableError } from '../../../shared/core/errors.ts';
import type { Ownership } from '../../../shared/ports/resource-store.ts';
import { unreadable } from '../../fakes/unreadable.ts';
import { asked, dcmId, provider } from './provider.ts';

const region = 'us-east-1';
const firstInstance = 'i-00000000000000001';
const page = { target: { region }, maximumPageSize: 50, pageToken: undefined };

describe('reading a VM', () => {
  it('answers 404 for a VM that was never created (C2 8)', async () => {
    const { read } = provider();

    await expect(read.get('never-heard-of')).rejects.toThrow(NotFoundError);
    await expect(read.events('never-heard-of')).rejects.toThrow(NotFoundError);
  });

  it('shows the last published status and its time', async () => {
    const { create, read, happens, clock } = provider();
    await create(asked);
    clock.ms += 30_000;
    await happens('running');
    clock.ms += 30_000;

    expect(await read.get(dcmId)).toMatchObject({
      status: 'RUNNING',
      status_message: `instance ${firstInstance} is running`,
      create_time: '2026-08-22T10:30:00.000Z',
      update_time: '2026-08-22T10:30:30.000Z',
    });
  });

  it('shows the SSH command while the VM is running, with the public address before the private one (C 39)', async () => {
    const { create, read, happens, clock } = provider();
    await create(asked);
    const pending = await read.get(dcmId);
    clock.ms += 10_000;
    await happens('running');
    const running = await read.get(dcmId);
    clock.ms += 10_000;
    await happens('stopped', { publicAddress: '' });
    const stopped = await read.get(dcmId);
    clock.ms += 10_000;
    await happens('running', { publicAddress: '203.0.113.7' });
    const again = await read.get(dcmId);

    const user = 'ec2-user';
    expect([pending, running, stopped, again].map(({ ssh }) => ssh)).toEqual([
      { user },
      { user, command: 'ssh ec2-user@10.0.0.4' },
      { user },
      { user, command: 'ssh ec2-user@203.0.113.7' },
    ]);
    expect(again.public_ip_address).toBe('203.0.113.7');
    expect(stopped).not.toHaveProperty('public_ip_address');
  });

  it('omits fields that are not known of an instance that was found by its tags', async () => {
    const { read, parts } = provider();
    const facts = { launchedAtMs: parts.now() };
    await parts.records.adopt({ dcmId, region, resourceId: firstInstance, account: '1', facts });

    expect(Object.keys(await read.get(dcmId)).sort()).toEqual([
      'create_time',
      'id',
      'instance_id',
      'path',
      'region',
      'status',
      'status_message',
      'update_time',
    ]);
  });

  it('shows a VM before its launch as PROVISIONING, or DELETING where the deletion was requested', async () => {
    const { read, parts } = provider();
    await parts.records.begin({ dcmId, region, leaseMs: 11_000 });

    expect(await read.get(dcmId)).toMatchObject({
      status: 'PROVISIONING',
      status_message: 'no instance has been launched yet',
    });
    await parts.records.requestDelete(dcmId);
    expect(await read.get(dcmId)).toMatchObject({ status: 'DELETING' });
  });

  it('shows a creation that crashed and was not repeated as FAILED (C 47, C2 19)', async () => {
    const { read, parts, clock } = provider();
    await parts.records.begin({ dcmId, region, leaseMs: 11_000 });

    clock.ms += 10 * 60_000;

    expect(await read.get(dcmId)).toMatchObject({
      status: 'FAILED',
      status_message: expect.stringContaining('interrupted'),
    });
  });

  it('shows a creation whose end is published as DCM has it', async () => {
    const { read, parts, clock } = provider();
    await parts.records.begin({ dcmId, region, leaseMs: 11_000 });
    clock.ms += 3 * 60_000;
    const status = { id: `${dcmId}:launch-failed`, key: '17873946000', at: 1_787_394_600 } as const;
    const failed = { ...status, status: 'FAILED', message: 'EC2 did not answer' } as const;
    await parts.records.fail(dcmId, await parts.records.creation(dcmId), failed);

    expect(await read.get(dcmId)).toMatchObject({ status: 'FAILED', status_message: 'EC2 did not answer' });
  });

  it('shows a VM whose launch failed, until it is deleted (C 22)', async () => {
    const { create, remove, read, happens } = provider();
    await create(asked);
    const reason = { code: 'Client.VolumeLimitExceeded', message: 'too many volumes' };
    await happens('terminated', { reason });

    const failed = await read.get(dcmId);
    const listed = await read.list(page);
    await remove(dcmId);

    expect(failed).toMatchObject({ status: 'FAILED', status_message: expect.stringContaining('too many') });
    expect(listed.results).toEqual([failed]);
    await expect(read.get(dcmId)).rejects.toThrow(NotFoundError);
  });

  it.each<[string, Ownership]>([
    ['somebody terminated', { owner: 'unknown' }],
    ['somebody took our tags off', { owner: 'foreign' }],
  ])('knows no VM that %s', async (_, held) => {
    const { create, read, parts, clock } = provider();
    await create(asked);
    clock.ms += 3_700_000;
    parts.resourceStore.read = async (ids) => new Map(ids.map((id) => [id, held]));

    await expect(read.get(dcmId)).rejects.toThrow(NotFoundError);
  });

  it('fails where the stored item is unreadable', async () => {
    const { create, read, parts } = provider();
    await create(asked);
    parts.resourceStore.read = unreadable(firstInstance, parts.resourceStore);

    await expect(read.get(dcmId)).rejects.toThrow(UnreadableError);
  });
});

describe('the published statuses of a VM', () => {
  it('are listed with the newest first, also when the VM has ended', async () => {
    const { create, read, happens, clock } = provider();
    await create(asked);
    for (const state of ['pending', 'running', 'shutting-down', 'terminated'] as const) {
      await happens(state);
      clock.ms += 10_000;
    }

    const { results } = await read.events(dcmId);

    expect(results.map(({ status, update_time: time }) => [status, time.slice(14, 19)])).toEqual([
      ['DELETED', '30:30'],
      ['DELETING', '30:20'],
      ['RUNNING', '30:10'],
      ['PROVISIONING', '30:00'],
    ]);
  });

  it('are none while there is no instance', async () => {
    const { read, parts } = provider();
    await parts.records.begin({ dcmId, region, leaseMs: 11_000 });

    expect(await read.events(dcmId)).toEqual({ results: [] });
  });
});
