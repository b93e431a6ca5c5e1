import type { Image as Ec2Image, Filter, InstanceTypeInfo } from '@aws-sdk/client-ec2';
import { cached } from '../../../adapters/aws/cached.ts';
import { codeOf } from '../../../adapters/aws/errors.ts';
import { type SsmParameters, ssmParameters } from '../../../adapters/aws/ssm-parameters.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type Architecture, compareVersions } from '../image-catalogue.ts';
import type { Image, InstanceType, Offerings } from '../ports.ts';
import { type Ec2Calls, ec2Calls } from './calls.ts';

type Parts = { readonly call?: Ec2Calls; readonly parameters?: SsmParameters };

/** Offerings by the EC2 and SSM clients of AWS's SDK. */
export const ec2Offerings = ({ call = ec2Calls(), parameters = ssmParameters() }: Parts = {}): Offerings => ({
  image: (target, imageId, owners) =>
    call(target, `describe image ${imageId}`, async (ec2, client, options) => {
      const command = new ec2.DescribeImagesCommand({
        ImageIds: [imageId],
        ...(owners && { Owners: [...owners] }),
      });
      const { Images = [] } = await client.send(command, options).catch(noneIfUnknown);
      return Images.flatMap(imageOf)[0];
    }),

  newestImage: (target, { owner, name, architecture }) =>
    call(target, `describe images of ${owner}`, async (ec2, client, options) => {
      const Filters = [...usable, filter('name', name), filter('architecture', architecture)];
      const command = new ec2.DescribeImagesCommand({ Owners: [owner], Filters });
      const { Images = [] } = await client.send(command, options);
      return [...Images].sort(newestFirst).flatMap(imageOf)[0];
    }),

  imageIdOf: parameters,

  instanceTypes: (target, families) =>
    call(target, `describe instance types of ${families.join(', ')}`, async (ec2, client, options) => {
      const Filters = [
        filter('instance-type', ...families.map((family) => `${family}.*`)),
        filter('bare-metal', 'false'),
      ];
      const found: InstanceType[] = [];
      const pages = ec2.paginateDescribeInstanceTypes({ client, pageSize: 100 }, { Filters }, options);
      for await (const { InstanceTypes = [] } of pages) found.push(...InstanceTypes.flatMap(instanceTypeOf));
      return found;
    }),
});

const filter = (Name: string, ...Values: string[]): Filter => ({ Name, Values });

const usable = [
  filter('state', 'available'),
  filter('root-device-type', 'ebs'),
  filter('virtualization-type', 'hvm'),
];

const noneIfUnknown = (error: unknown): { Images?: Ec2Image[] } => {
  if (codeOf(error).startsWith('InvalidAMIID.')) return {};
  throw error;
};

/** By version, then by creation date, then by id, so that the order is always the same. */
const newestFirst = (a: Ec2Image, b: Ec2Image): number =>
  compareVersions(b.Name ?? '', a.Name ?? '') || (ageKey(a) < ageKey(b) ? 1 : -1);
const ageKey = ({ CreationDate = '', ImageId = '' }: Ec2Image): string => `${CreationDate} ${ImageId}`;

const isArchitecture = (word: string | undefined): word is Architecture =>
  word === 'x86_64' || word === 'arm64';

/** None for images of other architectures, or without a root device. */
const imageOf = (image: Ec2Image): Image[] => {
  const { ImageId, Name = '', Architecture: architecture, RootDeviceName, Platform } = image;
  if (ImageId === undefined || RootDeviceName === undefined || !isArchitecture(architecture)) return [];
  const platform = Platform?.toLowerCase() === 'windows' ? 'windows' : 'linux';
  const volumes = volumesOf(image);
  return [{ imageId: ImageId, name: Name, architecture, platform, rootDeviceName: RootDeviceName, volumes }];
};

const volumesOf = ({ BlockDeviceMappings = [], RootDeviceName }: Ec2Image): Image['volumes'] =>
  BlockDeviceMappings.flatMap(({ DeviceName, Ebs }) =>
    DeviceName === undefined || Ebs?.VolumeSize === undefined
      ? []
      : [{ deviceName: DeviceName, gib: Ebs.VolumeSize }],
  ).sort((a, b) => Number(b.deviceName === RootDeviceName) - Number(a.deviceName === RootDeviceName));

const instanceTypeOf = (info: InstanceTypeInfo): InstanceType[] => {
  const { InstanceType: instanceType, VCpuInfo, MemoryInfo, ProcessorInfo, SupportedUsageClasses } = info;
  const { DefaultVCpus: vcpus } = VCpuInfo ?? {};
  const { SizeInMiB: memoryMib } = MemoryInfo ?? {};
  if (instanceType === undefined || vcpus === undefined || memoryMib === undefined) return [];
  const architectures = (ProcessorInfo?.SupportedArchitectures ?? []).filter(isArchitecture);
  const spot = SupportedUsageClasses?.includes('spot') ?? false;
  return [{ instanceType, vcpus, memoryMib, architectures, spot }];
};

/**
 * Caches each answer for ten minutes, so that most creates call EC2 once, and concurrent creates share a call. Absent answers and errors are
 * not cached.
 */
export const cachedOfferings = (offerings: Offerings, clock: Clock): Offerings => {
  const instanceTypes = cached(offerings.instanceTypes, clock);
  return {
    image: cached(offerings.image, clock),
    newestImage: cached(offerings.newestImage, clock),
    imageIdOf: cached(offerings.imageIdOf, clock),
    instanceTypes: async (...asked) => (await instanceTypes(...asked)) ?? [],
  };
};
