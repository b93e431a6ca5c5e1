import * as z from 'zod';
import { JsonApiError } from '../../json-api.ts';
import { seededRandom } from '../../random.ts';
import { ecsLimits } from '../limits.ts';
import { ListPage, pageOf } from '../page.ts';
import type { Region } from '../region.ts';
import { TagList, withinLimit } from '../tags.ts';
import { type Cluster, type SimulatedTask, taskAnswer } from '../task.ts';
import { clusterOf } from './clusters.ts';

const invalid = (message: string): JsonApiError => new JsonApiError('InvalidParameterException', message);

const StopRequest = z.object({
  cluster: z.string().optional(),
  task: z.string(),
  reason: z.string().max(1024).default('Task stopped by user'),
});

/** Takes the tags of the task away. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html */
export const stopTask = (input: unknown, region: Region) => {
  const { cluster, task: name, reason } = StopRequest.parse(input);
  const task = lookUp(name, clusterOf(cluster, region), region);
  if (task === undefined) throw invalid('The referenced task was not found.');
  const stopped = region.stop(region.tag(task, {}), { code: 'UserInitiated', reason });
  return { task: taskAnswer(stopped, true) };
};

const ListRequest = ListPage.extend({
  cluster: z.string().optional(),
  containerInstance: z.string().optional(),
  desiredStatus: z.enum(['RUNNING', 'PENDING', 'STOPPED']).optional(),
  family: z.string().optional(),
  launchType: z.string().optional(),
  serviceName: z.string().optional(),
  startedBy: z.string().optional(),
});

/** The tasks with a desired status. No task desires to be PENDING. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html */
export const listTasks = (input: unknown, region: Region) => {
  const { cluster: name, maxResults, nextToken, ...filters } = ListRequest.parse(input);
  const cluster = clusterOf(name, region);
  const { startedBy, ...others } = filters;
  const { desiredStatus = 'RUNNING', family, serviceName } = others;
  if (startedBy !== undefined && Object.values(others).some((value) => value !== undefined)) {
    throw invalid('startedBy cannot be combined with other filters.');
  }
  if (serviceName !== undefined) {
    throw new JsonApiError('ServiceNotFoundException', 'Service not found.');
  }
  const { clock, faults } = region.account;
  if (faults().emptyListings) return { taskArns: [] };
  const found = [...region.tasks()]
    .filter(({ run, visibleAtMs }) => run.cluster.arn === cluster.arn && visibleAtMs <= clock())
    .filter((task) => task.desiredStatus === desiredStatus && isListed(task, region))
    .filter(({ run }) => startedBy === undefined || run.startedBy === startedBy)
    .filter(({ run }) => family === undefined || run.definition.family === family)
    .filter(() => filters.containerInstance === undefined && /^(FARGATE|)$/.test(filters.launchType ?? ''));
  const { page, nextToken: following } = pageOf(found, { maxResults, nextToken }, ({ number }) =>
    String(number).padStart(9, '0'),
  );
  return { taskArns: page.map(({ arn }) => arn), nextToken: following };
};

/** The fault `partialListings` hides always the same tasks. */
const isListed = ({ number }: SimulatedTask, { account }: Region): boolean => {
  const { partialListings } = account.faults();
  return partialListings === 0 || seededRandom(account.seed + number)() >= partialListings;
};

const DescribeRequest = z.object({
  cluster: z.string().optional(),
  tasks: z.array(z.string()),
  include: z.array(z.string()).default([]),
});

/** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html */
export const describeTasks = (input: unknown, region: Region) => {
  const { cluster: name, tasks: names, include } = DescribeRequest.parse(input);
  const cluster = clusterOf(name, region);
  if (names.length === 0) throw invalid('Tasks cannot be empty.');
  if (names.length > ecsLimits.tasksPerDescribeTasks) {
    throw invalid(`Describe at most ${ecsLimits.tasksPerDescribeTasks} tasks at once.`);
  }
  const { clock } = region.account;
  const found = [...new Set(names)].map((one) => {
    const task = lookUp(one, cluster, region);
    return { arn: arnOf(one, cluster, region), task: task && task.visibleAtMs <= clock() ? task : undefined };
  });
  return {
    tasks: found.flatMap(({ task }) => (task ? [taskAnswer(task, include.includes('TAGS'))] : [])),
    failures: found.flatMap(({ task, arn }) => (task ? [] : [{ arn, reason: 'MISSING' }])),
  };
};

/** A task by its id or ARN. @throws JsonApiError for a malformed id. */
const lookUp = (name: string, cluster: Cluster, region: Region): SimulatedTask | undefined => {
  const id = name.split('/').at(-1) ?? '';
  if (id.length !== 32 && id.length !== 36) throw invalid('taskId length should be one of [32,36]');
  const task = region.lookUp(id);
  const isNamed = task && (name === id || name === task.arn) && task.run.cluster.arn === cluster.arn;
  return isNamed ? task : undefined;
};

const arnOf = (name: string, cluster: Cluster, { name: region, account }: Region): string =>
  name.startsWith('arn:') ? name : `arn:aws:ecs:${region}:${account.id}:task/${cluster.name}/${name}`;

const TagRequest = z.object({ resourceArn: z.string(), tags: TagList });

/** Tags a task, a task definition or a cluster. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TagResource.html */
export const tagResource = (input: unknown, region: Region) => {
  const { resourceArn: arn, tags } = TagRequest.parse(input);
  const added = (before: SimulatedTask['tags']) => withinLimit({ ...before, ...tags });
  const task = region.lookUp(arn.split('/').at(-1) ?? '');
  const definition = region.definitions.lookUp(arn);
  const cluster = [...region.clusters.values()].find((one) => one.arn === arn);
  if (task?.arn === arn) {
    if (task.desiredStatus === 'STOPPED') {
      throw invalid('The specified task is stopped. Specify a running task and try again.');
    }
    region.tag(task, added(task.tags));
  } else if (definition?.arn === arn) {
    region.definitions.replace({ ...definition, tags: added(definition.tags) });
  } else if (cluster) {
    region.clusters.set(cluster.name, { ...cluster, tags: added(cluster.tags) });
  } else {
    throw invalid('The specified resource was not found.');
  }
  return {};
};
