import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type Cluster, type NodeGroup, nodeGroupJson } from '../cluster.ts';
import { Paging, page } from '../page.ts';
import type { Region } from '../region.ts';
import { EksError, invalidParameter, operation } from '../rest-json.ts';
import { checkRole, RoleArn, subnetsWith } from './cluster-config.ts';
import { checkNoUpdate, replayedCreation } from './clusters.ts';
import { EksTags } from './tags.ts';

/** All three sizes are required: AWS's defaults for what is left out are not documented in full. */
export const ScalingConfig = z
  .object({
    minSize: z.number().int().min(0),
    maxSize: z.number().int().min(1).max(450),
    desiredSize: z.number().int().min(0),
  })
  .refine(({ minSize, maxSize, desiredSize }) => minSize <= desiredSize && desiredSize <= maxSize, {
    error: 'expected minSize <= desiredSize <= maxSize',
  });

export const Labels = z.record(z.string().min(1).max(63), z.string().max(63));

export const Taint = z.object({
  key: z.string(),
  value: z.string().optional(),
  effect: z.enum(['NO_SCHEDULE', 'NO_EXECUTE', 'PREFER_NO_SCHEDULE']),
});

export const UpdateConfig = z.object({
  maxUnavailable: z.number().int().min(1).max(100).optional(),
  maxUnavailablePercentage: z.number().int().min(1).max(100).optional(),
});

export const CreateNodegroup = z.object({
  clusterName: z.string(),
  nodegroupName: z
    .string()
    .max(63)
    .regex(/^[0-9A-Za-z][A-Za-z0-9-_]*$/, 'expected letters, digits, - and _, the first a letter or digit'),
  nodeRole: RoleArn,
  subnets: z.array(z.string()).min(1, 'expected at least one subnet'),
  scalingConfig: ScalingConfig.default({ minSize: 1, maxSize: 2, desiredSize: 2 }),
  updateConfig: UpdateConfig.default({ maxUnavailable: 1 }),
  diskSize: z.number().int().min(1).max(16_384).default(20),
  instanceTypes: z.array(z.string()).min(1).max(20).default(['t3.medium']),
  amiType: z.string().default('AL2023_x86_64_STANDARD'),
  capacityType: z.enum(['ON_DEMAND', 'SPOT', 'CAPACITY_BLOCK']).default('ON_DEMAND'),
  labels: Labels.default({}),
  taints: z.array(Taint).max(50).default([]),
  clientRequestToken: z.string().optional(),
  tags: EksTags.default({}),
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html */
export const createNodegroup = operation(CreateNodegroup, (request, region) => {
  const { clusterName, nodegroupName } = request;
  const cluster = region.get(clusterName);
  const replayed = replayedCreation(request, cluster.nodeGroups.values());
  if (replayed) return { nodegroup: nodeGroupJson(cluster, replayed) };
  const concerned = { clusterName, nodegroupName };
  if (cluster.nodeGroups.has(nodegroupName)) {
    const message = `NodeGroup already exists with name ${nodegroupName} and cluster name ${clusterName}`;
    throw new EksError('ResourceInUseException', message, concerned);
  }
  if (cluster.status !== 'ACTIVE') {
    const message = `Cluster '${clusterName}' is not in ACTIVE status`;
    throw new EksError('InvalidRequestException', message, concerned);
  }
  checkNoUpdate(cluster, 'create a node group');
  checkRole(request.nodeRole, region);
  if (subnetsWith(request.subnets, region).some(({ vpcId }) => vpcId !== cluster.vpcId)) {
    throw invalidParameter('The subnets are not in the VPC of the cluster.', concerned);
  }
  const { nodeGroups } = region.account.faults().limits;
  if (cluster.nodeGroups.size >= nodeGroups) {
    const message = `Node group limit of ${nodeGroups} is exceeded.`;
    throw new EksError('ResourceLimitExceededException', message, concerned);
  }
  const created = region.createNodeGroup(clusterName, nodeGroupOf(request, cluster, region));
  return { nodegroup: nodeGroupJson(cluster, created) };
});

/** A new node group. */
export const nodeGroupOf = (
  request: z.infer<typeof CreateNodegroup>,
  { version }: Cluster,
  { account }: Region,
): NodeGroup => {
  const { clusterName: _, nodegroupName: name, clientRequestToken: clientToken, tags, ...settings } = request;
  const nowMs = account.clock();
  return {
    ...{ name, id: randomUUID(), version, settings, tags, clientToken },
    ...{ createdAtMs: nowMs, changedAtMs: nowMs, status: 'CREATING' },
    request,
    hasNodes: false,
    issues: [],
    failingDeletions: undefined,
  };
};

const OfCluster = z.object({ clusterName: z.string() });

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListNodegroups.html */
export const listNodegroups = operation(
  OfCluster.extend(Paging.shape),
  ({ clusterName, ...paging }, region) => {
    const found = region.foundNodeGroups(region.get(clusterName));
    const { items, nextToken } = page(found, paging, ({ name }) => name);
    return { nodegroups: items.map(({ name }) => name), nextToken };
  },
);

const Named = OfCluster.extend({ nodegroupName: z.string() });

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeNodegroup.html */
export const describeNodegroup = operation(Named, ({ clusterName, nodegroupName }, region) => {
  const cluster = region.get(clusterName);
  return { nodegroup: nodeGroupJson(cluster, region.nodeGroup(cluster, nodegroupName)) };
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteNodegroup.html */
export const deleteNodegroup = operation(Named, ({ clusterName, nodegroupName }, region) => {
  const cluster = region.get(clusterName);
  const nodeGroup = region.nodeGroup(cluster, nodegroupName);
  const { creating, deleting } = region.account.faults().deleteWhile;
  const { status } = nodeGroup;
  if (status === 'DELETING' && deleting === 'accepted')
    return { nodegroup: nodeGroupJson(cluster, nodeGroup) };
  if (status === 'CREATING' || status === 'DELETING' || status === 'UPDATING') {
    const message = `Nodegroup ${nodegroupName} cannot be deleted because it is in ${status} status`;
    const code = status === 'CREATING' ? creating : 'ResourceInUseException';
    throw new EksError(code, message, { clusterName, nodegroupName });
  }
  return { nodegroup: nodeGroupJson(cluster, region.deleteNodeGroup(clusterName, nodegroupName)) };
});
