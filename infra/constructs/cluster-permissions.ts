import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Settings } from '../settings/settings.ts';
import {
  createServiceLinkedRole,
  type Grantee,
  inRegions,
  justify,
  ownershipTags,
  partitionIn,
  passRoles,
  wildcard,
} from './permissions.ts';

type Given = Pick<Settings, 'provider' | 'clusters' | 'tags'>;

/** Allows a function to read clusters and their node groups in the configured regions. */
export const grantReadClusters = (reader: Grantee, { clusters }: Given): void => {
  if (clusters === undefined) return;
  const regions = Object.keys(clusters.regions);
  const { all, nodeGroups } = resourcesOf(reader, regions);
  const statements = [
    inRegions(regions, 'eks:ListClusters'),
    new PolicyStatement({ actions: ['eks:DescribeCluster', 'eks:ListNodegroups'], resources: all }),
    new PolicyStatement({ actions: ['eks:DescribeNodegroup'], resources: nodeGroups }),
  ];
  for (const statement of statements) reader.addToRolePolicy(statement);
  justify(reader, 'ListClusters has no resource-level permissions; the regions are limited.', ['*']);
  justify(reader, 'The tags of a cluster say whose it is, so it must be read first.', [
    ...all,
    ...nodeGroups,
  ]);
};

/** Allows a function to read how updates of clusters and node groups have ended, in the configured regions. */
export const grantReadClusterUpdates = (reader: Grantee, { clusters }: Given): void => {
  if (clusters === undefined) return;
  const { all, nodeGroups } = resourcesOf(reader, Object.keys(clusters.regions));
  const actions = ['eks:ListUpdates', 'eks:DescribeUpdate'];
  reader.addToRolePolicy(new PolicyStatement({ actions, resources: [...all, ...nodeGroups] }));
};

/**
 * Allows a function to create clusters that have our tags, and to pass the configured roles to EKS.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
 */
export const grantCreateClusters = (caller: Grantee, settings: Given): void => {
  const { clusters } = settings;
  if (clusters === undefined) return;
  const regions = Object.keys(clusters.regions);
  const { all } = resourcesOf(caller, regions);
  const tagged = { StringEquals: ownershipTags(settings, 'RequestTag') };
  const statements = [
    new PolicyStatement({
      actions: ['eks:CreateCluster'],
      resources: ['*'],
      conditions: {
        StringEquals: { ...ownershipTags(settings, 'RequestTag'), 'aws:RequestedRegion': regions },
      },
    }),
    new PolicyStatement({ actions: ['eks:TagResource'], resources: all, conditions: tagged }),
    inRegions(
      regions,
      ...['eks:DescribeClusterVersions', 'ec2:DescribeSubnets', 'ec2:DescribeInstanceTypes'],
    ),
    passRoles([clusters.clusterRoleArn, clusters.nodeRoleArn], eks),
    createServiceLinkedRole(caller, 'eks.amazonaws.com', 'AWSServiceRoleForAmazonEKS'),
  ];
  for (const statement of statements) caller.addToRolePolicy(statement);
  justify(
    caller,
    'CreateCluster and what it needs to read have no resource-level permissions; regions and tags are limited.',
    ['*'],
  );
  grantReadClusters(caller, settings);
};

/**
 * Allows a function to complete clusters that have our tags, with node groups and access entries, and to delete them and their node groups.
 * Access entries are for the configured principals only, and make them administrators.
 */
export const grantClusterSteps = (caller: Grantee, settings: Given): void => {
  const { clusters } = settings;
  if (clusters === undefined) return;
  const regions = Object.keys(clusters.regions);
  const { all, nodeGroups, accessEntries } = resourcesOf(caller, regions);
  const ours = ownershipTags(settings, 'ResourceTag');
  const principals = { ArnEquals: { 'eks:principalArn': clusters.adminPrincipals } };
  const administer = `arn:${partitionIn(caller).name}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`;
  const statements = [
    new PolicyStatement({
      actions: ['eks:CreateNodegroup'],
      resources: all,
      conditions: { StringEquals: { ...ours, ...ownershipTags(settings, 'RequestTag') } },
    }),
    new PolicyStatement({
      actions: ['eks:DeleteCluster', 'eks:DeleteNodegroup'],
      resources: [...all, ...nodeGroups],
      conditions: { StringEquals: ours },
    }),
    new PolicyStatement({
      actions: ['eks:TagResource'],
      resources: nodeGroups,
      conditions: { StringEquals: ownershipTags(settings, 'RequestTag') },
    }),
    passRoles([clusters.nodeRoleArn], eks),
    new PolicyStatement({
      actions: ['iam:GetRole', 'iam:ListAttachedRolePolicies'],
      resources: [clusters.nodeRoleArn],
    }),
    createServiceLinkedRole(caller, 'eks-nodegroup.amazonaws.com', 'AWSServiceRoleForAmazonEKSNodegroup'),
    inRegions(regions, 'ec2:DescribeSubnets'),
    new PolicyStatement({ actions: ['eks:ListAccessEntries'], resources: all }),
    ...(clusters.adminPrincipals.length === 0
      ? []
      : [
          new PolicyStatement({
            actions: ['eks:CreateAccessEntry'],
            resources: all,
            conditions: { StringEquals: ours, ...principals },
          }),
          new PolicyStatement({
            actions: ['eks:AssociateAccessPolicy'],
            resources: accessEntries,
            conditions: { ArnEquals: { ...principals.ArnEquals, 'eks:policyArn': administer } },
          }),
        ]),
  ];
  for (const statement of statements) caller.addToRolePolicy(statement);
  justify(
    caller,
    'Access entries have ids that EKS makes: the conditions compare the principals.',
    accessEntries,
  );
  grantReadClusters(caller, settings);
};

const resourcesOf = (caller: Grantee, regions: readonly string[]) => {
  const each = (resource: string) =>
    regions.map((region) => wildcard(caller, { service: 'eks', region, resource }));
  return {
    all: each('cluster/*'),
    nodeGroups: each('nodegroup/*/*/*'),
    accessEntries: each('access-entry/*/*/*/*/*'),
  };
};

const eks = ['eks.amazonaws.com'];
