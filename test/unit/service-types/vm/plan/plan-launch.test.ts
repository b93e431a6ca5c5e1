import { describe, expect, it } from 'vitest';
import {
  InvalidArgumentError,
  UnavailableError,
  UnprocessableError,
} from '../../../../../shared/core/errors.ts';
import { LaunchPlan } from '../../../../../shared/service-types/vm/launch.ts';
import { planLaunch } from '../../../../../shared/service-types/vm/plan/plan-launch.ts';
import { Provisioning } from '../../../../../shared/service-types/vm/provisioning.ts';
import type { VmSpec } from '../../../../../shared/service-types/vm/spec.ts';
import {
  image,
  imageId,
  type ScriptedOfferings,
  scriptedOfferings,
} from '../../../../fakes/scripted-offerings.ts';
import { dcmId, tagKeys } from '../../../../fixtures/resource-messages.ts';
import { sshPublicKey, vmSpec } from '../../../../fixtures/vm-spec.ts';

const region = 'us-east-1';
const amazonLinux = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64';
const armImage = image({ imageId: imageId(2), architecture: 'arm64' });
const windows = image({ imageId: imageId(3), platform: 'windows' });

const offeringsOf = (): ScriptedOfferings => {
  const offerings = scriptedOfferings([image(), armImage, windows]);
  offerings.parameters.set(amazonLinux, imageId(1));
  return offerings;
};

type Settings = Partial<Provisioning> & {
  readonly living?: number;
  readonly offerings?: ScriptedOfferings;
};

const plan = (
  spec: Partial<VmSpec>,
  { living = 0, offerings = offeringsOf(), ...more }: Settings = {},
  where = region,
) => {
  const provisioning = { ...Provisioning.parse({ regions: { [region]: {} } }), ...more };
  const parts = { offerings, provisioning, livingVms: async () => living, provider: 'ec2-sp', tagKeys };
  return planLaunch(parts)(vmSpec(spec), { dcmId, region: where, requestId: 'request-1' });
};

const subnets = [
  { id: 'subnet-a', zone: 'us-east-1a' },
  { id: 'subnet-b', zone: 'us-east-1b' },
];
const network = {
  ...{ subnets, securityGroupIds: ['sg-1'], kmsKeyId: 'arn:aws:kms:key' },
  ...{ allowedSubnetIds: ['subnet-x'], allowedSecurityGroupIds: ['sg-x'] },
};

