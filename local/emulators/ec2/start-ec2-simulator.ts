import { randomInt } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { InstanceState, StateReason } from '../../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { type Account, seededRandom, type Transition, timers } from './account.ts';
import { checkLaunch, LaunchRequest, launchOf } from './actions/run-instances.ts';
import { eventEmitter, type LostEvent } from './events.ts';
import { type Faults, noFaults } from './faults.ts';
import { newId, type SimulatedInstance } from './instance.ts';
import { type InstanceFaults, instanceFaults } from './instance-faults.ts';
import { defaultRetention, type Retention } from './instance-store.ts';
import { type DwellMs, defaultDwellMs } from './lifecycle.ts';
import { queryApi } from './query-api.ts';
import { openRegion, type Region } from './region.ts';

/** An instance as it is, whatever a Describe shows. */
type TrueInstance = {
  readonly instanceId: string;
  readonly region: string;
  readonly state: InstanceState;
  readonly tags: Tags;
  readonly reason: StateReason | undefined;
  readonly changedAtMs: number;
};

/** EC2 for demos, tests and the bench. Everything that a person can do by API is done by API. */
export type Ec2Simulator = LocalServer &
  InstanceFaults & {
    /** Of all regions. */
    instances(): readonly TrueInstance[];
    /** How often each action was called, refused calls included. */
    calls(): Readonly<Record<string, number>>;
    /** From now on; what is not named stays as it was set. */
    faults(change: Partial<Faults>): void;
    /** How many events the fault `loseEvents` took. */
    lost(): number;
    /** Which ones, in their order. */
    lostEvents(): readonly LostEvent[];
    /** Adds many instances that run already, with no event, transition or timer. Gives their ids, oldest first. */
    populate(population: Population): readonly string[];
  };

/** Left out, a terminated instance is known for as long as defaultRetention says. */
export type Ec2SimulatorOptions = Partial<Retention> & {
  readonly port?: number;
  /** Takes every event in the order EC2 decided, the next without waiting for the last. One that it rejects is lost, which `log` reports. */
  readonly emit: (event: EventBridgeEvent) => void | Promise<void>;
  /** @default standard error */
  readonly log?: (line: string) => void;
  /** Called in the moment of each transition, before its event. */
  readonly onTransition?: (transition: Transition) => void;
  /** @default defaultDwellMs */
  readonly dwellMs?: Partial<DwellMs>;
  /** @default '123456789012' */
  readonly account?: string;
  /** Tells when things happen, not how long they take. */
  readonly clock?: Clock;
  /** Makes dwell times and faults the same for the same calls and events. */
  readonly seed?: number;
  /** Regions that emit no event, as where EventBridge forwards none: the fault of this name, from the start. */
  readonly silentRegions?: readonly string[];
  /** From the start. */
  readonly faults?: Partial<Faults>;
};

/**
 * The instances of one AWS account, in every region, behind the EC2 Query protocol. Regions open when they are first used.
 * Disposing of it ends every timer, and waits until `emit` has taken what it was given.
 */
export const startEc2Simulator = async (options: Ec2SimulatorOptions): Promise<Ec2Simulator> => {
  const pendingTimers = timers();
  const counts = new Map<string, number>();
  const regions = new Map<string, Region>();
  const seed = options.seed ?? randomInt(2 ** 32);
  let faults: Faults = { ...noFaults, silentRegions: options.silentRegions ?? [], ...options.faults };
  const emission = eventEmitter({
    emit: options.emit,
    log: options.log ?? ((line) => void process.stderr.write(`EC2 simulator: ${line}\n`)),
    faults: () => faults,
    random: seededRandom(~seed), // its own, so that no number of calls decides which events are lost
  });
  const account = accountOf(options, {
    seed,
    timers: pendingTimers,
    faults: () => faults,
    emit: emission.emit,
  });
  const region = (name: string): Region => {
    const opened = regions.get(name) ?? openRegion(name, account);
    regions.set(name, opened);
    return opened;
  };
  const onCall = (action: string) => counts.set(action, (counts.get(action) ?? 0) + 1);
  const server = await serve(queryApi({ region, onCall }).fetch, options.port);
  return {
    url: server.url,
    ...instanceFaults(() => regions.values()),
    instances: () => [...regions.values()].flatMap((opened) => [...opened.all()].map(trueInstance)),
    calls: () => Object.fromEntries(counts),
    faults: (change) => {
      faults = { ...faults, ...change };
    },
    lost: () => emission.lost().length,
    lostEvents: emission.lost,
    populate: (population) => populate(population, region(population.region)),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      pendingTimers[Symbol.dispose]();
      await emission.settled();
    },
  };
};

const accountOf = (
  {
    account: id = '123456789012',
    clock = Date.now,
    dwellMs,
    tagsRetainedMs = defaultRetention.tagsRetainedMs,
    retainedMs = defaultRetention.retainedMs,
    onTransition = () => {},
  }: Ec2SimulatorOptions,
  shared: Pick<Account, 'seed' | 'timers' | 'faults' | 'emit'>,
): Account => ({
  ...shared,
  id,
  clock,
  random: seededRandom(shared.seed),
  dwellMs: { ...defaultDwellMs, ...dwellMs },
  retention: { tagsRetainedMs, retainedMs },
  onTransition,
});

const trueInstance = ({ id, region, status, tags }: SimulatedInstance): TrueInstance => ({
  instanceId: id,
  region,
  state: status.value.state,
  reason: status.value.reason,
  tags: tags.value,
  changedAtMs: status.atMs,
});

/** Many instances at once, each as if launched by a call of its own. */
export type Population = {
  readonly region: string;
  readonly count: number;
  /** The tags of each, counted from 0. */
  readonly tags: (index: number) => Tags;
};

/** Their ids, oldest first. */
const populate = ({ count, tags }: Population, region: Region): readonly string[] => {
  const request = LaunchRequest.parse({ ImageId: 'ami-0a10000000000a011', MinCount: '1', MaxCount: '1' });
  const launch = launchOf(request, checkLaunch(request, region), region);
  const one = (index: number) => region.addRunning({ ...launch, reservationId: newId('r') }, tags(index));
  return Array.from({ length: count }, (_, index) => one(index).id);
};
