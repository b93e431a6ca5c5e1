import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  paginateDescribeInstanceTypes,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { codes, refusal, type Subject } from './subject.ts';

/** What a create of ours looks up before it launches. */
export const catalogue = ({ ec2, imageId }: Subject) => {
  const images = async (...Values: string[]) => {
    const { Images = [] } = await ec2().send(
      new DescribeImagesCommand({
        Owners: ['099720109477'],
        Filters: [
          { Name: 'name', Values },
          { Name: 'architecture', Values: ['x86_64'] },
          { Name: 'state', Values: ['available'] },
        ],
      }),
    );
    return Images;
  };

  describe('catalogue', () => {
    it('has images of an owner by a pattern of their names, of which one is the newest', async () => {
      const found = await images('ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*');

      const dates = found.map(({ CreationDate = '' }) => CreationDate);
      expect(found.length).toBeGreaterThan(1);
      expect(new Set(dates).size).toBe(found.length);
      expect(
        found.every(({ OwnerId, Architecture }) => `${OwnerId} ${Architecture}` === '099720109477 x86_64'),
      ).toBe(true);
      expect(await images('ubuntu/images/*/ubuntu-warty-*')).toEqual([]);
    });

    it('tells where an image boots from, and how large that is at least', async () => {
      const [image] = await images('*noble*');

      expect(image).toMatchObject({ RootDeviceName: '/dev/sda1', PlatformDetails: 'Linux/UNIX' });
      expect(image?.BlockDeviceMappings).toMatchObject([
        { DeviceName: '/dev/sda1', Ebs: { VolumeSize: 8, SnapshotId: expect.stringMatching(/^snap-/) } },
      ]);
    });

    it('fails for images by id that are none, or do not exist', async () => {
      const byId = (id: string) => ec2().send(new DescribeImagesCommand({ ImageIds: [imageId(), id] }));

      expect(await codes(byId('debian'), byId('ami-0fffffffffffffff0'))).toEqual([
        'InvalidAMIID.Malformed',
        'InvalidAMIID.NotFound',
      ]);
    });

    it.each([
      ['t3.nano', 2, 512, 'x86_64'],
      ['t3a.medium', 2, 4_096, 'x86_64'],
      ['t4g.small', 2, 2_048, 'arm64'],
      ['m5.large', 2, 8_192, 'x86_64'],
      ['m7i.48xlarge', 192, 786_432, 'x86_64'],
      ['c7i.2xlarge', 8, 16_384, 'x86_64'],
      ['r7i.16xlarge', 64, 524_288, 'x86_64'],
    ] as const)('knows that a %s has %i vCPUs, %i MiB and is %s', async (name, vcpus, mib, architecture) => {
      const { InstanceTypes } = await ec2().send(new DescribeInstanceTypesCommand({ InstanceTypes: [name] }));

      expect(InstanceTypes).toMatchObject([
        {
          VCpuInfo: { DefaultVCpus: vcpus },
          MemoryInfo: { SizeInMiB: mib },
          ProcessorInfo: { SupportedArchitectures: [architecture] },
        },
      ]);
    });

    it('tells which types can be spot instances', async () => {
      const { InstanceTypes } = await ec2().send(
        new DescribeInstanceTypesCommand({ InstanceTypes: ['t3.small'] }),
      );

      expect(InstanceTypes?.map(({ SupportedUsageClasses }) => SupportedUsageClasses)).toEqual([
        expect.arrayContaining(['on-demand', 'spot']),
      ]);
    });

    it('lists the instance types of families, page by page', async () => {
      const names: (string | undefined)[] = [];
      const pages = paginateDescribeInstanceTypes(
        { client: ec2(), pageSize: 5 },
        { Filters: [{ Name: 'instance-type', Values: ['t3.*', 'm7i.*'] }] },
      );
      for await (const { InstanceTypes = [] } of pages)
        names.push(...InstanceTypes.map((one) => one.InstanceType));

      expect(new Set(names).size).toBe(names.length);
      expect(names).toEqual(expect.arrayContaining(['t3.micro', 't3.2xlarge', 'm7i.large', 'm7i.48xlarge']));
      expect(names.every((name) => /^(t3|m7i)\./.test(name ?? ''))).toBe(true);
    });

    it('tells which zones have a type', async () => {
      const zones = async (name: string) => {
        const { InstanceTypeOfferings = [] } = await ec2().send(
          new DescribeInstanceTypeOfferingsCommand({
            LocationType: 'availability-zone',
            Filters: [{ Name: 'instance-type', Values: [name] }],
          }),
        );
        return InstanceTypeOfferings.map(({ Location }) => Location);
      };

      expect(await zones('m7i.large')).toContain('us-east-1a');
      expect(await zones('m7i.large')).not.toContain('us-east-1e');
      expect(await zones('z9.huge')).toEqual([]);
    });

    it('has a default subnet in every zone of the region', async () => {
      const isDefault = { Name: 'default-for-az', Values: ['true'] };

      const { Subnets = [] } = await ec2().send(new DescribeSubnetsCommand({ Filters: [isDefault] }));

      const zones = Subnets.map(({ AvailabilityZone }) => AvailabilityZone);
      expect(new Set(zones).size).toBe(Subnets.length);
      expect(
        Subnets.every(({ State, MapPublicIpOnLaunch }) => State === 'available' && MapPublicIpOnLaunch),
      ).toBe(true);
    });

    it('fails for subnets and security groups that do not exist', async () => {
      const refused = await codes(
        ec2().send(new DescribeSubnetsCommand({ SubnetIds: ['subnet-0fffffffffffffff0'] })),
        ec2().send(new DescribeSecurityGroupsCommand({ GroupIds: ['sg-0fffffffffffffff0'] })),
      );

      expect(refused).toEqual(['InvalidSubnetID.NotFound', 'InvalidGroup.NotFound']);
    });

    it('lists nothing in a dry run, and says that it could', async () => {
      const error = await refusal(ec2().send(new DescribeInstancesCommand({ DryRun: true })));

      expect(error).toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
    });
  });
};
