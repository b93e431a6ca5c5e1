import * as z from 'zod';
import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { Paging, pageOf } from '../page.ts';
import { items, type XmlElements } from '../xml.ts';

type InstanceType = {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly architecture: 'x86_64' | 'arm64';
};

const family = (
  prefix: string,
  architecture: InstanceType['architecture'],
  sizes: Readonly<Record<string, readonly [vcpus: number, memoryGib: number]>>,
): InstanceType[] =>
  Object.entries(sizes).map(([size, [vcpus, memoryGib]]) => ({
    name: `${prefix}.${size}`,
    vcpus,
    memoryMib: memoryGib * 1024,
    architecture,
  }));

const burstable = {
  nano: [2, 0.5],
  micro: [2, 1],
  small: [2, 2],
  medium: [2, 4],
  large: [2, 8],
  xlarge: [4, 16],
  '2xlarge': [8, 32],
} as const;

/** Some of those that every region has, by name. */
const instanceTypes: readonly InstanceType[] = [
  ...family('c5', 'x86_64', { large: [2, 4], xlarge: [4, 8], '2xlarge': [8, 16], '4xlarge': [16, 32] }),
  ...family('m5', 'x86_64', { large: [2, 8], xlarge: [4, 16], '2xlarge': [8, 32], '4xlarge': [16, 64] }),
  ...family('r5', 'x86_64', { large: [2, 16], xlarge: [4, 32], '2xlarge': [8, 64], '4xlarge': [16, 128] }),
  ...family('t3', 'x86_64', burstable),
  ...family('t4g', 'arm64', burstable),
].sort((a, b) => (a.name < b.name ? -1 : 1));

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
  const { page, nextToken } = pageOf(filtered(named, Filter, fields), paging, ({ name }) => name);
  return () => ({ instanceTypeSet: items(page.map(instanceTypeXml)), nextToken });
});

const usageClasses = ['on-demand', 'spot'];

const instanceTypeXml = ({ name, vcpus, memoryMib, architecture }: InstanceType): XmlElements => ({
  instanceType: name,
  currentGeneration: true,
  freeTierEligible: name === 't3.micro',
  bareMetal: false,
  hypervisor: 'nitro',
  processorInfo: { supportedArchitectures: { item: architecture } },
  vCpuInfo: { defaultVCpus: vcpus },
  memoryInfo: { sizeInMiB: memoryMib },
  instanceStorageSupported: false,
  hibernationSupported: true,
  burstablePerformanceSupported: name.startsWith('t'),
});

const fields: Fields<InstanceType> = {
  'bare-metal': () => ['false'],
  'current-generation': () => ['true'],
  hypervisor: () => ['nitro'],
  'instance-type': ({ name }) => [name],
  'memory-info.size-in-mib': ({ memoryMib }) => [String(memoryMib)],
  'processor-info.supported-architecture': ({ architecture }) => [architecture],
  'supported-usage-class': () => usageClasses,
  'vcpu-info.default-vcpus': ({ vcpus }) => [String(vcpus)],
};
