import {
  DescribeImagesCommand,
  DescribeInstanceTypesCommand,
  EC2Client,
  EC2ServiceException,
  type Image,
} from '@aws-sdk/client-ec2';
import { GetParameterCommand, SSMClient, SSMServiceException } from '@aws-sdk/client-ssm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidArgumentError, PermissionDeniedError } from '../../../../../shared/core/errors.ts';
import { ec2Offerings } from '../../../../../shared/service-types/vm/ec2/offerings.ts';
import { mockedClient } from '../../../../mocked-client.ts';

const ec2 = mockedClient(EC2Client);
const ssm = mockedClient(SSMClient);
afterAll(() => {
  ec2.restore();
  ssm.restore();
});
const region = 'us-east-1';

beforeEach(() => {
  ec2.reset();
  ssm.reset();
});

const fault = { $fault: 'client', $metadata: {} } as const;

const described = (more: Partial<Image> = {}): Image => ({
  ImageId: 'ami-1',
  Name: 'an image',
  Architecture: 'x86_64',
  RootDeviceName: '/dev/sda1',
  CreationDate: '2026-01-01T00:00:00.000Z',
  BlockDeviceMappings: [
    { DeviceName: '/dev/sdb', VirtualName: 'ephemeral0' },
    { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 100 } },
    { DeviceName: '/dev/sda1', Ebs: { VolumeSize: 10 } },
  ],
  ...more,
});

describe('an image', () => {
  it('is described by its id, with its volumes, the root first', async () => {
    ec2.on(DescribeImagesCommand).resolves({ Images: [described()] });

    expect(await ec2Offerings().image({ region }, 'ami-1')).toEqual({
      imageId: 'ami-1',
      name: 'an image',
      architecture: 'x86_64',
      platform: 'linux',
      rootDeviceName: '/dev/sda1',
      volumes: [
        { deviceName: '/dev/sda1', gib: 10 },
        { deviceName: '/dev/sdf', gib: 100 },
      ],
    });
    expect(ec2.commandCalls(DescribeImagesCommand)[0]?.args[0].input).toEqual({ ImageIds: ['ami-1'] });
  });

  it('is looked up among the images of the given owners', async () => {
    ec2.on(DescribeImagesCommand).resolves({ Images: [] });

    expect(await ec2Offerings().image({ region }, 'ami-1', ['amazon', 'self'])).toBeUndefined();
    expect(ec2.commandCalls(DescribeImagesCommand)[0]?.args[0].input).toEqual({
      ImageIds: ['ami-1'],
      Owners: ['amazon', 'self'],
    });
  });

  it('has the platform Windows', async () => {
    ec2.on(DescribeImagesCommand).resolves({ Images: [described({ Platform: 'Windows' })] });

    expect((await ec2Offerings().image({ region }, 'ami-1'))?.platform).toBe('windows');
  });

  it.each(['InvalidAMIID.NotFound', 'InvalidAMIID.Malformed', 'InvalidAMIID.Unavailable'])(
    'is undefined where EC2 answers %s',
    async (name) => {
      ec2.on(DescribeImagesCommand).rejects(new EC2ServiceException({ name, message: 'no', ...fault }));

      expect(await ec2Offerings().image({ region }, 'ami-1')).toBeUndefined();
    },
  );

  it.each<[string, Image[]]>([
    ['none', []],
    ['one for 32 bits', [described({ Architecture: 'i386' })]],
    ['one for Macs', [described({ Architecture: 'arm64_mac' })]],
  ])('is not there where EC2 has %s (C 38)', async (_, Images) => {
    ec2.on(DescribeImagesCommand).resolves({ Images });

    expect(await ec2Offerings().image({ region }, 'ami-1')).toBeUndefined();
  });

  it('fails as EC2 fails', async () => {
    const refusal = new EC2ServiceException({ name: 'UnauthorizedOperation', message: 'no', ...fault });
    ec2.on(DescribeImagesCommand).rejects(refusal);

    await expect(ec2Offerings().image({ region }, 'ami-1')).rejects.toThrow(PermissionDeniedError);
  });
});

