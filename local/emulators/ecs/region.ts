import type { Tags } from '../../../shared/core/ownership.ts';
import type { RegionNetwork } from '../ec2/network-interfaces.ts';
import { type Cluster, newTask, type Run, runningSince, type SimulatedTask } from './task.ts';
import { type TaskDefinitions, taskDefinitions } from './task-definitions.ts';
import { type Account, type TaskLife, taskLife } from './task-life.ts';

/** The clusters, task definitions and tasks of one region. */
export type Region = Omit<TaskLife, 'begin'> & {
  readonly name: string;
  readonly account: Account;
  readonly network: RegionNetwork;
  readonly definitions: TaskDefinitions;
  /** By name. */
  readonly clusters: Map<string, Cluster>;
  /** Answers the existing cluster where the name is taken. */
  createCluster(cluster: Omit<Cluster, 'arn'>): Cluster;
  /** Oldest first, stopped tasks that ECS has forgotten aside. */
  tasks(): Iterable<SimulatedTask>;
  /** undefined for an unknown or forgotten id. */
  lookUp(id: string): SimulatedTask | undefined;
  /** The same, of forgotten tasks too: ECS answers a repeated RunTask with them. */
  remembered(id: string): SimulatedTask | undefined;
  run(run: Run, tags: Tags): SimulatedTask;
  /** Adds a running task, without an event and without an end. */
  addRunning(run: Run, tags: Tags): SimulatedTask;
  /** Replaces the tags of a task, without an event. */
  tag(task: SimulatedTask, tags: Tags): SimulatedTask;
  /** Makes ECS forget a task. */
  forget(taskId: string): void;
};

export const openRegion = (name: string, account: Account): Region => {
  const { clock } = account;
  const network = account.network(name);
  const tasks = new Map<string, SimulatedTask>();
  const forgotten = new Set<string>();
  const clusters = new Map<string, Cluster>();
  const { begin, ...life } = taskLife({ region: name, account, network, tasks });

  const isForgotten = ({ id, times }: SimulatedTask): boolean =>
    forgotten.has(id) || clock() - (times.stoppedAt ?? Number.POSITIVE_INFINITY) > account.retainedMs;
  const put = (task: SimulatedTask): SimulatedTask => {
    tasks.set(task.id, task);
    return task;
  };
  const created = (run: Run, tags: Tags, missingMs: number): SimulatedTask => {
    const atMs = clock();
    const origin = { account: account.id, region: name, number: tasks.size + 1, atMs };
    return newTask(run, tags, { ...origin, visibleAtMs: atMs + missingMs });
  };
  const createCluster: Region['createCluster'] = (cluster) => {
    const arn = `arn:aws:ecs:${name}:${account.id}:cluster/${cluster.name}`;
    const known = clusters.get(cluster.name) ?? { ...cluster, arn };
    clusters.set(cluster.name, known);
    return known;
  };
  for (const clusterName of account.clusters) {
    createCluster({ name: clusterName, capacityProviders: ['FARGATE', 'FARGATE_SPOT'], tags: {} });
  }

  return {
    ...life,
    ...{ name, account, network, clusters, createCluster },
    definitions: taskDefinitions({ account: account.id, region: name, clock }),
    *tasks() {
      for (const task of tasks.values()) if (!isForgotten(task)) yield task;
    },
    lookUp: (id) => {
      const task = tasks.get(id);
      return task && !isForgotten(task) ? task : undefined;
    },
    remembered: (id) => tasks.get(id),
    run: (run, tags) => begin(created(run, tags, account.duration('missing'))),
    addRunning: (run, tags) => {
      const task = created(run, tags, 0);
      const networkInterface = network.createInterface({
        ...{ subnetId: run.subnetId, securityGroupIds: run.securityGroupIds },
        ...{ publicAddress: run.publicAddress, description: task.arn },
      });
      const atMs = clock();
      return put({
        ...task,
        ...{ lastStatus: 'RUNNING', version: 5, networkInterface },
        times: {
          ...{ createdAt: atMs, connectivityAt: atMs, pullStartedAt: atMs, pullStoppedAt: atMs },
          startedAt: atMs,
        },
        containers: task.containers.map((container) => runningSince(atMs, container)),
      });
    },
    tag: (task, tags) => put({ ...task, tags }),
    forget: (id) => void forgotten.add(id),
  };
};
