import { randomUUID } from 'node:crypto';
import {
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { codes, refusal, type Subject } from './subject.ts';

/** What a create of ours asks for, field by field, and what EC2 makes of it. */
export const launchOptions = ({ ec2, launch, launchInput, listed, reaches }: Subject) => {
  const network = async () => {
    const isDefault = { Name: 'default-for-az', Values: ['true'] };
    const { Subnets = [] } = await ec2().send(new DescribeSubnetsCommand({ Filters: [isDefault] }));
    const [subnet] = Subnets;
    const ofVpc = [
      { Name: 'vpc-id', Values: [subnet?.VpcId ?? ''] },
      { Name: 'group-name', Values: ['default'] },
    ];
    const { SecurityGroups = [] } = await ec2().send(new DescribeSecurityGroupsCommand({ Filters: ofVpc }));
    return {
      SubnetId: subnet?.SubnetId ?? '',
      zone: subnet?.AvailabilityZone,
      GroupId: SecurityGroups[0]?.GroupId ?? '',
    };
  };
  const launched = async (input: Partial<RunInstancesCommandInput>) => {
    const [id = ''] = await launch(input);
    const [instance] = await reaches([id], 'running');
    return instance;
  };

  describe('launch options', () => {
    it('put an instance into the subnet and the security groups of its network interface', async () => {
      const { SubnetId, GroupId, zone } = await network();

      const instance = await launched({
        NetworkInterfaces: [
          {
            DeviceIndex: 0,
            SubnetId,
            Groups: [GroupId],
            AssociatePublicIpAddress: true,
            DeleteOnTermination: true,
          },
        ],
      });

      expect(instance).toMatchObject({
        SubnetId,
        Placement: { AvailabilityZone: zone },
        SecurityGroups: [{ GroupId }],
        PublicIpAddress: expect.stringMatching(/^\d+(\.\d+){3}$/),
      });
    });

    it('put it into the subnet and the security groups beside', async () => {
      const { SubnetId, GroupId } = await network();

      const instance = await launched({ SubnetId, SecurityGroupIds: [GroupId] });

      expect(instance).toMatchObject({ SubnetId, SecurityGroups: [{ GroupId }] });
    });

    it('refuse it a public address', async () => {
      const { SubnetId } = await network();

      const instance = await launched({
        NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress: false }],
      });

      expect(instance?.PrivateIpAddress).toBeTruthy();
      expect(instance?.PublicIpAddress).toBeFalsy();
    });

    it('show its volumes, its metadata service and its profile', async () => {
      const instance = await launched({
        BlockDeviceMappings: [
          { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 20, VolumeType: 'gp3', Encrypted: true } },
          { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 100, VolumeType: 'gp3', DeleteOnTermination: false } },
        ],
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2, HttpEndpoint: 'enabled' },
        IamInstanceProfile: { Name: 'web' },
        UserData: Buffer.from('#cloud-config').toString('base64'),
        EbsOptimized: true,
      });

      expect(instance).toMatchObject({
        RootDeviceName: '/dev/xvda',
        BlockDeviceMappings: [
          { DeviceName: '/dev/xvda', Ebs: { Status: 'attached', DeleteOnTermination: true } },
          { DeviceName: '/dev/sdf', Ebs: { DeleteOnTermination: false } },
        ],
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2, State: 'applied' },
        IamInstanceProfile: { Arn: expect.stringMatching(/:instance-profile\/web$/) },
      });
      const volumes = instance?.BlockDeviceMappings?.map(({ Ebs }) => Ebs?.VolumeId);
      expect(new Set(volumes).size).toBe(2);
    });

    it.each([
      ['an image that is none', { ImageId: 'debian' }, 'InvalidAMIID.Malformed'],
      ['an image that does not exist', { ImageId: 'ami-0fffffffffffffff0' }, 'InvalidAMIID.NotFound'],
      ['a subnet that does not exist', { SubnetId: 'subnet-0fffffffffffffff0' }, 'InvalidSubnetID.NotFound'],
      [
        'a group that does not exist',
        { SecurityGroupIds: ['sg-0fffffffffffffff0'] },
        'InvalidGroup.NotFound',
      ],
      ['a type that does not exist', { InstanceType: 'z9.huge' as 't3.micro' }, 'InvalidParameterValue'],
      ['a type of another architecture', { InstanceType: 't4g.micro' }, 'InvalidParameterValue'],
      [
        'a type that the zone does not have',
        { InstanceType: 'm7i.large', Placement: { AvailabilityZone: 'us-east-1e' } },
        'Unsupported',
      ],
      [
        'a boot disk smaller than its snapshot',
        { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 4 } }] },
        'InvalidBlockDeviceMapping',
      ],
      [
        'a hop limit out of bounds',
        { MetadataOptions: { HttpPutResponseHopLimit: 65 } },
        'InvalidParameterValue',
      ],
      ['user data that is not in base64', { UserData: '#cloud-config' }, 'InvalidUserData.Malformed'],
      [
        'user data beyond 16 KiB',
        { UserData: Buffer.alloc(16_385, 'a').toString('base64') },
        'InvalidParameterValue',
      ],
      [
        'a profile that is none',
        { IamInstanceProfile: { Arn: 'arn:aws:iam::1:role/web' } },
        'InvalidParameterValue',
      ],
      [
        'a subnet beside a network interface',
        { SubnetId: 'subnet-0a1b2c3d4e5f60718', NetworkInterfaces: [{ DeviceIndex: 0 }] },
        'InvalidParameterCombination',
      ],
    ] as const)('refuse %s, in a dry run too', async (_, input, code) => {
      const wanted: Partial<RunInstancesCommandInput> = JSON.parse(JSON.stringify(input));

      expect(await codes(launch(wanted), launch({ ...wanted, DryRun: true }))).toEqual([code, code]);
    });

    it('give the same instance to the same client token, and none once that is terminated', async () => {
      const input = launchInput({ ClientToken: randomUUID() });
      const [first = ''] = await launch(input);
      const [again = ''] = await launch(input);
      await ec2().send(new TerminateInstancesCommand({ InstanceIds: [first] }));
      await reaches([first], 'terminated');

      const error = await refusal(launch(input));

      expect(again).toBe(first);
      expect(error.name).toBe('IdempotentInstanceTerminated');
      expect(
        await listed({ Filters: [{ Name: 'client-token', Values: [input.ClientToken ?? ''] }] }),
      ).toHaveLength(1);
    });

    it('protect it from termination from the start', async () => {
      const [id = ''] = await launch({ DisableApiTermination: true });

      const error = await refusal(ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] })));

      expect(error.name).toBe('OperationNotPermitted');
    });
  });
};
