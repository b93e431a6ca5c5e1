import * as z from 'zod';
import { action } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import type { NetworkInterface } from '../network-interfaces.ts';
import { Paging, pageOf } from '../page.ts';
import { Ec2Error, items, type XmlElements } from '../query-protocol.ts';

const Request = Paging.extend({ NetworkInterfaceId: z.array(z.string()).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html */
export const describeNetworkInterfaces = action(
  Request,
  ({ NetworkInterfaceId: ids, Filter, ...paging }, { network, account }) => {
    const all = [...network.interfaces()];
    const unknown = ids?.find((id) => !all.some((one) => one.id === id));
    if (unknown !== undefined) {
      throw new Ec2Error(
        'InvalidNetworkInterfaceID.NotFound',
        `The networkInterface ID '${unknown}' does not exist`,
      );
    }
    const named = ids === undefined ? all : all.filter(({ id }) => ids.includes(id));
    const sorted = named.sort((a, b) => (a.id < b.id ? -1 : 1));
    const { page, nextToken } = pageOf(applyFilters(sorted, Filter, fields), paging, ({ id }) => id);
    return () => ({
      networkInterfaceSet: items(page.map((one) => interfaceXml(one, account.id))),
      nextToken,
    });
  },
);

const interfaceXml = (one: NetworkInterface, account: string): XmlElements => {
  const association = one.publicIp && { publicIp: one.publicIp, ipOwnerId: 'amazon' };
  return {
    networkInterfaceId: one.id,
    subnetId: one.subnet.id,
    vpcId: one.subnet.vpcId,
    availabilityZone: one.subnet.zone,
    description: one.description,
    ownerId: account,
    requesterManaged: true,
    status: 'in-use',
    macAddress: one.macAddress,
    privateIpAddress: one.privateIp,
    sourceDestCheck: true,
    groupSet: items(one.securityGroupIds.map((groupId) => ({ groupId }))),
    attachment: {
      status: 'attached',
      deviceIndex: 1,
      attachTime: new Date(one.createdAtMs).toISOString(),
      deleteOnTermination: false,
    },
    ...(association && { association }),
    tagSet: '',
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
  status: () => ['in-use'],
  'subnet-id': ({ subnet }) => [subnet.id],
  'vpc-id': ({ subnet }) => [subnet.vpcId],
};
