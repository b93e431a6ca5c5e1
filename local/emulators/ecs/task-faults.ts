import type { Region } from './region.ts';
import type { SimulatedTask, Stop } from './task.ts';
import type { Exit } from './task-life.ts';

/**
 * What happens to tasks without a call of their owner. A task is named by its id or ARN; each method throws for an unknown one, and does
 * nothing to a task that is stopping already.
 */
export type TaskFaults = {
  /**
   * Takes the capacity of a task back: the event with SpotInterruption comes at once, and with it SIGTERM.
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
   */
  interruptSpot(task: string): void;
  /** Retires the host of a task, which stops with TerminationNotice. */
  retireHost(task: string): void;
  /** Makes a task that does not run yet fail to start, with this reason of its container. */
  failToStart(task: string, containerReason: string): void;
  /** Stops a task as another user does, or as a service does. The tags go, as with StopTask. */
  stopByOthers(task: string, stop?: Partial<Stop>): void;
  /** Ends the process of a container, by default of the first one. */
  exit(task: string, exit: Exit & { readonly container?: string }): void;
  /** Makes ECS forget a stopped task, as it does an hour after the stop. */
  forget(task: string): void;
};

export const taskFaults = (regions: () => Iterable<Region>): TaskFaults => {
  const find = (name: string): { region: Region; task: SimulatedTask } => {
    const id = name.split('/').at(-1) ?? '';
    for (const region of regions()) {
      const task = region.lookUp(id);
      if (task) return { region, task };
    }
    throw new Error(`the ECS emulator has no task ${name}`);
  };
  const stop = (name: string, reason: Stop): void => {
    const { region, task } = find(name);
    region.stop(task, reason);
  };
  return {
    interruptSpot: (name) =>
      stop(name, { code: 'SpotInterruption', reason: 'Your Spot Task was interrupted.' }),
    retireHost: (name) =>
      stop(name, {
        code: 'TerminationNotice',
        reason: 'ECS is performing maintenance on the underlying infrastructure hosting the task.',
      }),
    failToStart: (name, containerReason) => {
      const { region, task } = find(name);
      if (task.times.startedAt !== undefined) throw new Error(`the task ${name} has started already`);
      region.failToStart(task, containerReason);
    },
    stopByOthers: (name, { code = 'UserInitiated', reason = 'Task stopped by user' } = {}) => {
      const { region, task } = find(name);
      region.stop(region.tag(task, {}), { code, reason });
    },
    exit: (name, { container, ...exit }) => {
      const { region, task } = find(name);
      region.exit(task.id, container ?? task.containers[0]?.definition.name ?? '', exit);
    },
    forget: (name) => {
      const { region, task } = find(name);
      if (task.lastStatus !== 'STOPPED') throw new Error(`the task ${name} has not stopped`);
      region.forget(task.id);
    },
  };
};
