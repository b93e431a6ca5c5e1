import { reasonOf } from '../../../shared/core/errors.ts';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import type { RegionNetwork } from '../ec2/network-interfaces.ts';
import type { Random } from '../random.ts';
import type { Timers } from '../timers.ts';
import type { Faults } from './faults.ts';
import { type DwellMs, durationOf, type TaskStatus } from './lifecycle.ts';
import { ecsLimits } from './limits.ts';
import {
  type Cluster,
  type Container,
  newTask,
  type Run,
  type SimulatedTask,
  type Stop,
  taskStateChange,
} from './task.ts';
import { type TaskDefinitions, taskDefinitions } from './task-definitions.ts';

/** A change of a task that its clients can see. */
export type TaskTransition = {
  readonly taskId: string;
  readonly lastStatus: TaskStatus;
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
  readonly version: number;
  readonly atMs: number;
};

/** What the regions of an account share. */
export type Account = {
  readonly id: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly seed: number;
  readonly dwellMs: DwellMs;
  /** Names of the clusters that every region has from the start. */
  readonly clusters: readonly string[];
  /** How long a stopped task can be described. */
  readonly retainedMs: number;
  readonly timers: Timers;
  network(region: string): RegionNetwork;
  faults(): Faults;
  /** The factor of all durations from now on. */
  scale(): number;
  /** Never rejects. */
  emit(event: EventBridgeEvent): Promise<void>;
  onTransition(transition: TaskTransition): void;
};

/** What a container ended with. Without a code ECS does not know it. */
export type Exit = { readonly code: number | undefined; readonly reason?: string | undefined };

/** The clusters, task definitions and tasks of one region, and the life of the tasks. */
export type Region = {
  readonly name: string;
  readonly account: Account;
  readonly network: RegionNetwork;
  readonly definitions: TaskDefinitions;
  readonly clusters: Map<string, Cluster>;
  createCluster(cluster: Omit<Cluster, 'arn'>): Cluster;
  /** Oldest first, stopped tasks that ECS has forgotten aside. */
  tasks(): Iterable<SimulatedTask>;
  /** undefined for an unknown or forgotten id. */
  lookUp(id: string): SimulatedTask | undefined;
  /** The same, of forgotten tasks too: ECS answers a repeated RunTask with them. */
  remembered(id: string): SimulatedTask | undefined;
  /** Starts a task, emits its first event, and starts its life. */
  run(run: Run, tags: Tags): SimulatedTask;
  /** Adds a running task, without an event and without an end. */
  addRunning(run: Run, tags: Tags): SimulatedTask;
  tag(id: string, tags: Tags): void;
  /** Makes a task stop, whatever it does; nothing changes for one that is stopping already. @returns the task after it */
  stop(task: SimulatedTask, stop: Stop): SimulatedTask;
  /** Makes a task that does not run yet stop, for this reason of its first container. */
  failToStart(task: SimulatedTask, containerReason: string): SimulatedTask;
  /** Ends the process of a container, which can end the task. */
  exit(taskId: string, containerName: string, exit: Exit): void;
  /** Makes ECS forget a task. */
  forget(taskId: string): void;
};

