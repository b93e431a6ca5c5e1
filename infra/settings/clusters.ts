import * as z from 'zod';
import { arnPrefixPattern } from '../../shared/adapters/aws/regions.ts';
import {
  count,
  creationRegions,
  defaultFamilies,
  family,
  flag,
  identifier,
  operatorsRole,
  text,
  zone,
} from './setting-kinds.ts';

const ClusterRegion = z.strictObject({
  subnets: z
    .array(z.strictObject({ id: identifier('subnet', 'a subnet id'), zone }))
    .describe(
      'Subnets of this region’s clusters, as `{ "id": …, "zone": … }`, in at least two zones: EKS demands it. The nodes run in them, and need a route to the Kubernetes API and to the registries of the images.',
    ),
  securityGroupIds: z
    .array(identifier('sg', 'a security group id'))
    .max(5, 'must list at most 5 security groups')
    .default([])
    .describe(
      'Security groups of the control planes, at most 5, besides the one that EKS makes for each cluster.',
    ),
});

/** Which clusters may be created, and how. Without it the deployment has nothing of EKS. */
export const Clusters = z.strictObject({
  regions: creationRegions(ClusterRegion, 'clusters'),
  clusterRoleArn: operatorsRole('of the control planes', 'Clusters').describe(
    'ARN of the role of the control planes ([which permissions it needs](deploy.md#clusters)).',
  ),
  nodeRoleArn: operatorsRole('of the nodes', 'Clusters').describe(
    'ARN of the role of the nodes, of Auto Mode and of node groups ([which permissions it needs](deploy.md#clusters)).',
  ),
  adminPrincipals: z
    .array(
      text(
        new RegExp(`^${arnPrefixPattern}:iam::\\d{12}:(role|user)/[\\w+=,.@/-]+$`),
        'must be the ARN of an IAM role or user',
      ),
    )
    .default([])
    .describe(
      'ARNs of IAM roles and users that administer every cluster; a hint may choose some of them. Nobody else can use a cluster’s kubeconfig, so without any the clusters can only be used after you add access entries yourself.',
    ),
  endpoint: z
    .enum(['public', 'private'], 'must be "public" or "private"')
    .default('public')
    .describe(
      'From where the Kubernetes API of a cluster is reached: `public`, from the internet and from the VPC; `private`, from the VPC only. With `public`, a hint may ask for `private`.',
    ),
  maximumClusters: count(0, 1_000).default(5).describe('Maximum number of clusters, over all regions.'),
  maximumWorkers: count(1, 450).default(10).describe('Maximum number of worker nodes of one cluster.'),
  families: z
    .array(family)
    .min(1, 'must list at least one instance family')
    .default(defaultFamilies)
    .describe('Allowed instance families of worker nodes, the preferred one first.'),
  maximumVcpus: count(1, 1_000).default(16).describe('Maximum number of vCPUs of one worker node.'),
  maximumMemoryGib: count(1, 32_768).default(64).describe('Maximum memory of one worker node, in GiB.'),
  maximumDiskGib: count(20, 16_384).default(1024).describe('Maximum disk of one worker node, in GiB.'),
  defaultVersion: text(/^1\.\d{2,3}$/, 'must be a minor version of Kubernetes, such as 1.33')
    .optional()
    .describe(
      'The Kubernetes version of a spec without one, such as `1.33`. Omitted: such a spec is refused.',
    ),
  extendedSupport: flag
    .default(false)
    .describe(
      'Whether versions out of standard support may be created. EKS charges six times as much for their control planes.',
    ),
  vocabulary: z
    .enum(['current', 'first'], 'must be "current" or "first"')
    .default('current')
    .describe(
      'The words for a cluster’s status. `current`: PROGRESSING, ACTIVE, DEGRADED, UNAVAILABLE, FAILED, DELETING, DELETED. `first`: those of DCM’s first proposal, CREATING, ACTIVE, UPDATING, DEGRADED, DELETED.',
    ),
  changeAdopted: flag
    .default(false)
    .describe(
      'Whether the API may delete clusters that carry the tags of this provider but were not created by it. By default they are only reported.',
    ),
});
