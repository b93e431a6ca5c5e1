import * as z from 'zod';
import { action, success } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { tagSet } from '../instance-xml.ts';
import type { NetworkInterface } from '../network-interfaces.ts';
import { Paging, pageOf } from '../page.ts';
import { Ec2Error, invalidValue, items, type XmlElements } from '../query-protocol.ts';
import { TagList, tagsOf, withinLimit } from './tags.ts';

const Request = Paging.extend({ NetworkInterfaceId: z.array(z.string()).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html */
export const describeNetworkInterfaces = action(
  Request,
  ({ NetworkInterfaceId: ids, Filter, ...paging }, { network, account }) => {
    const all = [...network.interfaces()];
    const unknown = ids?.find((id) => !all.some((one) => one.id === id));
    if (unknown !== undefined) throw unknownInterface(unknown);
    const named = ids === undefined ? all : all.filter(({ id }) => ids.includes(id));
    const sorted = named.sort((a, b) => (a.id < b.id ? -1 : 1));
    const { page, nextToken } = pageOf(applyFilters(sorted, Filter, fields), paging, ({ id }) => id);
    return () => ({
      networkInterfaceSet: items(page.map((one) => interfaceXml(one, account.id))),
      nextToken,
    });
  },
);

const unknownInterface = (id: string) =>
  new Ec2Error('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`);

const Creation = z.looseObject({
  SubnetId: z.string(),
  Description: z.string().default(''),
  SecurityGroupId: z.array(z.string()).default([]),
  TagSpecification: z.array(z.object({ ResourceType: z.string().optional(), Tag: TagList })).default([]),
});

/** One that is attached to nothing. @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html */
export const createNetworkInterface = action(
  Creation,
  ({ SubnetId, Description, SecurityGroupId, TagSpecification }, { network, account }) => {
    network.subnet(SubnetId);
    for (const id of SecurityGroupId) network.securityGroup(id);
    const wanted = TagSpecification.filter(({ ResourceType }) => ResourceType === 'network-interface');
    const tags = withinLimit(tagsOf(wanted.flatMap(({ Tag }) => Tag)));
    return () => {
      const created = network.createInterface({
        ...{ subnetId: SubnetId, description: Description, securityGroupIds: SecurityGroupId, tags },
        ...{ publicAddress: false, isAttached: false },
      });
      return { networkInterface: interfaceXml(created, account.id) };
    };
  },
);

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html */
export const deleteNetworkInterface = action(
  z.looseObject({ NetworkInterfaceId: z.string() }),
  ({ NetworkInterfaceId: id }, { network }) => {
    const found = [...network.interfaces()].find((one) => one.id === id);
    if (found === undefined) throw unknownInterface(id);
    if (found.isAttached) throw invalidValue(`Network interface '${id}' is currently in use.`);
    return () => {
      network.deleteInterface(id);
      return success;
    };
  },
);

const statusOf = ({ isAttached }: NetworkInterface) => (isAttached ? 'in-use' : 'available');

const interfaceXml = (one: NetworkInterface, account: string): XmlElements => {
  const association = one.publicIp && { publicIp: one.publicIp, ipOwnerId: 'amazon' };
  return {
    networkInterfaceId: one.id,
    subnetId: one.subnet.id,
    vpcId: one.subnet.vpcId,
    availabilityZone: one.subnet.zone,
    description: one.description,
    ownerId: account,
    requesterManaged: one.isAttached,
    status: statusOf(one),
    macAddress: one.macAddress,
    privateIpAddress: one.privateIp,
    sourceDestCheck: true,
    groupSet: items(one.securityGroupIds.map((groupId) => ({ groupId }))),
    ...(one.isAttached && {
      attachment: {
        status: 'attached',
        deviceIndex: 1,
        attachTime: new Date(one.createdAtMs).toISOString(),
        deleteOnTermination: false,
      },
    }),
    ...(association && { association }),
    tagSet: tagSet(one.tags),
    privateIpAddressesSet: items([
      { privateIpAddress: one.privateIp, primary: true, ...(association && { association }) },
    ]),
    interfaceType: 'interface',
  };
};

const fields: Fields<NetworkInterface> = {
  'addresses.private-ip-address': ({ privateIp }) => [privateIp],
  'association.public-ip': ({ publicIp }) => [publicIp],
  'availability-zone': ({ subnet }) => [subnet.zone],
  description: ({ description }) => [description],
  'group-id': ({ securityGroupIds }) => securityGroupIds,
  'network-interface-id': ({ id }) => [id],
  'private-ip-address': ({ privateIp }) => [privateIp],
  status: (one) => [statusOf(one)],
  'subnet-id': ({ subnet }) => [subnet.id],
  'tag:': ({ tags }, key) => (Object.hasOwn(tags, key) ? [tags[key]] : []),
  'tag-key': ({ tags }) => Object.keys(tags),
  'vpc-id': ({ subnet }) => [subnet.vpcId],
};
