import { randomInt } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { InstanceState, StateReason } from '../../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { type Callers, defaultAccount, keyCallers } from '../callers.ts';
import { eventEmitter } from '../event-emitter.ts';
import { byPlace, callCounts, type Places, placedFaults } from '../places.ts';
import { seededRandom } from '../random.ts';
import { timers } from '../timers.ts';
import type { Account, Transition } from './account.ts';
import { checkLaunch, LaunchRequest, launchOf } from './actions/run-instances.ts';
import { type LostEvent, lostEvent } from './events.ts';
import { type Faults, noFaults } from './faults.ts';
import { newId, type SimulatedInstance } from './instance.ts';
import { type InstanceFaults, instanceFaults } from './instance-faults.ts';
import { defaultRetention, type Retention } from './instance-store.ts';
import { type DwellMs, defaultDwellMs } from './lifecycle.ts';
import type { RegionNetwork } from './network-interfaces.ts';
import { queryApi } from './query-api.ts';
import { openRegion, type Region } from './region.ts';

/** The true state of an instance, which Describe calls may not show yet. */
type TrueInstance = {
  readonly instanceId: string;
  readonly account: string;
  readonly region: string;
  readonly state: InstanceState;
  readonly tags: Tags;
  readonly reason: StateReason | undefined;
  readonly changedAtMs: number;
};

/** EC2 for demos, tests and the bench. Clients use EC2's API; these methods do what the API cannot. */
export type Ec2Simulator = LocalServer &
  InstanceFaults & {
    /** The instances of all regions. */
    instances(): readonly TrueInstance[];
    /** Number of calls of each action, including refused calls. */
    calls(places?: Places): Readonly<Record<string, number>>;
    /** Sets faults from now on; the others stay as they are. @default everywhere */
    faults(change: Partial<Faults>, places?: Places): void;
    /** How many events were lost by the fault `loseEvents`. */
    lost(): number;
    /** The lost events, in their order. */
    lostEvents(): readonly LostEvent[];
    /** The network of a region: its subnets, and the network interfaces that other services create in them. @default the home account's */
    network(region: string, account?: string): RegionNetwork;
    /** Adds many running instances, without events, transitions or timers. @returns their ids, oldest first */
    populate(population: Population): readonly string[];
  };

/** Retention of terminated instances: @default defaultRetention */
export type Ec2SimulatorOptions = Partial<Retention> & {
  readonly port?: number;
  /** Called with each event in EC2's order, without waiting for the one before. An event that it rejects is lost and logged. */
  readonly emit: (event: EventBridgeEvent) => void | Promise<void>;
  /** @default standard error */
  readonly log?: (line: string) => void;
  /** Called at each transition, before its event is emitted. */
  readonly onTransition?: (transition: Transition) => void;
  /** @default defaultDwellMs */
  readonly dwellMs?: Partial<DwellMs>;
  /** The home account: of callers that name no other one. @default defaultAccount */
  readonly account?: string;
  /** @default keyCallers of the home account */
  readonly callers?: Callers;
  /** Gives the times of changes. Durations use real timers. */
  readonly clock?: Clock;
  /** With the same seed, the same calls have the same dwell times and faults. */
  readonly seed?: number;
  /** The fault of this name, from the start: regions that emit no events. */
  readonly silentRegions?: readonly string[];
  /** Faults from the start. */
  readonly faults?: Partial<Faults>;
};

/**
 * Starts an emulator of EC2, with the EC2 Query protocol. A region of an account is created when it is first used. Disposing stops all
 * timers and waits for `emit` calls that are under way.
 */
export const startEc2Simulator = async (options: Ec2SimulatorOptions): Promise<Ec2Simulator> => {
  const pendingTimers = timers();
  const counts = callCounts();
  const { account: home = defaultAccount, callers = keyCallers(home) } = options;
  const seed = options.seed ?? randomInt(2 ** 32);
  const faults = placedFaults({ ...noFaults, silentRegions: options.silentRegions ?? [], ...options.faults });
  const emission = eventEmitter({
    emit: options.emit,
    log: options.log ?? ((line) => void process.stderr.write(`EC2 simulator: ${line}\n`)),
    faults: faults.at,
    random: seededRandom(~seed), // a separate generator, so that the number of calls does not change which events are lost
  });
  const shared = sharedOf(options, { seed, timers: pendingTimers, emit: emission.emit });
  const regions = byPlace((place) =>
    openRegion(place.region, { ...shared, id: place.account, faults: () => faults.at(place) }),
  );
  const api = queryApi({ callers, region: regions.at, onCall: counts.count });
  const server = await serve(api.fetch, options.port);
  return {
    url: server.url,
    ...instanceFaults(regions.all),
    instances: () =>
      regions.all().flatMap((region) => [...region.all()].map((one) => trueInstance(one, region.account.id))),
    calls: counts.of,
    faults: faults.set,
    lost: () => emission.lost().length,
    lostEvents: () => emission.lost().map(lostEvent),
    network: (region, account = home) => regions.at({ account, region }).network,
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

type Shared = Omit<Account, 'id' | 'faults'>;

const sharedOf = (
  {
    clock = Date.now,
    dwellMs,
    tagsRetainedMs = defaultRetention.tagsRetainedMs,
    retainedMs = defaultRetention.retainedMs,
    onTransition = () => {},
  }: Ec2SimulatorOptions,
  shared: Pick<Shared, 'seed' | 'timers' | 'emit'>,
): Shared => ({
  ...shared,
  clock,
  random: seededRandom(shared.seed),
  dwellMs: { ...defaultDwellMs, ...dwellMs },
  retention: { tagsRetainedMs, retainedMs },
  onTransition,
});

const trueInstance = ({ id, region, status, tags }: SimulatedInstance, account: string): TrueInstance => ({
  instanceId: id,
  account,
  region,
  state: status.value.state,
  reason: status.value.reason,
  tags: tags.value,
  changedAtMs: status.atMs,
});

/** Instances to add, each as if launched by a call of its own. */
export type Population = {
  /** @default the home account */
  readonly account?: string;
  readonly region: string;
  readonly count: number;
  /** The tags of the instance with this index, from 0. */
  readonly tags: (index: number) => Tags;
};

const populate = ({ count, tags }: Population, region: Region): readonly string[] => {
  const request = LaunchRequest.parse({ ImageId: 'ami-0a10000000000a011', MinCount: '1', MaxCount: '1' });
  const launch = launchOf(request, checkLaunch(request, region), region);
  const one = (index: number) => region.addRunning({ ...launch, reservationId: newId('r') }, tags(index));
  return Array.from({ length: count }, (_, index) => one(index).id);
};