describe('the newest image', () => {
  const rhel = { owner: '309956199498', name: 'RHEL-9.*', architecture: 'x86_64' } as const;

  it('is looked up by owner, name and architecture, among those that can be launched', async () => {
    ec2.on(DescribeImagesCommand).resolves({ Images: [] });

    expect(await ec2Offerings().newestImage({ region }, rhel)).toBeUndefined();
    expect(ec2.commandCalls(DescribeImagesCommand)[0]?.args[0].input).toEqual({
      Owners: ['309956199498'],
      Filters: [
        { Name: 'state', Values: ['available'] },
        { Name: 'root-device-type', Values: ['ebs'] },
        { Name: 'virtualization-type', Values: ['hvm'] },
        { Name: 'name', Values: ['RHEL-9.*'] },
        { Name: 'architecture', Values: ['x86_64'] },
      ],
    });
  });

  it('has the newest version, whichever was published last', async () => {
    const Images = [
      described({ ImageId: 'ami-6', Name: 'RHEL-9.6.0_HVM-20260101-x86_64-0-Hourly2-GP3' }),
      described({
        ImageId: 'ami-2',
        Name: 'RHEL-9.2.0_HVM-20260908-x86_64-0-Hourly2-GP3',
        CreationDate: '2026-09-08T00:00:00.000Z',
      }),
      described({ ImageId: 'ami-10', Name: 'RHEL-9.10.0_HVM-20251201-x86_64-0-Hourly2-GP3' }),
    ];
    ec2.on(DescribeImagesCommand).resolves({ Images });

    expect((await ec2Offerings().newestImage({ region }, rhel))?.imageId).toBe('ami-10');
  });

  it('is always the same of two equally new images', async () => {
    const old = described({ ImageId: 'ami-9', CreationDate: '2025-12-31T00:00:00.000Z' });
    const twins = [described({ ImageId: 'ami-3' }), described({ ImageId: 'ami-4' })];

    for (const Images of [[old, ...twins], [...twins].reverse().concat(old)]) {
      ec2.on(DescribeImagesCommand).resolves({ Images });
      expect((await ec2Offerings().newestImage({ region }, rhel))?.imageId).toBe('ami-4');
    }
  });
});

describe('a public parameter', () => {
  it('holds the id of an image', async () => {
    ssm.on(GetParameterCommand, { Name: '/aws/x' }).resolves({ Parameter: { Value: 'ami-1' } });

    expect(await ec2Offerings().imageIdOf({ region }, '/aws/x')).toBe('ami-1');
  });

  it('is undefined where there is none', async () => {
    ssm
      .on(GetParameterCommand)
      .rejects(new SSMServiceException({ name: 'ParameterNotFound', message: 'no', ...fault }));

    expect(await ec2Offerings().imageIdOf({ region }, '/aws/x')).toBeUndefined();
  });

  it('fails where we may not read it', async () => {
    const refusal = new SSMServiceException({ name: 'AccessDeniedException', message: 'no', ...fault });
    ssm.on(GetParameterCommand).rejects(refusal);

    const reading = ec2Offerings().imageIdOf({ region }, '/aws/x');

    await expect(reading).rejects.toThrow(PermissionDeniedError);
    await expect(reading).rejects.toThrow(
      'SSM in us-east-1 does not permit this provider to get parameter /aws/x',
    );
  });
});

describe('instance types', () => {
  it('are those of the given families, from all pages', async () => {
    ec2
      .on(DescribeInstanceTypesCommand)
      .resolvesOnce({
        InstanceTypes: [
          {
            InstanceType: 't3.small',
            VCpuInfo: { DefaultVCpus: 2 },
            MemoryInfo: { SizeInMiB: 2048 },
            ProcessorInfo: { SupportedArchitectures: ['i386', 'x86_64'] },
            SupportedUsageClasses: ['on-demand', 'spot'],
          },
          { InstanceType: 't3.medium' },
        ],
        NextToken: 'more',
      })
      .resolves({
        InstanceTypes: [
          {
            InstanceType: 't4g.small',
            VCpuInfo: { DefaultVCpus: 2 },
            MemoryInfo: { SizeInMiB: 2048 },
            ProcessorInfo: { SupportedArchitectures: ['arm64'] },
            SupportedUsageClasses: ['on-demand'],
          },
        ],
      });

    expect(await ec2Offerings().instanceTypes({ region }, ['t3', 't4g'])).toEqual([
      { instanceType: 't3.small', vcpus: 2, memoryMib: 2048, architectures: ['x86_64'], spot: true },
      { instanceType: 't4g.small', vcpus: 2, memoryMib: 2048, architectures: ['arm64'], spot: false },
    ]);
    expect(ec2.commandCalls(DescribeInstanceTypesCommand)[0]?.args[0].input).toMatchObject({
      Filters: [
        { Name: 'instance-type', Values: ['t3.*', 't4g.*'] },
        { Name: 'bare-metal', Values: ['false'] },
      ],
    });
  });

  it('fail as EC2 fails', async () => {
    const refusal = new EC2ServiceException({ name: 'InvalidParameterValue', message: 'no', ...fault });
    ec2.on(DescribeInstanceTypesCommand).rejects(refusal);

    await expect(ec2Offerings().instanceTypes({ region }, ['t3'])).rejects.toThrow(InvalidArgumentError);
  });
});
