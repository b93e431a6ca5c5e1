import * as z from 'zod';
import { action, success } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { tagSet } from '../instance-xml.ts';
import type { ElasticAddress } from '../network-interfaces.ts';
import { Ec2Error, items } from '../query-protocol.ts';
import { TagList, tagsOf, withinLimit } from './tags.ts';

const Request = z.looseObject({ AllocationId: z.array(z.string()).optional(), Filter: Filters });

/** EC2 has no pages of addresses. @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html */
export const describeAddresses = action(Request, ({ AllocationId: ids, Filter }, { name, network }) => {
  const all = [...network.elasticAddresses()];
  const unknown = ids?.find((id) => !all.some((one) => one.allocationId === id));
  if (unknown !== undefined) throw unknownAllocation(unknown);
  const named = ids === undefined ? all : all.filter(({ allocationId }) => ids.includes(allocationId));
  const found = applyFilters(named, Filter, fields);
  return () => ({
    addressesSet: items(
      found.map(({ allocationId, publicIp, tags }) => ({
        ...{ publicIp, allocationId, domain: 'vpc', tagSet: tagSet(tags) },
        ...{ publicIpv4Pool: 'amazon', networkBorderGroup: name },
      })),
    ),
  });
});

const unknownAllocation = (id: string) =>
  new Ec2Error('InvalidAllocationID.NotFound', `The allocation ID '${id}' does not exist`);

const fields: Fields<ElasticAddress> = {
  'allocation-id': ({ allocationId }) => [allocationId],
  'public-ip': ({ publicIp }) => [publicIp],
  'tag:': ({ tags }, key) => (Object.hasOwn(tags, key) ? [tags[key]] : []),
  'tag-key': ({ tags }) => Object.keys(tags),
};

const Allocation = z.looseObject({
  TagSpecification: z.array(z.object({ ResourceType: z.string().optional(), Tag: TagList })).default([]),
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html */
export const allocateAddress = action(Allocation, ({ TagSpecification }, { name, network }) => {
  const wanted = TagSpecification.filter(({ ResourceType }) => ResourceType === 'elastic-ip');
  const tags = withinLimit(tagsOf(wanted.flatMap(({ Tag }) => Tag)));
  return () => {
    const { allocationId, publicIp } = network.allocateAddress(tags);
    return { publicIp, allocationId, domain: 'vpc', publicIpv4Pool: 'amazon', networkBorderGroup: name };
  };
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html */
export const releaseAddress = action(
  z.looseObject({ AllocationId: z.string() }),
  ({ AllocationId: id }, { network }) => {
    if (![...network.elasticAddresses()].some(({ allocationId }) => allocationId === id))
      throw unknownAllocation(id);
    return () => {
      network.releaseAddress(id);
      return success;
    };
  },
);
