import { randomInt } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { type Callers, defaultAccount, keyCallers } from '../callers.ts';
import type { RegionNetwork } from '../ec2/network-interfaces.ts';
import { eventEmitter } from '../event-emitter.ts';
import { jsonApi } from '../json-api.ts';
import { byPlace, callCounts, type Places, placedFaults } from '../places.ts';
import { seededRandom } from '../random.ts';
import { timers } from '../timers.ts';
import { clusterOf, createCluster, describeClusters } from './actions/clusters.ts';
import { runTaskOperation } from './actions/run-task.ts';
import { describeTasks, listTasks, stopTask, tagResource } from './actions/tasks.ts';
import { admission, checkTags, type Faults, noFaults } from './faults.ts';
import { type DwellMs, defaultDwellMs, durationOf } from './lifecycle.ts';
import { ecsLimits } from './limits.ts';
import { openRegion, type Region } from './region.ts';
import type { Run, SimulatedTask } from './task.ts';
import { type TaskFaults, taskFaults } from './task-faults.ts';
import type { Account, TaskTransition } from './task-life.ts';

/** ECS for demos, tests and the bench. Clients use ECS's API; these methods do what the API cannot. */
export type EcsEmulator = LocalServer &
  TaskFaults & {
    /** The true tasks of all regions, forgotten ones aside. */
    tasks(): readonly SimulatedTask[];
    /** Number of calls of each operation, including refused calls. */
    calls(places?: Places): Readonly<Record<string, number>>;
    /** Sets faults from now on; the others stay as they are. @default everywhere */
    faults(change: Partial<Faults>, places?: Places): void;
    /** Multiplies the durations that begin from now on, `sleep` and stop timeouts included. @default 1 */
    scaleDwell(factor: number): void;
    /** The events that the faults `loseEvents` and `loseEventsOf` lost, in their order. */
    lostEvents(): readonly EventBridgeEvent[];
    /** Adds many running tasks, without events, transitions or timers. @returns their ARNs, oldest first */
    populate(population: Population): readonly string[];
  };

export type EcsEmulatorOptions = {
  readonly port?: number;
  /** The network of a region of an account, which the tasks' network interfaces join: the EC2 emulator's. */
  readonly network: (region: string, account: string) => RegionNetwork;
  /** Called with each event in ECS's order, without waiting for the one before. An event that it rejects is lost and logged. */
  readonly emit: (event: EventBridgeEvent) => void | Promise<void>;
  /** @default standard error */
  readonly log?: (line: string) => void;
  /** Called at each change of a task, before its event is emitted. */
  readonly onTransition?: (transition: TaskTransition) => void;
  /** @default defaultDwellMs */
  readonly dwellMs?: Partial<DwellMs>;
  /** The clusters that exist in every region of every account, with both Fargate capacity providers. @default ['default'] */
  readonly clusters?: readonly string[];
  /** The home account: of callers that name no other one. @default defaultAccount */
  readonly account?: string;
  /** @default keyCallers of the home account */
  readonly callers?: Callers;
  /** Gives the times of changes. Durations use real timers. */
  readonly clock?: Clock;
  /** How long a stopped task can be described, in milliseconds. @default an hour */
  readonly retainedMs?: number;
  /** With the same seed, the same calls have the same dwell times and faults. */
  readonly seed?: number;
  /** Faults from the start. */
  readonly faults?: Partial<Faults>;
};

/**
 * Starts an emulator of ECS on Fargate, with ECS's JSON 1.1 protocol. A region of an account is created when it is first used. Disposing stops all timers, drops the events that faults keep back, and waits for `emit` calls that are under way.
 */
