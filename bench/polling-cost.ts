import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Plan, PollerRequest } from '../functions/poller/handle-request.ts';
import {
  type LocalStateMachine,
  startStateMachine,
} from '../local/emulators/step-functions/start-state-machine.ts';
import { startTable } from './emulators.ts';
import {
  changes,
  type PolledRegions,
  polledRegions,
  storeInstances,
  storeListings,
} from './polling-regions.ts';

const vms = 1_000;
const idleTurns = 24;
const busyTurns = 30;
const secondsPerDay = 86_400;
const secondsPerHour = 3_600;
/** infra/constructs/polling.ts */
const watchdogSeconds = 300;
const quietSeconds = 300;

/** List-price dollars a day of these regions together, 1,000 VMs each, in which nothing changes. */
export const idleDollars = async (regions: readonly string[]): Promise<number> => {
  await using dynamoDb = await startTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions, vms });
  return await idleDollarsOf(polled); // DynamoDB must run until then
};

/** The same of all that is polled, where everything but the VMs was listed before, and is due in `quietSeconds`. */
export const idleDollarsOf = async (polled: PolledRegions): Promise<number> => {
  await storeListings(polled, { dueInSeconds: quietSeconds });
  await storeInstances(polled); // an unchanged page is compared with the table once an hour
  return dollarsPerDay(await runTurns(polled, { isOver: (turns) => turns === idleTurns }));
};

/** List-price dollars a day of one region of 1,000 VMs, of which one in a hundred changes from each listing to the next. */
export const busyDollars = async (region: string): Promise<number> => {
  await using dynamoDb = await startTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions: [region], vms });
  await storeListings(polled, { dueInSeconds: 10 });
  await storeInstances(polled);
  return dollarsPerDay(
    await runTurns(polled, {
      isOver: (turns) => turns === busyTurns,
      duringWait: changes(polled, region, vms),
    }),
  );
};

/** List-price dollars a day of what is polled, and the calls that an hour of it takes. */
export const hourOf = async (
  polled: Polled,
): Promise<{ readonly dollarsPerDay: number; readonly serviceCalls: number }> => {
  const untilMs = polled.now() + secondsPerHour * 1000;
  const executions = await runTurns(polled, { isOver: () => polled.now() >= untilMs });
  return { dollarsPerDay: dollarsPerDay(executions), serviceCalls: executions.turns.serviceCalls };
};

/** What the state machine needs of a poller that is counted. */
export type Polled = Pick<PolledRegions, 'handle' | 'now' | 'skip' | 'units' | 'calls'>;

/** What AWS charges for, all of it counted and nothing timed. */
type Usage = {
  readonly transitions: number;
  readonly invocations: number;
  readonly serviceCalls: number;
  readonly dynamoDbCalls: number;
  readonly reads: number;
  readonly writes: number;
};

/** The poller's memory, as infra/constructs/poller.ts deploys it. */
const gib = 0.5;

/** Lambda charges for the time of an invocation. It is taken to be that of the calls to AWS, and a call to last as long as this. */
const assumedMs = { serviceCall: 100, dynamoDbCall: 10 };

/**
 * List prices of us-east-1 in dollars, without the free tier.
 * @see https://aws.amazon.com/step-functions/pricing/ Standard workflows
 * @see https://aws.amazon.com/lambda/pricing/ Arm
 * @see https://aws.amazon.com/dynamodb/pricing/on-demand/ Standard table class
 */
const prices = {
  transition: 25e-6,
  invocation: 0.2e-6,
  gibSecond: 0.0000133334,
  read: 0.125e-6,
  write: 0.625e-6,
};

const dollars = ({ transitions, invocations, serviceCalls, dynamoDbCalls, reads, writes }: Usage): number =>
  transitions * prices.transition +
  invocations * prices.invocation +
  ((serviceCalls * assumedMs.serviceCall + dynamoDbCalls * assumedMs.dynamoDbCall) / 1000) *
    gib *
    prices.gibSecond +
  reads * prices.read +
  writes * prices.write;

const dollarsPerDay = ({ seconds, turns, watchdog }: Executions): number =>
  (dollars(turns) * secondsPerDay) / seconds + (dollars(watchdog) * secondsPerDay) / watchdogSeconds;

const asl = new URL('../functions/poller/state-machine.asl.json', import.meta.url);
const secondMs = 0.001;

type Executions = {
  /** By the poller's clock, which a wait puts forward. */
  readonly seconds: number;
  /** Of all turns. */
  readonly turns: Usage;
  /** Of one execution that the watchdog starts while another one is in charge. */
  readonly watchdog: Usage;
};

type Course = {
  /** Asked after so many turns of planning, waiting and polling. */
  readonly isOver: (turns: number) => boolean;
  readonly duringWait?: () => Promise<void>;
};

/**
 * Runs the state machine with the poller behind it, until that is over.
 * @throws where an execution or one of its states fails.
 */
const runTurns = async (polled: Polled, course: Course): Promise<Executions> => {
  const lines: string[] = [];
  const poller = meteredPoller(polled, course);
  const startedAtMs = polled.now();
  await using machine = await startStateMachine({
    definition: await readFile(asl, 'utf8'),
    substitutions: { Partition: 'aws', Poller: 'poller' },
    invoke: (_, payload) => poller.invoke(payload),
    log: (line) => lines.push(line),
    secondMs,
  });
  const allTransitions = await lastEnded(machine, lines);
  const seconds = (polled.now() - startedAtMs) / 1000;
  const used = poller.take();

  machine.start();
  const transitions = await lastEnded(machine, lines);
  const watchdog = { ...poller.take(), transitions };
  // the first execution ends as the watchdog's does: with a plan that says stop
  return { seconds, turns: { ...used, transitions: allTransitions - transitions }, watchdog };
};

/** Invokes the poller, but answers one plan that says stop, once it is over. */
const meteredPoller = (polled: Polled, { isOver, duringWait = async () => {} }: Course) => {
  let [invocations, turns, isStopped] = [0, 0, false];
  const counts = () => ({ ...polled.units(), serviceCalls: polled.calls() });
  let before = counts();

  const counted = (request: PollerRequest) => {
    invocations += 1;
    return polled.handle(request);
  };

  return {
    async invoke(payload: unknown): Promise<unknown> {
      const request = PollerRequest.parse(payload);
      if (request.do !== 'plan') return counted(request);
      if (!isStopped && isOver(turns)) {
        isStopped = true;
        return { next: 'stop', regions: [], waitSeconds: 0 };
      }
      turns += 1;
      const plan = Plan.parse(await counted(request));
      if (plan.next === 'poll') {
        polled.skip(plan.waitSeconds * 1000);
        await duringWait();
      }
      return plan;
    },
    /** What was used since this was called last. */
    take(): Omit<Usage, 'transitions'> {
      const after = counts();
      const used = {
        invocations,
        serviceCalls: after.serviceCalls - before.serviceCalls,
        dynamoDbCalls: after.calls - before.calls,
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
      };
      [invocations, before] = [0, after];
      return used;
    },
  };
};

/** The transitions of the newest execution, when it has ended. */
const lastEnded = async (machine: LocalStateMachine, lines: readonly string[]): Promise<number> => {
  const last = () => machine.executions().at(-1);
  while (last()?.status === 'RUNNING') await sleep(1);
  if (lines.length > 0 || last()?.status !== 'SUCCEEDED')
    throw new Error(`The state machine failed: ${lines.join(', ')}`);
  return last()?.transitions ?? 0;
};
