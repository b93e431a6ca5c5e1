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
  it('launches one instance for fifty requests at once, and gives all of them the same answer (C 29, C2 7)', async () => {
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

  it('answers the VM that there is when it is asked again, also with another spec (C 30)', async () => {
    const { create, clock, ec2, happens } = provider();
    const first = await create(asked);
    await happens('running');
    clock.ms += 60_000;

    const again = await create({ ...asked, region: 'eu-west-1', requestId: 'request-2' });

    expect(runs(ec2.calls)).toBe(1);
    expect(again).toMatchObject({ id: dcmId, instance_id: first.instance_id, status: 'RUNNING' });
    expect(again.region).toBe('us-east-1');
  });

  it('has the status told once more after every answer, for DCM may have missed the first', async () => {
    const { create, clock, queued, happens } = provider();
    await create(asked);
    await happens('running');
    clock.ms += 60_000;
    queued.length = 0;

    await create(asked);

    expect(queued.map(({ event }) => event['detail-type'])).toEqual(['VM Status Wanted']);
  });

  it('asks for another try where an earlier request is still at it', async () => {
    const { create, ec2, parts } = provider();
    await parts.records.begin({ dcmId, region: 'us-east-1', leaseMs });

    await expect(create(asked)).rejects.toThrow(UnavailableError);
    expect(ec2.calls).toEqual([]);
  });

  it('asks for another try where the request it waited for was refused, and does not repeat the refusal', async () => {
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

  it('refuses while the VM with this id is being deleted, and creates another one when it is gone', async () => {
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

  it('creates another VM where somebody terminated the first', async () => {
    const { create, happens } = provider();
    await create(asked);
    await happens('terminated');

    expect(await create(asked)).toMatchObject({ instance_id: 'i-00000000000000002' });
  });
});