describe('a launch plan', () => {
  it('of an empty spec has the defaults (C 25)', async () => {
    expect(await plan({})).toEqual({
      region,
      imageId: imageId(1),
      placements: [
        { instanceType: 't3.small' },
        { instanceType: 't3.medium' },
        { instanceType: 'c7i.large' },
      ],
      securityGroupIds: [],
      disks: [{ deviceName: '/dev/xvda', gib: 8 }],
      userData: undefined,
      instanceProfile: undefined,
      spot: false,
      publicAddress: false,
      kmsKeyId: undefined,
      tags: {
        Name: dcmId,
        'managed-by': 'dcm',
        'dcm-instance-id': dcmId,
        'dcm-provider': 'ec2-sp',
        'dcm-service-type': 'vm',
        'dcm-request-id': 'request-1',
      },
      sshUser: 'ec2-user',
      chosenBy: {
        image: `catalogue: amazon-linux-2023 (SSM parameter ${amazonLinux}), as guest_os.type is absent`,
        instanceType: 'smallest of t3, m7i, c7i, r7i with 1 vCPU (default) and 2 GiB (default)',
      },
    });
  });

  it('has every field of the spec (C2 6)', async () => {
    const planned = await plan({
      vcpus: 2,
      memoryMib: 4096,
      disks: [
        { name: 'boot', gib: 20 },
        { name: 'data', gib: 50 },
      ],
      guestOs: 'amazon-linux-2023',
      sshPublicKey,
      name: 'web-1',
      labels: { tier: 'web' },
    });

    expect(planned.placements[0]).toEqual({ instanceType: 't3.medium' });
    expect(planned.disks.map(({ gib }) => gib)).toEqual([20, 50]);
    expect(Buffer.from(planned.userData ?? '', 'base64').toString()).toContain(sshPublicKey);
    expect(planned.tags).toMatchObject({ Name: 'web-1', tier: 'web' });
  });

  it('has every hint', async () => {
    const hints = {
      instance_type: 'm7i.large',
      image_id: imageId(1),
      subnet_id: 'subnet-x',
      security_group_ids: ['sg-x', 'sg-1'],
      iam_instance_profile: 'app',
      spot: true,
    };

    const planned = await plan(
      { hints },
      { regions: { [region]: network }, instanceProfiles: ['app'], spot: true },
    );

    expect(planned).toMatchObject({
      placements: [{ instanceType: 'm7i.large', subnetId: 'subnet-x' }],
      securityGroupIds: ['sg-x', 'sg-1'],
      instanceProfile: 'app',
      spot: true,
      sshUser: undefined,
      chosenBy: {
        image: 'provider_hints.aws.image_id',
        instanceType: 'provider_hints.aws.instance_type',
      },
    });
  });

  it('has every setting of the region', async () => {
    const planned = await plan({}, { regions: { [region]: network }, publicAddresses: true });

    expect(planned).toMatchObject({
      placements: [
        { instanceType: 't3.small', subnetId: 'subnet-a', zone: 'us-east-1a' },
        { instanceType: 't3.small', subnetId: 'subnet-b', zone: 'us-east-1b' },
        { instanceType: 't3.medium', subnetId: 'subnet-a', zone: 'us-east-1a' },
      ],
      securityGroupIds: ['sg-1'],
      kmsKeyId: 'arn:aws:kms:key',
      publicAddress: true,
    });
  });

  it('is the same after it is stored and read', async () => {
    const planned = await plan({ sshPublicKey });

    expect(LaunchPlan.parse(JSON.parse(JSON.stringify(planned)))).toEqual(
      JSON.parse(JSON.stringify(planned)),
    );
  });

  it('is the same however often it is made, since one client token must have one request', async () => {
    expect(await plan({ vcpus: 2 })).toEqual(await plan({ vcpus: 2 }));
  });

  it('has only types that run the image', async () => {
    const both = { families: ['t3', 't4g'] };

    expect((await plan({}, both)).placements.map(({ instanceType }) => instanceType)).toEqual([
      't3.small',
      't3.medium',
      't3.large',
    ]);
    expect((await plan({ hints: { image_id: imageId(2) } }, both)).placements).toEqual([
      { instanceType: 't4g.small' },
      { instanceType: 't4g.medium' },
    ]);
  });

  it.each<[string, Partial<VmSpec>, Settings, string]>([
    [
      'a type that does not run the image (C 38)',
      { hints: { instance_type: 't4g.small', image_id: imageId(1) } },
      { families: ['t4g'] },
      'is for x86_64, but t4g.small runs only arm64',
    ],
    [
      'an image that no allowed type runs',
      { hints: { image_id: imageId(2) } },
      {},
      'is for arm64, but t3.small runs only x86_64',
    ],
    [
      'an SSH key for Windows',
      { sshPublicKey, hints: { image_id: imageId(3) } },
      {},
      'access.ssh_public_key: expected none',
    ],
    ['an image that is not there', { hints: { image_id: imageId(99) } }, {}, 'no image'],
    ['a boot disk that is too small', { disks: [{ name: 'boot', gib: 1 }] }, {}, 'too small'],
    ['a zone elsewhere', { hints: { availability_zone: 'eu-west-1a' } }, {}, 'is not in us-east-1'],
  ])('is refused for %s', async (_, spec, settings, why) => {
    await expect(plan(spec, settings)).rejects.toThrow(InvalidArgumentError);
    await expect(plan(spec, settings)).rejects.toThrow(why);
  });

  it.each<[string, Partial<VmSpec>, Settings, string]>([
    ['too many vCPUs', { vcpus: 17 }, {}, 'vcpu.count: 17 is more than the 16'],
    ['too much memory', { memoryMib: 65 * 1024 }, {}, 'memory.size: more than the 64GB'],
    [
      'too large disks',
      {
        disks: [
          { name: 'boot', gib: 1000 },
          { name: 'data', gib: 25 },
        ],
      },
      {},
      'storage.disks: 1025GB in total, more than the 1024GB',
    ],
    ['an image larger than allowed', {}, { maximumDiskGib: 7 }, 'storage.disks: 8GB'],
    [
      'a family that is not allowed',
      { hints: { instance_type: 'p5.48xlarge' } },
      {},
      'p5.48xlarge is not in the families that this provider allows: t3, m7i, c7i, r7i',
    ],
    [
      'an instance profile that is not permitted (C 7)',
      { hints: { iam_instance_profile: 'admin' } },
      { instanceProfiles: ['app'] },
      'does not allow admin',
    ],
    ['a spot instance', { hints: { spot: true } }, {}, 'does not allow spot instances'],
    [
      'a subnet that is not allowed (X 3)',
      { hints: { subnet_id: 'subnet-y' } },
      { regions: { [region]: network } },
      'provider_hints.aws.subnet_id: this provider does not allow subnet-y in us-east-1: only subnet-a, subnet-b, subnet-x',
    ],
    [
      'security groups that are not allowed (X 3)',
      { hints: { security_group_ids: ['sg-1', 'sg-y', 'sg-z'] } },
      { regions: { [region]: network } },
      'provider_hints.aws.security_group_ids: this provider does not allow sg-y, sg-z in us-east-1: only sg-1, sg-x',
    ],
    [
      'a subnet where none is configured (X 3)',
      { hints: { subnet_id: 'subnet-a' } },
      {},
      'provider_hints.aws.subnet_id: this provider does not allow subnet-a in us-east-1: none is configured',
    ],
    ['one VM too many', {}, { living: 100 }, 'there are 100 VMs, and this provider allows 100'],
    ['any VM where none is allowed', {}, { maximumVms: 0 }, 'allows 0'],
  ])('is refused by the operator’s limits for %s', async (_, spec, settings, why) => {
    await expect(plan(spec, settings)).rejects.toThrow(UnprocessableError);
    await expect(plan(spec, settings)).rejects.toThrow(why);
  });

  it('is refused with all limits that a spec exceeds', async () => {
    const refused = plan({
      vcpus: 99,
      memoryMib: 999_999,
      hints: { instance_type: 'p5.xlarge', spot: true },
    });

    await expect(refused).rejects.toThrow(/vcpu\.count.*memory\.size.*spot.*instance_type/);
  });

  it.each(['eu-west-1', 'constructor'])('is refused in %s, which is not configured', async (where) => {
    await expect(plan({}, {}, where)).rejects.toThrow(UnprocessableError);
    await expect(plan({}, {}, where)).rejects.toThrow(`does not create VMs in ${where}, only in us-east-1`);
  });

  it('does not ask EC2 where the limits refuse the spec', async () => {
    const offerings = offeringsOf();

    await expect(plan({ vcpus: 99 }, { offerings })).rejects.toThrow();
    await expect(plan({}, { offerings, living: 100 })).rejects.toThrow();
    await expect(plan({ hints: { subnet_id: 'subnet-a' } }, { offerings })).rejects.toThrow();

    expect(offerings.asked).toEqual([]);
  });

  it('fails as EC2 fails', async () => {
    const offerings = {
      ...offeringsOf(),
      instanceTypes: () => Promise.reject(new UnavailableError('EC2 is away')),
    };

    await expect(plan({}, { offerings })).rejects.toThrow(UnavailableError);
  });
});
