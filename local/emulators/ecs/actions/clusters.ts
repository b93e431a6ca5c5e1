import * as z from 'zod';
import { JsonApiError } from '../../json-api.ts';
import { ecsLimits } from '../limits.ts';
import type { Region } from '../region.ts';
import { TagList, tagList, withinLimit } from '../tags.ts';
import type { Cluster } from '../task.ts';

const CreateRequest = z.object({
  clusterName: z
    .string()
    .regex(/^[\w-]{1,255}$/)
    .default('default'),
  capacityProviders: z.array(z.enum(['FARGATE', 'FARGATE_SPOT'])).default([]),
  tags: TagList,
});

/** Answers the existing cluster where the name is taken. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html */
export const createCluster = (input: unknown, region: Region) => {
  const { clusterName: name, tags, ...properties } = CreateRequest.parse(input);
  return {
    cluster: clusterAnswer(
      region.createCluster({ name, tags: withinLimit(tags), ...properties }),
      region,
      true,
    ),
  };
};

const DescribeRequest = z.object({
  clusters: z.array(z.string()).max(ecsLimits.clustersPerDescribeClusters).default(['default']),
  include: z.array(z.string()).default([]),
});

/** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html */
export const describeClusters = (input: unknown, region: Region) => {
  const { clusters: names, include } = DescribeRequest.parse(input);
  const found = names.map((name) => ({ name, cluster: lookUp(name, region) }));
  return {
    clusters: found.flatMap(({ cluster }) =>
      cluster ? [clusterAnswer(cluster, region, include.includes('TAGS'))] : [],
    ),
    failures: found.flatMap(({ name, cluster }) =>
      cluster ? [] : [{ arn: arnOf(name, region), reason: 'MISSING' }],
    ),
  };
};

/** The cluster of a request, by its name or ARN. @throws JsonApiError where there is none. */
export const clusterOf = (name: string | undefined, region: Region): Cluster => {
  const cluster = lookUp(name ?? 'default', region);
  if (cluster) return cluster;
  throw new JsonApiError('ClusterNotFoundException', 'Cluster not found.');
};

const lookUp = (name: string, region: Region): Cluster | undefined =>
  [...region.clusters.values()].find((cluster) => cluster.name === name || cluster.arn === name);

const arnOf = (name: string, { name: region, account }: Region): string =>
  name.startsWith('arn:') ? name : `arn:aws:ecs:${region}:${account.id}:cluster/${name}`;

const clusterAnswer = (
  { name, arn, capacityProviders, tags }: Cluster,
  region: Region,
  withTags: boolean,
) => {
  const tasks = [...region.tasks()].filter(({ run }) => run.cluster.arn === arn);
  const count = (pattern: RegExp) => tasks.filter(({ lastStatus }) => pattern.test(lastStatus)).length;
  return {
    clusterArn: arn,
    clusterName: name,
    status: 'ACTIVE',
    registeredContainerInstancesCount: 0,
    runningTasksCount: count(/^RUNNING$/),
    pendingTasksCount: count(/^(PROVISIONING|PENDING|ACTIVATING)$/),
    activeServicesCount: 0,
    statistics: [],
    tags: withTags ? tagList(tags) : [],
    settings: [],
    capacityProviders,
    defaultCapacityProviderStrategy: [],
  };
};