export const openRegion = (name: string, account: Account): Region => {
  const { clock, timers } = account;
  const network = account.network(name);
  const tasks = new Map<string, SimulatedTask>();
  const forgotten = new Set<string>();
  const clusters = new Map<string, Cluster>();

  const isForgotten = ({ id, times }: SimulatedTask): boolean =>
    forgotten.has(id) || clock() - (times.stoppedAt ?? Number.POSITIVE_INFINITY) > account.retainedMs;
  const lookUp: Region['lookUp'] = (id) => {
    const task = tasks.get(id);
    return task && !isForgotten(task) ? task : undefined;
  };
  const put = (task: SimulatedTask): SimulatedTask => {
    tasks.set(task.id, task);
    return task;
  };

  const duration = (phase: Parameters<typeof durationOf>[0]) =>
    durationOf(phase, account.dwellMs, account.random) * account.scale();
  /** Runs `next` with the task as it is then. */
  const after = (key: string, id: string, ms: number, next: (task: SimulatedTask) => void): void =>
    timers.after(`${id} ${key}`, ms, () => {
      const task = tasks.get(id);
      if (task) next(task);
    });
  /** The next step of the task itself; there is one at a time. */
  const then = (id: string, ms: number, next: (task: SimulatedTask) => void) => after('step', id, ms, next);

  const emit = (task: SimulatedTask): SimulatedTask => {
    const atMs = clock();
    const { id, lastStatus, desiredStatus, version } = task;
    account.onTransition({ taskId: id, lastStatus, desiredStatus, version, atMs });
    void account.emit(taskStateChange(task, account.id, atMs));
    return task;
  };
  /** Changes a task, and emits the event. `at` names the time that the change sets. */
  const change = (
    task: SimulatedTask,
    changes: Partial<SimulatedTask>,
    ...at: (keyof SimulatedTask['times'])[]
  ): SimulatedTask => {
    const times = { ...task.times, ...Object.fromEntries(at.map((time) => [time, clock()])) };
    return emit(put({ ...task, ...changes, times, version: task.version + 1 }));
  };

  const provision = (task: SimulatedTask): void => {
    const { failInterfaces } = account.faults();
    if (failInterfaces !== undefined) return void failToStart(task, failInterfaces);
    try {
      const networkInterface = network.createInterface({
        ...{ subnetId: task.run.subnetId, securityGroupIds: task.run.securityGroupIds },
        publicAddress: task.run.publicAddress,
        description: `arn:aws:ecs:${name}:${account.id}:attachment/${task.attachmentId}`,
      });
      change(task, { lastStatus: 'PENDING', networkInterface }, 'connectivityAt');
      then(task.id, duration('PENDING') / 2, pull);
    } catch (error) {
      failToStart(task, `ResourceInitializationError: ${reasonOf(error)}`);
    }
  };

  const pull = (task: SimulatedTask): void => {
    change(task, {}, 'pullStartedAt');
    const pullError = task.containers.find(({ behaviour }) => behaviour.pullError)?.behaviour.pullError;
    if (pullError !== undefined) {
      then(task.id, duration('failedPull'), (pulling) => failToStart(pulling, pullError));
    } else {
      then(task.id, duration('PENDING') / 2, (pulled) => {
        change(pulled, { lastStatus: 'ACTIVATING' }, 'pullStoppedAt');
        then(task.id, duration('ACTIVATING'), start);
      });
    }
  };

  const start = (task: SimulatedTask): void => {
    const containers = task.containers.map(runningNow);
    const running = change(task, { lastStatus: 'RUNNING', containers }, 'startedAt');
    for (const container of containers) awaitExit(running.id, container);
  };
  const runningNow = (container: Container): Container => ({
    ...container,
    lastStatus: 'RUNNING',
    exitCode: undefined,
    reason: undefined,
    startedAtMs: clock(),
  });
  const awaitExit = (id: string, { definition, behaviour: { exit: end } }: Container): void => {
    if (end === undefined) return;
    const ms =
      end.afterSeconds === undefined ? duration('shortRun') : end.afterSeconds * 1000 * account.scale();
    after(`exit of ${definition.name}`, id, ms, () => exit(id, definition.name, end));
  };

  const exit: Region['exit'] = (id, containerName, { code, reason }) => {
    const task = tasks.get(id);
    const container = task?.containers.find(({ definition }) => definition.name === containerName);
    if (task === undefined || container?.lastStatus !== 'RUNNING') return;
    timers.cancel(`${id} exit of ${containerName}`);
    const ended: Container = { ...container, lastStatus: 'STOPPED', exitCode: code, reason };
    if (task.desiredStatus === 'RUNNING') exitWhileRunning(task, ended);
    else {
      const changed = change(task, { containers: withContainer(task, ended) });
      if (task.lastStatus === 'STOPPING' && isEnded(changed)) deprovision(changed);
    }
  };
  const exitWhileRunning = (task: SimulatedTask, ended: Container): void => {
    const containers = withContainer(task, ended);
    if (isRestarted(ended)) restart(task, ended);
    else if (ended.definition.essential) stop(put({ ...task, containers }), essentialContainerExited);
    else change(task, { containers });
  };
  /** A container is restarted once in each restart period. */
  const isRestarted = ({ definition, exitCode, startedAtMs = 0 }: Container): boolean => {
    const policy = definition.restartPolicy;
    if (!policy?.enabled) return false;
    if (exitCode !== undefined && policy.ignoredExitCodes.includes(exitCode)) return false;
    return clock() - startedAtMs >= policy.restartAttemptPeriod * 1000 * account.scale();
  };
  const restart = (task: SimulatedTask, ended: Container): void => {
    const restarted = runningNow(ended);
    const stopped = change(task, { containers: withContainer(task, ended) });
    change(stopped, { containers: withContainer(stopped, restarted) });
    awaitExit(task.id, restarted);
  };

  const stop: Region['stop'] = (task, reason) => {
    if (task.desiredStatus === 'STOPPED') return task;
    const stopping = change(task, { desiredStatus: 'STOPPED', stop: reason }, 'stoppingAt');
    if (isEnded(stopping)) then(task.id, duration('RUNNING'), deprovision);
    else {
      then(task.id, duration('RUNNING'), (running) => {
        change(running, { lastStatus: 'DEACTIVATING' });
        then(task.id, duration('DEACTIVATING'), (deactivated) =>
          (isEnded(deactivated) ? deprovision : terminateContainers)(deactivated),
        );
      });
    }
    return stopping;
  };
  const failToStart: Region['failToStart'] = (task, containerReason) => {
    const [first, ...others] = task.containers;
    const failed = first && { ...first, lastStatus: 'STOPPED' as const, reason: containerReason };
    return stop(put({ ...task, containers: failed ? [failed, ...others] : [] }), failedToStart);
  };
  /** Sends SIGTERM to the containers, and SIGKILL to those that ignore it, after their stop timeout. */
  const terminateContainers = (task: SimulatedTask): void => {
    change(task, { lastStatus: 'STOPPING' });
    for (const { definition, behaviour, lastStatus } of task.containers) {
      if (lastStatus !== 'RUNNING') continue;
      const { stopTimeout = ecsLimits.stopTimeoutSeconds.default } = definition;
      const [ms, code] = behaviour.ignoresSigterm
        ? [stopTimeout * 1000 * account.scale(), 137]
        : [duration('sigterm'), 143];
      after(`end of ${definition.name}`, task.id, ms, () => exit(task.id, definition.name, { code }));
    }
  };
  const deprovision = (task: SimulatedTask): void => {
    const containers = task.containers.map((container) => ({ ...container, lastStatus: 'STOPPED' as const }));
    change(task, { lastStatus: 'DEPROVISIONING', containers }, 'executionStoppedAt');
    then(task.id, duration('DEPROVISIONING'), (ending) => {
      if (ending.networkInterface) network.deleteInterface(ending.networkInterface.id);
      change(ending, { lastStatus: 'STOPPED' }, 'stoppedAt');
    });
  };

  const created = (run: Run, tags: Tags, missingMs: number): SimulatedTask => {
    const atMs = clock();
    const origin = { account: account.id, region: name, number: tasks.size + 1, atMs };
    return put(newTask(run, tags, { ...origin, visibleAtMs: atMs + missingMs }));
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
    ...{ name, account, network, clusters, createCluster, lookUp, stop, failToStart, exit },
    definitions: taskDefinitions({ account: account.id, region: name, clock }),
    *tasks() {
      for (const task of tasks.values()) if (!isForgotten(task)) yield task;
    },
    remembered: (id) => tasks.get(id),
    run: (run, tags) => {
      const task = emit(created(run, tags, duration('missing')));
      then(task.id, duration('PROVISIONING'), provision);
      return task;
    },
    addRunning: (run, tags) => {
      const task = created(run, tags, 0);
      const networkInterface = network.createInterface({
        ...{ subnetId: run.subnetId, securityGroupIds: run.securityGroupIds },
        ...{ publicAddress: run.publicAddress, description: task.arn },
      });
      const { createdAt = clock() } = task.times;
      return put({
        ...task,
        ...{ lastStatus: 'RUNNING', version: 5, networkInterface },
        times: {
          ...{ createdAt, connectivityAt: createdAt, pullStartedAt: createdAt },
          ...{ pullStoppedAt: createdAt, startedAt: createdAt },
        },
        containers: task.containers.map(runningNow),
      });
    },
    tag: (id, tags) => {
      const task = tasks.get(id);
      if (task) put({ ...task, tags });
    },
    forget: (id) => void forgotten.add(id),
  };
};

const withContainer = ({ containers }: SimulatedTask, changed: Container): readonly Container[] =>
  containers.map((one) => (one.arn === changed.arn ? changed : one));

/** None of its containers runs. */
const isEnded = ({ containers }: SimulatedTask): boolean =>
  containers.every(({ lastStatus }) => lastStatus !== 'RUNNING');

const essentialContainerExited: Stop = {
  code: 'EssentialContainerExited',
  reason: 'Essential container in task exited',
};

const failedToStart: Stop = { code: 'TaskFailedToStart', reason: 'Task failed to start' };
