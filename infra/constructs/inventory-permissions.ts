import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Collection } from '../../shared/core/inventory/entry.ts';
import type { Settings } from '../settings/settings.ts';
import { containersOf } from './containers.ts';
import { type Grantee, inRegions, justify, wildcard } from './permissions.ts';

/** The actions that list a collection which only the inventory has. */
const listing: Partial<Record<Collection, string | readonly string[]>> = {
  volumes: 'ec2:DescribeVolumes',
  vpcs: 'ec2:DescribeVpcs',
  subnets: 'ec2:DescribeSubnets',
  'security-groups': 'ec2:DescribeSecurityGroups',
  images: 'ec2:DescribeImages',
  'network-interfaces': 'ec2:DescribeNetworkInterfaces',
  addresses: 'ec2:DescribeAddresses',
  'load-balancers': ['elasticloadbalancing:DescribeLoadBalancers', 'elasticloadbalancing:DescribeTags'],
};

/** Allows listing these collections in these regions. Empty where other permissions suffice. */
export const collectionStatements = (
  lister: Grantee,
  collections: readonly Collection[],
  regions: readonly string[],
): PolicyStatement[] => {
  const actions = collections.flatMap((collection) => listing[collection] ?? []);
  if (actions.length === 0) return [];
  justify(
    lister,
    'The actions that list have no resource-level permissions; they are limited to the regions that are reported.',
    ['*'],
  );
  return [inRegions(regions, ...actions)];
};

/**
 * Allows reading what the instances of these regions print, and the containers of an account, whose settings these are. It may have secrets in
 * it, so it is a permission of its own.
 */
export const consoleStatements = (
  reader: Grantee,
  settings: Settings,
  regions: readonly string[],
): PolicyStatement[] => {
  const instances = regions.map((region) =>
    wildcard(reader, { service: 'ec2', region, resource: 'instance/*' }),
  );
  const streams = Object.entries(containersOf(settings)?.regions ?? {}).map(([region, { logGroup }]) =>
    wildcard(reader, { service: 'logs', region, resource: `log-group:${logGroup}:log-stream:*` }),
  );
  justify(reader, 'The ids of instances and the names of log streams are not known in advance.', [
    ...instances,
    ...streams,
  ]);
  return [
    new PolicyStatement({ actions: ['ec2:GetConsoleOutput'], resources: instances }),
    ...(streams.length > 0
      ? [new PolicyStatement({ actions: ['logs:GetLogEvents'], resources: streams })]
      : []),
  ];
};
