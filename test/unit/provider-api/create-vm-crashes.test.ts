import { describe, expect, it } from 'vitest';
import {
  InvalidArgumentError,
  RefusedRoleError,
  ResourceExhaustedError,
  ThrottledError,
  UnavailableError,
  UnprocessableError,
  UnsendableError,
  UpstreamError,
} from '../../../shared/core/errors.ts';
import { launchPlan } from '../../fixtures/launches.ts';
import { asked, dcmId, provider } from './provider.ts';

const leaseMs = 11_000;
const firstInstance = 'i-00000000000000001';
const runs = (calls: readonly string[]) => calls.filter((call) => call.startsWith('run')).length;

describe('creating a VM, with crashes', () => {
  it.each([
    new UnavailableError('EC2 did not answer'),
    new UpstreamError('EC2 failed'),
    new ThrottledError('EC2 failed, and then throttled each retry of the SDK'),
  ])('asks EC2 for the same instance again where the outcome is unknown: $name (C 32)', async (unknown) => {
    const { create, clock, ec2 } = provider();
    const { run } = ec2;
    ec2.run = async (...args) => {
      await run.apply(ec2, args);
      throw unknown; // launched, but the answer was lost
    };

    await expect(create(asked)).rejects.toThrow(unknown);
    ec2.run = run;
    clock.ms += leaseMs;
    const answer = await create({ ...asked, requestId: 'request-2' });

    expect(ec2.tokens.size).toBe(1);
    expect(ec2.living()).toHaveLength(1);
    expect(answer.instance_id).toBe(firstInstance);
  });

  it('plans once: the request that takes over uses the stored plan', async () => {
    let plans = 0;
    const { create, clock, ec2 } = provider(() => ({
      plan: async () => launchPlan({ imageId: `ami-${++plans}` }),
    }));
    ec2.refusals.push(new UnavailableError('EC2 did not answer'));

    await expect(create(asked)).rejects.toThrow(UnavailableError);
    clock.ms += leaseMs;
    const answer = await create(asked);

    expect(answer.image_id).toBe('ami-1');
  });

  it.each([
    new UnsendableError('the request could not be built or signed'),
    new InvalidArgumentError('no such image'),
    new UnprocessableError('not supported'),
  ])(
    'deletes an earlier plan that EC2 can never accept, and creates the VM of the corrected spec: $name',
    async (refusal) => {
      let plans = 0;
      const { create, clock, ec2 } = provider(() => ({
        plan: async () => launchPlan({ imageId: `ami-${++plans}` }),
      }));
      ec2.refusals.push(new UnavailableError('EC2 did not answer'), refusal);
      await expect(create(asked)).rejects.toThrow(UnavailableError);
      clock.ms += leaseMs;

      const answer = await create(asked);

      expect(answer).toMatchObject({ instance_id: firstInstance, image_id: 'ami-2' });
      expect(ec2.tokens.size).toBe(2);
    },
  );

  it('is refused for now where STS refuses the role, and works once the role is granted', async () => {
    const { create, ec2 } = provider();
    ec2.refusals.push(new RefusedRoleError('STS did not give this provider a session'));

    await expect(create(asked)).rejects.toMatchObject({ code: 'unavailable', retryable: true });

    expect(await create(asked)).toMatchObject({ instance_id: firstInstance });
  });

  it('keeps no plan whose request could not be sent, so that a corrected spec works', async () => {
    const { create, ec2 } = provider();
    ec2.refusals.push(new UnsendableError('the request could not be built or signed'));

    await expect(create(asked)).rejects.toThrow(UnsendableError);

    expect(await create(asked)).toMatchObject({ instance_id: firstInstance });
  });

  it('finds the instance of an earlier request where EC2 refuses the repeated one (C 32)', async () => {
    const { create, clock, ec2, parts } = provider();
    const { launched } = parts.records;
    parts.records.launched = () => Promise.reject(new Error('the function was stopped'));
    await expect(create(asked)).rejects.toThrow('stopped');
    parts.records.launched = launched;
    clock.ms += leaseMs;
    ec2.refusals.push(new ResourceExhaustedError('too many requests'));

    const answer = await create(asked);

    expect(answer).toMatchObject({ instance_id: firstInstance, instance_type: 't3.small' });
  });

  it('terminates the instance of a crashed creation whose deletion was requested meanwhile', async () => {
    const { create, clock, ec2, parts } = provider();
    const { launched, attempt } = parts.records;
    parts.records.launched = () => Promise.reject(new Error('the function was stopped'));
    await expect(create(asked)).rejects.toThrow('stopped');
    clock.ms += leaseMs;
    parts.records.launched = launched;
    parts.records.attempt = async (...args) => {
      await parts.records.requestDelete(dcmId);
      return attempt(...args);
    };

    await expect(create(asked)).rejects.toThrow(/deleted while it was being created/);

    expect(ec2.living()).toEqual([]);
    expect(runs(ec2.calls)).toBe(1);
  });

  it('takes over within the same request where the earlier one crashed', async () => {
    const { create, ec2, clock, parts } = provider();
    await parts.records.begin({ dcmId, region: 'us-east-1', leaseMs });
    clock.ms += leaseMs - 5_000;

    const answer = await create(asked);

    expect(answer.instance_id).toBe(firstInstance);
    expect(runs(ec2.calls)).toBe(1);
  });

  it('answers the instance that the normaliser found first', async () => {
    const { create, ec2, parts } = provider();
    const { run } = ec2;
    ec2.run = async (...args) => {
      const launched = await run.apply(ec2, args);
      const { instanceId, account } = launched;
      const facts = { launchedAtMs: launched.launchedAtMs };
      await parts.records.adopt({ dcmId, region: 'us-east-1', resourceId: instanceId, account, facts });
      return launched;
    };

    expect(await create(asked)).toMatchObject({ instance_id: firstInstance, private_ip_address: '10.0.0.4' });
  });

  it('terminates an instance that is launched too late to become the VM', async () => {
    const { create, ec2, clock, parts } = provider();
    const { run } = ec2;
    ec2.run = async (...args) => {
      const launched = await run.apply(ec2, args);
      ec2.run = run;
      clock.ms += leaseMs; // frozen for so long that another took over, and had to ask elsewhere
      const { record } = await parts.records.begin({ dcmId, region: 'us-east-1', leaseMs });
      const next = await parts.records.attempt(record, launchPlan(), 1);
      const facts = { launchedAtMs: clock.ms };
      if (next)
        await parts.records.launched(next, {
          dcmId,
          region: 'us-east-1',
          resourceId: 'i-0000000000000beef',
          account: '123456789012',
          facts,
        });
      return launched;
    };

    await expect(create(asked)).rejects.toThrow(UnavailableError); // its time is over
    expect(ec2.calls.at(-1)).toBe(`terminate ${firstInstance}`);
    expect(await create(asked)).toMatchObject({ instance_id: 'i-0000000000000beef' });
  });
});
