import * as z from 'zod';
import { action } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { Paging, pageOf } from '../page.ts';
import { Ec2Error, items, type XmlElements } from '../query-protocol.ts';
import { zonesOf } from './network.ts';

export type InstanceType = {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly architecture: 'x86_64' | 'arm64';
  readonly currentGeneration: boolean;
};

type Sizes = Readonly<Record<string, readonly [vcpus: number, memoryGib: number]>>;

const family = (prefix: string, architecture: InstanceType['architecture'], sizes: Sizes): InstanceType[] =>
  Object.entries(sizes).map(([size, [vcpus, memoryGib]]) => ({
    name: `${prefix}.${size}`,
    vcpus,
    memoryMib: memoryGib * 1024,
    architecture,
    currentGeneration: prefix !== 'm1',
  }));

const burstable: Sizes = {
  nano: [2, 0.5],
  micro: [2, 1],
  small: [2, 2],
  medium: [2, 4],
  large: [2, 8],
  xlarge: [4, 16],
  '2xlarge': [8, 32],
};

const vcpusBySize = { large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16, '8xlarge': 32 } as const;
const largeSizes = { '12xlarge': 48, '16xlarge': 64, '24xlarge': 96 } as const;

/** The common sizes, with this much memory for each vCPU. */
const sized = (gibPerVcpu: number, more: Readonly<Record<string, number>> = {}): Sizes =>
  Object.fromEntries(
    Object.entries({ ...vcpusBySize, ...largeSizes, ...more }).map(([size, vcpus]) => [
      size,
      [vcpus, vcpus * gibPerVcpu] as const,
    ]),
  );

const seventh = { '48xlarge': 192 };
const c5: Sizes = {
  ...{ large: [2, 4], xlarge: [4, 8], '2xlarge': [8, 16], '4xlarge': [16, 32], '9xlarge': [36, 72] },
  ...{ '12xlarge': [48, 96], '18xlarge': [72, 144], '24xlarge': [96, 192] },
};

/**
 * Some of the instance types that every region has, sorted by name, with their real sizes.
 * @see https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
 */
export const instanceTypes: readonly InstanceType[] = [
  ...family('c5', 'x86_64', c5),
  ...family('c7i', 'x86_64', sized(2, seventh)),
  ...family('m1', 'x86_64', { small: [1, 1.7] }),
  ...family('m5', 'x86_64', sized(4)),
  ...family('m7i', 'x86_64', sized(4, seventh)),
  ...family('r5', 'x86_64', sized(8)),
  ...family('r7i', 'x86_64', sized(8, seventh)),
  ...family('t3', 'x86_64', burstable),
  ...family('t3a', 'x86_64', burstable),
  ...family('t4g', 'arm64', burstable),
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The type of a launch that names none. */
export const defaultInstanceType = 'm1.small';

/** Whether a zone offers a type. us-east-1e has only old types, as in EC2. */
export const isOffered = ({ currentGeneration }: InstanceType, zone: string): boolean =>
  zone !== 'us-east-1e' || !currentGeneration;

const Request = Paging.extend({ InstanceType: z.array(z.string()).max(100).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html */
export const describeInstanceTypes = action(Request, ({ InstanceType, Filter, ...paging }) => {
  const unknown = InstanceType?.filter((wanted) => !instanceTypes.some(({ name }) => name === wanted)) ?? [];
  if (unknown.length > 0) {
    throw new Ec2Error(
      'InvalidInstanceType',
      `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
    );
  }
  const named = instanceTypes.filter(({ name }) => InstanceType?.includes(name) ?? true);
  const { page, nextToken } = pageOf(applyFilters(named, Filter, fields), paging, ({ name }) => name);
  return () => ({ instanceTypeSet: items(page.map(instanceTypeXml)), nextToken });
});

const usageClasses = ['on-demand', 'spot'];
const isBurstable = ({ name }: InstanceType) => name.startsWith('t');
const hypervisorOf = ({ currentGeneration }: InstanceType) => (currentGeneration ? 'nitro' : 'xen');

const instanceTypeXml = (type: InstanceType): XmlElements => ({
  instanceType: type.name,
  currentGeneration: type.currentGeneration,
  supportedUsageClasses: { item: usageClasses },
  freeTierEligible: type.name === 't3.micro',
  bareMetal: false,
  hypervisor: hypervisorOf(type),
  processorInfo: { supportedArchitectures: { item: type.architecture } },
  vCpuInfo: { defaultVCpus: type.vcpus },
  memoryInfo: { sizeInMiB: type.memoryMib },
  instanceStorageSupported: false,
  hibernationSupported: true,
  burstablePerformanceSupported: isBurstable(type),
});

const fields: Fields<InstanceType> = {
  'bare-metal': () => ['false'],
  'burstable-performance-supported': (type) => [String(isBurstable(type))],
  'current-generation': ({ currentGeneration }) => [String(currentGeneration)],
  'free-tier-eligible': ({ name }) => [String(name === 't3.micro')],
  hypervisor: (type) => [hypervisorOf(type)],
  'instance-storage-supported': () => ['false'],
  'instance-type': ({ name }) => [name],
  'memory-info.size-in-mib': ({ memoryMib }) => [String(memoryMib)],
  'processor-info.supported-architecture': ({ architecture }) => [architecture],
  'supported-root-device-type': () => ['ebs'],
  'supported-usage-class': () => usageClasses,
  'supported-virtualization-type': () => ['hvm'],
  'vcpu-info.default-vcpus': ({ vcpus }) => [String(vcpus)],
};

type Offering = {
  readonly instanceType: string;
  readonly locationType: 'region' | 'availability-zone';
  readonly location: string;
};

const OfferingsRequest = Paging.extend({
  LocationType: z.enum(['region', 'availability-zone']).default('region'),
  Filter: Filters,
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html */
export const describeInstanceTypeOfferings = action(
  OfferingsRequest,
  ({ LocationType: locationType, Filter, ...paging }, { name }) => {
    const locations = locationType === 'region' ? [name] : zonesOf(name);
    const offerings = instanceTypes.flatMap((type) =>
      locations
        .filter((location) => isOffered(type, location))
        .map((location): Offering => ({ instanceType: type.name, locationType, location })),
    );
    const { page, nextToken } = pageOf(applyFilters(offerings, Filter, offeringFields), paging, positionOf);
    return () => ({ instanceTypeOfferingSet: items(page), nextToken });
  },
);

const positionOf = ({ instanceType, location }: Offering): string => `${instanceType} ${location}`;

const offeringFields: Fields<Offering> = {
  'instance-type': ({ instanceType }) => [instanceType],
  location: ({ location }) => [location],
};
