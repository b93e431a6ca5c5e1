import { describe, expect, it } from 'vitest';
import { validateVm } from '../../../functions/provider-api/validate-vm.ts';
import {
  PermissionDeniedError,
  ResourceExhaustedError,
  UnprocessableError,
} from '../../../shared/core/errors.ts';
import type { LaunchPlan, Placement } from '../../../shared/service-types/vm/launch.ts';
import type { VcpuQuota } from '../../../shared/service-types/vm/ports.ts';
import { Provisioning } from '../../../shared/service-types/vm/provisioning.ts';
import { VmValidation } from '../../../shared/service-types/vm/resource.ts';
import type { VmSpec } from '../../../shared/service-types/vm/spec.ts';
import { image, imageId, instanceType, scriptedOfferings } from '../../fakes/scripted-offerings.ts';
import { tagKeys } from '../../fixtures/resource-messages.ts';
import { vmSpec } from '../../fixtures/vm-spec.ts';

const region = 'us-east-1';
const hints = { image_id: imageId(1) };

const validation = ({
  quota = async () => ({ limit: 32, used: 8 }),
  refusal,
  ...more
}: { quota?: VcpuQuota['quota']; refusal?: Error } & Partial<Provisioning> = {}) => {
  const offerings = scriptedOfferings([image()]);
  offerings.types.push(instanceType('g5.xlarge', 4, 16));
  const dryRunAnswer: [LaunchPlan, Placement][] = [];
  const subnets = [{ id: 'subnet-a', zone: 'us-east-1a' }];
  const validate = validateVm({
    offerings,
    provisioning: { ...Provisioning.parse({ regions: { [region]: { subnets } }, spot: true }), ...more },
    livingVms: async () => 0,
    provider: 'ec2-sp',
    tagKeys,
    vcpuQuota: { quota },
    actions: {
      dryRun: async (...asked) => {
        dryRunAnswer.push(asked);
        if (refusal) throw refusal;
      },
    },
  });
  const ask = (spec: Partial<VmSpec> = { hints }) =>
    validate(vmSpec(spec), { region, requestId: 'request-1' });
  return { ask, dryRunAnswer };
};

describe('validation of a VM', () => {
  it('answers what a create would launch', async () => {
    const { ask } = validation();

    const answer = await ask({ vcpus: 2, memoryMib: 4096, hints });

    expect(VmValidation.parse(answer)).toEqual({
      region,
      image_id: imageId(1),
      instance_type: 't3.medium',
      subnet_id: 'subnet-a',
      zone: 'us-east-1a',
      chosen_by: {
        image: 'provider_hints.aws.image_id',
        instance_type: 'smallest of t3, m7i, c7i, r7i with 2 vCPU and 4 GiB',
      },
      vcpu_quota: '8 of 32 vCPUs in us-east-1 are in use, and t3.medium needs 2',
    });
  });

  it('asks EC2 for a dry run of the best placement', async () => {
    const { ask, dryRunAnswer } = validation();

    await ask();

    expect(dryRunAnswer.map(([plan, placement]) => [plan.imageId, placement.subnetId])).toEqual([
      [imageId(1), 'subnet-a'],
    ]);
  });

  it('is refused where EC2 refuses the dry run', async () => {
    const { ask } = validation({ refusal: new PermissionDeniedError('not permitted') });

    await expect(ask()).rejects.toThrow(PermissionDeniedError);
  });

  it('is refused where a create would be', async () => {
    const { ask, dryRunAnswer } = validation();

    await expect(ask({ vcpus: 99, hints })).rejects.toThrow(UnprocessableError);
    expect(dryRunAnswer).toEqual([]);
  });

  it('is refused where the account’s quota would be exceeded', async () => {
    const { ask } = validation({ quota: async () => ({ limit: 9, used: 8 }) });

    await expect(ask()).rejects.toThrow(ResourceExhaustedError);
    await expect(ask()).rejects.toThrow('8 of 9 vCPUs in us-east-1 are in use, and t3.small needs 2');
  });

  it('may use the quota up to the last vCPU', async () => {
    const { ask } = validation({ quota: async () => ({ limit: 10, used: 8 }) });

    expect((await ask()).vcpu_quota).toContain('8 of 10');
  });

  it('says that the quota could not be read', async () => {
    const { ask } = validation({ quota: () => Promise.reject(new PermissionDeniedError('not permitted')) });

    expect((await ask()).vcpu_quota).toBe('not checked: not permitted');
  });

  it('does not compare families with a quota of their own', async () => {
    const { ask } = validation({ families: ['g5'] });

    expect((await ask()).vcpu_quota).toBe('not checked: family g5 has a quota of its own');
  });

  it.each([
    [true, 'spot'],
    [undefined, 'on-demand'],
  ])('compares the quota of its market: spot %s', async (spot, market) => {
    const markets: string[] = [];
    const { ask } = validation({
      quota: async (_, asked) => {
        markets.push(asked);
        return { limit: 32, used: 0 };
      },
    });

    await ask({ hints: { ...hints, spot } });

    expect(markets).toEqual([market]);
  });
});