export const startEcsEmulator = async (options: EcsEmulatorOptions): Promise<EcsEmulator> => {
  const pendingTimers = timers();
  const counts = callCounts();
  const { account: home = defaultAccount, callers = keyCallers(home) } = options;
  const seed = options.seed ?? randomInt(2 ** 32);
  const faults = placedFaults<Faults>({ ...noFaults, ...options.faults });
  let scale = 1;
  const random = seededRandom(seed);
  const dwellMs = { ...defaultDwellMs, ...options.dwellMs };
  const emission = eventEmitter({
    emit: options.emit,
    log: options.log ?? ((line) => void process.stderr.write(`ECS emulator: ${line}\n`)),
    faults: faults.at,
    random: seededRandom(~seed), // a separate generator, so that the number of calls does not change which events are lost
  });
  const shared: Omit<Account, 'id' | 'faults' | 'network'> = {
    clock: options.clock ?? Date.now,
    seed,
    duration: (phase) => durationOf(phase, dwellMs, random) * scale,
    clusters: options.clusters ?? ['default'],
    retainedMs: options.retainedMs ?? ecsLimits.stoppedTaskMs,
    timers: pendingTimers,
    scale: () => scale,
    emit: emission.emit,
    onTransition: options.onTransition ?? (() => {}),
  };
  const regions = byPlace((place) =>
    openRegion(place.region, {
      ...shared,
      id: place.account,
      network: (region) => options.network(region, place.account),
      faults: () => faults.at(place),
    }),
  );
  const api = jsonApi(
    new Map(
      Object.entries(operations()).map(([name, operation]) => [
        name,
        (input, call) => {
          const region = regions.at({ account: call.caller.account, region: call.region });
          checkTags(input, region.account.faults());
          return operation(input, region);
        },
      ]),
    ),
    {
      ...{ service: 'ecs', callers, invalidRequest: 'InvalidParameterException' },
      onCall: ({ operation, region, caller: { account } }) => counts.count(operation, { account, region }),
      admit: admission({ faults: faults.at, random }),
    },
  );
  const server = await serve(api.fetch, options.port);
  return {
    url: server.url,
    ...taskFaults(regions.all),
    tasks: () => regions.all().flatMap((region) => [...region.tasks()]),
    calls: counts.of,
    faults: faults.set,
    scaleDwell: (factor) => {
      scale = factor;
    },
    lostEvents: emission.lost,
    populate: ({ account = home, ...population }) =>
      populate(population, regions.at({ account, region: population.region })),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      pendingTimers[Symbol.dispose]();
      emission[Symbol.dispose]();
      await emission.settled();
    },
  };
};

type EcsOperation = (input: unknown, region: Region) => unknown;

const operations = (): Readonly<Record<string, EcsOperation>> => ({
  CreateCluster: createCluster,
  DeregisterTaskDefinition: (input, { definitions }) => definitions.deregister(input),
  DescribeClusters: describeClusters,
  DescribeTaskDefinition: (input, { definitions }) => definitions.describe(input),
  DescribeTasks: describeTasks,
  ListTaskDefinitions: (input, { definitions }) => definitions.list(input),
  ListTasks: listTasks,
  RegisterTaskDefinition: (input, { definitions }) => definitions.register(input),
  RunTask: runTaskOperation(),
  StopTask: stopTask,
  TagResource: tagResource,
});

/** Tasks to add, each as if started by a call of its own. */
export type Population = {
  /** @default the home account */
  readonly account?: string;
  readonly region: string;
  readonly cluster: string;
  /** At most as many as the subnet has free addresses. */
  readonly count: number;
  readonly subnetId: string;
  /** What the task with this index, from 0, was started with. */
  readonly task: (index: number) => {
    readonly startedBy: string;
    readonly group: string;
    readonly tags: Tags;
  };
};

const populate = (
  { cluster: name, count, subnetId, task }: Population,
  region: Region,
): readonly string[] => {
  const cluster = clusterOf(name, region);
  const { zone } = region.network.subnet(subnetId);
  const definition = region.definitions.add({
    family: 'populated',
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    ...{ cpu: '256', memory: '512' },
    containerDefinitions: [{ name: 'main', image: 'nginx:alpine' }],
  });
  const shared: Omit<Run, 'group' | 'startedBy'> = {
    ...{ cluster, definition, capacityProvider: 'FARGATE', hasStrategy: false, platformVersion: '1.4.0' },
    ...{ subnetId, zone, securityGroupIds: [], publicAddress: false, overrides: { containerOverrides: [] } },
  };
  return Array.from({ length: count }, (_, index) => {
    const { tags, ...own } = task(index);
    return region.addRunning({ ...shared, ...own }, tags).arn;
  });
};
