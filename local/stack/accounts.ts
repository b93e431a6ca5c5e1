import { randomBytes } from 'node:crypto';
import { functionNames } from '../../infra/function-names.ts';
import { functionNameOf } from '../../infra/functions.ts';
import { type MemberRole, memberRoleName, rolePathOf } from '../../shared/adapters/aws/accounts.ts';
import type { AccountsFile } from '../../shared/runtime/accounts.ts';
import type { Role, RoleId } from '../emulators/sts.ts';
import { account as home, homeRegion, prod, provider, type StackOptions, silentRegion } from './options.ts';

/** The provider's role in the other account. */
export const memberRole = (role: MemberRole): RoleId => ({
  account: prod.id,
  name: memberRoleName(provider, role),
});

/** What the functions know of the other account; undefined where there is none. The external id is new at each start. */
export const accountsFileOf = (
  options: Pick<StackOptions, 'accounts' | 'ec2Endpoint'>,
): AccountsFile | undefined =>
  options.accounts && options.ec2Endpoint === undefined
    ? {
        externalId: randomBytes(24).toString('base64url'),
        accounts: { [prod.alias]: { id: prod.id, regions: [homeRegion(options), silentRegion] } },
      }
    : undefined;

/** The roles of the functions, which may do everything in the home account, and those that they assume in the other account. */
export const rolesOf = ({ externalId, accounts }: AccountsFile): readonly Role[] => {
  const path = rolePathOf(provider);
  const trust = { principals: `arn:aws:iam::${home}:role${path}`, externalId };
  return [
    ...functionNames.map((name) => ({
      ...{ account: home, path, name: functionNameOf(provider, name), actions: ['*'] },
    })),
    ...Object.values(accounts).flatMap(({ id }) =>
      (['reader', 'launcher'] as const).map((role) => ({
        ...{ account: id, path, name: memberRoleName(provider, role), actions: allowed[role], trust },
      })),
    ),
  ];
};

const read = [
  ...['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus', 'ec2:DescribeNetworkInterfaces'],
  ...['ecs:ListTasks', 'ecs:DescribeTasks'],
  ...['eks:ListClusters', 'eks:DescribeCluster', 'eks:ListNodegroups', 'eks:DescribeNodegroup'],
];

const inventory = [
  ...['ec2:DescribeVolumes', 'ec2:DescribeVpcs', 'ec2:DescribeSubnets', 'ec2:DescribeSecurityGroups'],
  ...['ec2:DescribeImages', 'ec2:DescribeAddresses', 'ec2:GetConsoleOutput'],
  ...['elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTags'],
];

/** What the template for other accounts allows the roles to do. */
const allowed: Readonly<Record<MemberRole, readonly string[]>> = {
  reader: [...read, ...inventory],
  launcher: [
    ...read,
    ...['ec2:DescribeImages', 'ec2:DescribeInstanceTypes', 'ec2:DescribeSubnets', 'ec2:RunInstances'],
    ...['ec2:StartInstances', 'ec2:StopInstances', 'ec2:RebootInstances', 'ec2:TerminateInstances'],
    ...['ecs:DescribeClusters', 'ecs:DescribeTaskDefinition', 'ecs:RegisterTaskDefinition', 'ecs:RunTask'],
    ...['ecs:StopTask', 'ecs:TagResource', 'eks:CreateCluster', 'eks:DeleteCluster', 'eks:CreateNodegroup'],
    ...['eks:DeleteNodegroup', 'eks:TagResource', 'eks:CreateAccessEntry', 'eks:ListAccessEntries'],
    ...['eks:AssociateAccessPolicy', 'eks:DescribeClusterVersions', 'eks:ListUpdates', 'eks:DescribeUpdate'],
    ...['servicequotas:GetServiceQuota', 'ssm:GetParameter'],
  ],
};
