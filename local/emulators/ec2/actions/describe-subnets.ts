import * as z from 'zod';
import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { type Subnet, subnetsOf } from '../network.ts';
import { Paging, pageOf } from '../page.ts';
import { items, type XmlElements } from '../xml.ts';

const Request = Paging.extend({ SubnetId: z.array(z.string()).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html */
export const describeSubnets = action(Request, ({ SubnetId, Filter, ...paging }, { name, account }) => {
  const named = SubnetId ? SubnetId.map((id) => subnetWith(id, name)) : [...subnetsOf(name)];
  const sorted = named.sort((a, b) => (a.id < b.id ? -1 : 1));
  const { page, nextToken } = pageOf(filtered(sorted, Filter, fields), paging, ({ id }) => id);
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
