import * as z from 'zod';
import { action } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { Paging, pageOf } from '../page.ts';
import { Ec2Error, items, type XmlElements } from '../query-protocol.ts';

export type Subnet = {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly cidr: string;
  readonly isDefault: boolean;
};

export type SecurityGroup = { readonly id: string; readonly vpcId: string; readonly name: string };

const defaultVpc = 'vpc-0a1b2c3d4e5f60718';
const privateVpc = 'vpc-0b2c3d4e5f6071829';

export const zonesOf = (region: string): readonly string[] =>
  (region === 'us-east-1' ? ['a', 'b', 'c', 'd', 'e', 'f'] : ['a', 'b', 'c']).map((zone) => region + zone);

/**
 * The subnets of a region: one in each zone of the default VPC, whose instances get public addresses, and two of another VPC without them.
 * The ids are the same in every region.
 */
export const subnetsOf = (region: string): readonly Subnet[] => {
  const zones = zonesOf(region);
  return [
    ...zones.map((zone, n) => ({
      ...{ id: `subnet-0a1b2c3d4e5f6071${(8 + n).toString(16)}`, vpcId: defaultVpc, zone },
      ...{ cidr: `172.31.${16 * n}.0/20`, isDefault: true },
    })),
    ...zones.slice(0, 2).map((zone, n) => ({
      ...{ id: `subnet-0b2c3d4e5f607182${n}`, vpcId: privateVpc, zone },
      ...{ cidr: `10.0.${n}.0/24`, isDefault: false },
    })),
  ];
};

/** The default security group of each VPC, and one more. */
export const securityGroups: readonly SecurityGroup[] = [
  { id: 'sg-0a1b2c3d4e5f60718', vpcId: defaultVpc, name: 'default' },
  { id: 'sg-0a1b2c3d4e5f60719', vpcId: defaultVpc, name: 'ssh' },
  { id: 'sg-0b2c3d4e5f6071829', vpcId: privateVpc, name: 'default' },
];

type Vpc = { readonly id: string; readonly cidr: string; readonly isDefault: boolean };

/** The VPCs of a region; their ids are the same in every region. */
const vpcs: readonly Vpc[] = [
  { id: defaultVpc, cidr: '172.31.0.0/16', isDefault: true },
  { id: privateVpc, cidr: '10.0.0.0/16', isDefault: false },
];

const VpcsRequest = Paging.extend({ VpcId: z.array(z.string()).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html */
export const describeVpcs = action(VpcsRequest, ({ VpcId, Filter, ...paging }, { account }) => {
  const unknown = VpcId?.find((id) => !vpcs.some((vpc) => vpc.id === id));
  if (unknown !== undefined)
    throw new Ec2Error('InvalidVpcID.NotFound', `The vpc ID '${unknown}' does not exist`);
  const named = vpcs.filter(({ id }) => VpcId?.includes(id) ?? true);
  const { page, nextToken } = pageOf(applyFilters(named, Filter, vpcFields), paging, ({ id }) => id);
  return () => ({ vpcSet: items(page.map((vpc) => vpcXml(vpc, account.id))), nextToken });
});

const vpcXml = ({ id, cidr, isDefault }: Vpc, account: string): XmlElements => ({
  vpcId: id,
  ownerId: account,
  state: 'available',
  cidrBlock: cidr,
  cidrBlockAssociationSet: items([
    {
      cidrBlock: cidr,
      associationId: `vpc-cidr-assoc-${id.slice('vpc-'.length)}`,
      cidrBlockState: { state: 'associated' },
    },
  ]),
  dhcpOptionsId: 'dopt-0a1b2c3d4e5f60718',
  instanceTenancy: 'default',
  isDefault,
  tagSet: '',
});

const vpcFields: Fields<Vpc> = {
  cidr: ({ cidr }) => [cidr],
  'is-default': ({ isDefault }) => [String(isDefault)],
  state: () => ['available'],
  'vpc-id': ({ id }) => [id],
};

const Request = Paging.extend({ SubnetId: z.array(z.string()).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html */
export const describeSubnets = action(Request, ({ SubnetId, Filter, ...paging }, { name, account }) => {
  const named = SubnetId ? SubnetId.map((id) => subnetWith(id, name)) : [...subnetsOf(name)];
  const sorted = named.sort((a, b) => (a.id < b.id ? -1 : 1));
  const { page, nextToken } = pageOf(applyFilters(sorted, Filter, fields), paging, ({ id }) => id);
  return () => ({ subnetSet: items(page.map((subnet) => subnetXml(subnet, name, account.id))), nextToken });
});

/** @throws Ec2Error where no subnet of the region has the id. */
export const subnetWith = (id: string, region: string): Subnet => {
  const subnet = subnetsOf(region).find((one) => one.id === id);
  if (subnet) return subnet;
  throw new Ec2Error('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`);
};

const subnetXml = ({ id, ...subnet }: Subnet, region: string, account: string): XmlElements => ({
  subnetId: id,
  subnetArn: `arn:aws:ec2:${region}:${account}:subnet/${id}`,
  state: 'available',
  ownerId: account,
  vpcId: subnet.vpcId,
  cidrBlock: subnet.cidr,
  availableIpAddressCount: subnet.isDefault ? 4091 : 251,
  availabilityZone: subnet.zone,
  defaultForAz: subnet.isDefault,
  mapPublicIpOnLaunch: subnet.isDefault,
  tagSet: '',
});

const fields: Fields<Subnet> = {
  'availability-zone': ({ zone }) => [zone],
  'cidr-block': ({ cidr }) => [cidr],
  'default-for-az': ({ isDefault }) => [String(isDefault)],
  state: () => ['available'],
  'subnet-id': ({ id }) => [id],
  'vpc-id': ({ vpcId }) => [vpcId],
};

const SecurityGroupsRequest = Paging.extend({
  GroupId: z.array(z.string()).optional(),
  Filter: Filters,
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html */
export const describeSecurityGroups = action(
  SecurityGroupsRequest,
  ({ GroupId, Filter, ...paging }, { account }) => {
    const named = GroupId ? GroupId.map(securityGroupWith) : [...securityGroups];
    const sorted = named.sort((a, b) => (a.id < b.id ? -1 : 1));
    const { page, nextToken } = pageOf(
      applyFilters(sorted, Filter, securityGroupFields),
      paging,
      ({ id }) => id,
    );
    return () => ({ securityGroupInfo: items(page.map((group) => groupXml(group, account.id))), nextToken });
  },
);

/** @throws Ec2Error where no group has the id. */
export const securityGroupWith = (id: string): SecurityGroup => {
  const group = securityGroups.find((one) => one.id === id);
  if (group) return group;
  throw new Ec2Error('InvalidGroup.NotFound', `The security group '${id}' does not exist`);
};

const groupXml = ({ id, vpcId, name }: SecurityGroup, account: string): XmlElements => ({
  groupId: id,
  groupName: name,
  groupDescription: `${name} security group`,
  ownerId: account,
  vpcId,
  ipPermissions: '',
  ipPermissionsEgress: '',
});

const securityGroupFields: Fields<SecurityGroup> = {
  'group-id': ({ id }) => [id],
  'group-name': ({ name }) => [name],
  'vpc-id': ({ vpcId }) => [vpcId],
};
