import { reasonOf } from '../../../shared/core/errors.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import type { RegionNetwork } from '../ec2/network-interfaces.ts';
import type { Timers } from '../timers.ts';
import type { Faults } from './faults.ts';
import type { Phase, TaskStatus } from './lifecycle.ts';
import { ecsLimits } from './limits.ts';
import { type Container, runningSince, type SimulatedTask, type Stop, taskStateChange } from './task.ts';

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
  readonly seed: number;
  /** How long a phase that begins now takes, in milliseconds. */
  readonly duration: (phase: Phase) => number;
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

/** The changes that tasks go through. Each emits an event and starts the timer of the change that follows. */
export type TaskLife = {
  /** Emits the first event of a new task, and starts its life. */
  begin(task: SimulatedTask): SimulatedTask;
  /** Makes a task stop, whatever it does; nothing changes for one that is stopping already. @returns the task after it */
  stop(task: SimulatedTask, stop: Stop): SimulatedTask;
  /** Makes a task that does not run yet stop, for this reason of its first container; nothing changes for one that is stopping already. */
  failToStart(task: SimulatedTask, containerReason: string): SimulatedTask;
  /** Ends the process of a running container, which can end the task. */
  exit(taskId: string, containerName: string, exit: Exit): void;
};

type Options = {
  readonly region: string;
  readonly account: Account;
  readonly network: RegionNetwork;
  /** By id. */
  readonly tasks: Map<string, SimulatedTask>;
};

export const taskLife = ({ region, account, network, tasks }: Options): TaskLife => {
  const { clock, timers, duration } = account;
  const put = (task: SimulatedTask): SimulatedTask => {
    tasks.set(task.id, task);
    return task;
  };
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
        description: `arn:aws:ecs:${region}:${account.id}:attachment/${task.attachmentId}`,
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
    const containers = task.containers.map((container) => runningSince(clock(), container));
    const running = change(task, { lastStatus: 'RUNNING', containers }, 'startedAt');
    for (const container of containers) awaitExit(running.id, container);
  };
  const awaitExit = (id: string, { definition, behaviour: { exit: end } }: Container): void => {
    if (end === undefined) return;
    const ms =
      end.afterSeconds === undefined ? duration('shortRun') : end.afterSeconds * 1000 * account.scale();
    after(`exit of ${definition.name}`, id, ms, () => exit(id, definition.name, end));
  };

  const exit: TaskLife['exit'] = (id, containerName, { code, reason }) => {
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
    const restarted = runningSince(clock(), ended);
    const stopped = change(task, { containers: withContainer(task, ended) });
    change(stopped, { containers: withContainer(stopped, restarted) });
    awaitExit(task.id, restarted);
  };

  const stop: TaskLife['stop'] = (task, reason) => {
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
  const failToStart: TaskLife['failToStart'] = (task, containerReason) => {
    if (task.desiredStatus === 'STOPPED') return task;
    const containers = task.containers.map((container, index) =>
      index === 0 ? { ...container, lastStatus: 'STOPPED' as const, reason: containerReason } : container,
    );
    return stop(put({ ...task, containers }), failedToStart);
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

  return {
    begin: (task) => {
      then(task.id, duration('PROVISIONING'), provision);
      return emit(put(task));
    },
    ...{ stop, failToStart, exit },
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
