import * as z from 'zod';
import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { type InstanceType, instanceTypes } from '../instance-types.ts';
import { Paging, pageOf } from '../page.ts';
import { items, type XmlElements } from '../xml.ts';

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
