import { describe, expect, it } from 'vitest';
import { FailedPreconditionError, UnavailableError } from '../../../shared/core/errors.ts';
import { launchPlan } from '../../fixtures/launches.ts';
import { asked, dcmId, provider } from './provider.ts';

const leaseMs = 11_000;
const region = 'us-east-1';
const firstInstance = 'i-00000000000000001';
const terminations = (calls: readonly string[]) => calls.filter((call) => call.startsWith('terminate'));

describe('deleting a VM while it is being created', () => {
  it('waits for the instance and terminates it; the create is refused', async () => {
    const { create, remove, ec2, parts } = provider();
    const { run } = ec2;
    let removal: Promise<void> | undefined;
    ec2.run = async (...args) => {
      removal = remove(dcmId);
      await parts.pause(500);
      return run.apply(ec2, args);
    };

    await expect(create(asked)).rejects.toThrow(/deleted while it was being created/);
    await removal;

    expect(ec2.living()).toEqual([]);
  });

  it('prevents the launch where there is time', async () => {
    const { create, remove, ec2, parts } = provider((before) => ({
      plan: async () => {
        await before.records.requestDelete(dcmId);
        return launchPlan();
      },
    }));

    await expect(create(asked)).rejects.toThrow(FailedPreconditionError);
    await remove(dcmId);

    expect(ec2.calls).toEqual([]);
    expect(await parts.records.read(dcmId)).toBeUndefined();
  });

  it('answers that a retry helps where the creation takes too long', async () => {
    const { remove, parts } = provider();
    await parts.records.begin({ dcmId, region, leaseMs });

    await expect(remove(dcmId)).rejects.toThrow(UnavailableError);
  });

  it('deletes the record of a creation that crashed before EC2 was asked', async () => {
    const { create, remove, clock, parts, ec2 } = provider();
    await parts.records.begin({ dcmId, region, leaseMs });
    clock.ms += leaseMs;

    await remove(dcmId);

    expect(await parts.records.read(dcmId)).toBeUndefined();
    expect(await create(asked)).toMatchObject({ id: dcmId });
    expect(ec2.living()).toHaveLength(1);
  });

  it('finds the orphan of a crashed creation by its tags (C 32)', async () => {
    const { create, remove, clock, parts, ec2 } = provider();
    const crash = new Error('the function was stopped');
    const { launched } = parts.records;
    parts.records.launched = () => Promise.reject(crash);
    await expect(create(asked)).rejects.toThrow(crash);
    parts.records.launched = launched;
    clock.ms += leaseMs;

    await remove(dcmId);

    expect(terminations(ec2.calls)).toEqual([`terminate ${firstInstance}`]);
    expect(await parts.records.read(dcmId)).toMatchObject({ resourceId: firstInstance });
  });

  it('does not terminate instances of other providers, or instances that are terminating (C2 18)', async () => {
    const { remove, clock, parts, ec2 } = provider();
    const plan = launchPlan();
    const foreign = { ...plan, tags: { ...plan.tags, 'dcm-provider': 'another' } };
    const [placement] = plan.placements;
    await ec2.run(foreign, placement, 'token-1');
    const { instanceId } = await ec2.run(plan, placement, 'token-2');
    await ec2.terminate({ region }, instanceId);
    const { record } = await parts.records.begin({ dcmId, region, leaseMs });
    await parts.records.attempt(record, plan, 0);
    clock.ms += leaseMs;
    ec2.calls.length = 0;

    await remove(dcmId);

    expect(ec2.calls).toEqual([]);
    expect(await parts.records.read(dcmId)).toBeUndefined();
  });

  it('does not delete a VM that was created with the id afterwards', async () => {
    const { create, remove, ec2, parts } = provider();
    const { record } = await parts.records.begin({ dcmId, region, leaseMs });
    const { read } = parts.records;
    parts.records.read = async (id) => {
      parts.records.read = read;
      await parts.records.abandon(record); // the creation is refused, and begun anew
      await create(asked);
      return read(id);
    };

    await remove(dcmId);

    expect(ec2.living()).toHaveLength(1);
  });
});
