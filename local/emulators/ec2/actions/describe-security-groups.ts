import * as z from 'zod';
import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { type SecurityGroup, securityGroups } from '../network.ts';
import { Paging, pageOf } from '../page.ts';
import { items, type XmlElements } from '../xml.ts';

const Request = Paging.extend({ GroupId: z.array(z.string()).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html */
export const describeSecurityGroups = action(Request, ({ GroupId, Filter, ...paging }, { account }) => {
  const named = GroupId ? GroupId.map(securityGroupWith) : [...securityGroups];
  const sorted = named.sort((a, b) => (a.id < b.id ? -1 : 1));
  const { page, nextToken } = pageOf(filtered(sorted, Filter, fields), paging, ({ id }) => id);
  return () => ({ securityGroupInfo: items(page.map((group) => groupXml(group, account.id))), nextToken });
});

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

const fields: Fields<SecurityGroup> = {
  'group-id': ({ id }) => [id],
  'group-name': ({ name }) => [name],
  'vpc-id': ({ vpcId }) => [vpcId],
};
