import { describe, expect, it } from 'vitest';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  UnavailableError,
} from '../../../shared/core/errors.ts';
import { asked, dcmId, provider } from './provider.ts';

const leaseMs = 11_000;
const runs = (calls: readonly string[]) => calls.filter((call) => call.startsWith('run')).length;

describe('creating a VM more than once', () => {
  it('launches one instance for fifty concurrent requests, and answers all of them the same (C 29, C2 7)', async () => {
    const { create, ec2, parts } = provider();
    const { run } = ec2;
    ec2.run = async (...args) => {
      await parts.pause(300); // so that the others have to wait
      return run.apply(ec2, args);
    };

    const answers = await Promise.all(Array.from({ length: 50 }, () => create(asked)));

    expect(runs(ec2.calls)).toBe(1);
    expect(ec2.living()).toHaveLength(1);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('answers the existing VM to a repeated request, also with another spec (C 30)', async () => {
    const { create, clock, ec2, happens } = provider();
    const first = await create(asked);
    await happens('running');
    clock.ms += 60_000;

    const again = await create({ ...asked, region: 'eu-west-1', requestId: 'request-2' });

    expect(runs(ec2.calls)).toBe(1);
    expect(again).toMatchObject({ id: dcmId, instance_id: first.instance_id, status: 'RUNNING' });
    expect(again.region).toBe('us-east-1');
  });

  it('has the status published again after every answer, since DCM may have missed the first', async () => {
    const { create, clock, queued, happens } = provider();
    await create(asked);
    await happens('running');
    clock.ms += 60_000;
    queued.length = 0;

    await create(asked);

    expect(queued.map(({ event }) => event['detail-type'])).toEqual(['VM Status Wanted']);
  });

  it('answers that a retry helps while an earlier request is creating the VM', async () => {
    const { create, ec2, parts } = provider();
    await parts.records.begin({ dcmId, region: 'us-east-1', leaseMs });

    await expect(create(asked)).rejects.toThrow(UnavailableError);
    expect(ec2.calls).toEqual([]);
  });

  it('answers that a retry helps where the earlier request was refused, without repeating the refusal', async () => {
    const { create, ec2, parts } = provider((before) => ({
      plan: async () => {
        await before.pause(300);
        throw new InvalidArgumentError('no such image');
      },
    }));

    const all = await Promise.allSettled(Array.from({ length: 10 }, () => create(asked)));

    const reasons = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.name] : []));
    expect(reasons).toHaveLength(10);
    expect(reasons.filter((name) => name === 'InvalidArgumentError')).toHaveLength(1);
    expect(ec2.calls).toEqual([]);
    expect(await parts.records.read(dcmId)).toBeUndefined();
  });

  it('refuses while the VM with this id is being deleted, and creates another one afterwards', async () => {
    const { create, remove, ec2, happens, clock } = provider();
    await create(asked);
    await happens('running');
    await remove(dcmId);

    await expect(create(asked)).rejects.toThrow(FailedPreconditionError);
    clock.ms += 60_000;
    await happens('terminated');
    const next = await create(asked);

    expect(next.instance_id).toBe('i-00000000000000002');
    expect(ec2.tokens.size).toBe(2);
    expect(next.create_time).toBe('2026-08-22T10:31:00.000Z');
  });

  it('creates another VM where the first was terminated outside DCM', async () => {
    const { create, happens } = provider();
    await create(asked);
    await happens('terminated');

    expect(await create(asked)).toMatchObject({ instance_id: 'i-00000000000000002' });
  });
});
