import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import { type Message, readMessage } from '../../../functions/normaliser/read-message.ts';
import { comparePage } from '../../../functions/poller/compare-page.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import type { Tasks } from '../../../shared/service-types/container/ports.ts';
import { servedContainers } from '../../../shared/service-types/container/served.ts';
import { describedTask, type TaskSnapshot } from '../../../shared/service-types/container/task.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { faulty, randomFaults } from '../../fakes/faulty.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { containerIdentity as identity, taskArn, taskId } from '../../fixtures/tasks.ts';

const resourceId = `task/${taskId}`;
const createdAtMs = 1_767_323_000_000;

type Ending =
  | 'runs'
  | 'exits with 0'
  | 'exits with 1'
  | 'fails to start'
  | 'is stopped by others'
  | 'is deleted';

const scenario = fc.record({
  ending: fc.constantFrom<Ending>(
    'runs',
    'exits with 0',
    'exits with 1',
    'fails to start',
    'is stopped by others',
    'is deleted',
  ),
  /** Milliseconds between the changes: several can share a second. */
  steps: fc.array(fc.integer({ min: 0, max: 2_500 }), { minLength: 8, maxLength: 8 }),
  seed: fc.integer(),
  lostShare: fc.constantFrom(0, 0.3, 1),
  copies: fc.integer({ min: 1, max: 3 }),
  faultRate: fc.constantFrom(0, 0.2, 0.4),
});

const expected = {
  runs: 'RUNNING',
  'exits with 0': 'SUCCEEDED',
  'exits with 1': 'FAILED',
  'fails to start': 'FAILED',
  'is stopped by others': 'DELETED',
  'is deleted': 'DELETED',
} as const satisfies Record<Ending, string>;

describe('the life of a task', () => {
  it('ends in the truth, in order and without a repeat, whatever is lost, doubled, reordered or crashes', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { statuses, sequences, outbox } = await run(given);

        expect(statuses.at(-1)).toBe(expected[given.ending]);
        expect(sequences).toEqual([...new Set(sequences)].sort());
        expect(outbox).toEqual([]);
        // RUNNING that every later snapshot proves is published, however short it was and whichever events were lost
        if (given.ending.startsWith('exits')) expect(statuses).toContain('RUNNING');
      }),
      { numRuns: 150 },
    );
  });
});

/** The snapshots of a task, in the order of its changes. */
const lifeOf = (ending: Ending, steps: readonly number[]): TaskSnapshot[] => {
  let ms = createdAtMs;
  const next = steps.values();
  const later = () => (ms += next.next().value ?? 0);
  let task: TaskSnapshot = {
    ...{ taskArn, lastStatus: 'PROVISIONING', desiredStatus: 'RUNNING', createdAtMs },
    ...{ startedBy: 'ec2-sp/web-1', group: 'ec2-sp/web-1/token' },
  };
  const life = [task];
  const becomes = (change: Partial<TaskSnapshot>): void => {
    task = { ...task, ...change };
    life.push(task);
  };
  const address = [{ privateIpv4Address: '10.0.0.7' }];

  becomes({ lastStatus: 'PENDING' });
  if (ending !== 'fails to start') {
    becomes({ lastStatus: 'ACTIVATING', containers: [{ name: 'main', networkInterfaces: address }] });
    becomes({ lastStatus: 'RUNNING', startedAtMs: later() });
  }
  if (ending === 'runs') return life;
  const exitCode = { 'exits with 0': 0, 'exits with 1': 1 }[String(ending)] ?? 137;
  const isFailedStart = ending === 'fails to start';
  becomes({ desiredStatus: 'STOPPED', stoppingAtMs: later() });
  becomes({ lastStatus: 'STOPPING' });
  becomes({ lastStatus: 'DEPROVISIONING', executionStoppedAtMs: later() });
  becomes({
    lastStatus: 'STOPPED',
    stoppedAtMs: later(),
    stopCode: isFailedStart
      ? 'TaskFailedToStart'
      : ending.startsWith('exits')
        ? 'EssentialContainerExited'
        : 'UserInitiated',
    containers: isFailedStart
      ? [{ name: 'main', reason: 'CannotPullContainerError' }]
      : [{ name: 'main', exitCode, networkInterfaces: address }],
  });
  return life;
};

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

/** The event of a snapshot, as ECS sends it. */
const eventOf = (task: TaskSnapshot): EventBridgeEvent => ({
  ...{ version: '0', id: '3317b2af-8005-4d35-bf5b-2d4b8f1c6c11', source: 'aws.ecs' },
  'detail-type': 'ECS Task State Change',
  ...{ account: '123456789012', region: 'us-east-1', resources: [task.taskArn] },
  time: new Date(createdAtMs + 60_000).toISOString(),
  detail: {
    ...{ ...task, createdAt: iso(task.createdAtMs), startedAt: iso(task.startedAtMs) },
    ...{ stoppingAt: iso(task.stoppingAtMs), stoppedAt: iso(task.stoppedAtMs) },
    executionStoppedAt: iso(task.executionStoppedAtMs),
  },
});

type Given = {
  readonly ending: Ending;
  readonly steps: readonly number[];
  readonly seed: number;
  readonly lostShare: number;
  readonly copies: number;
  readonly faultRate: number;
};

/** Delivers the events that are not lost, shuffled, to two faulty workers, then has a listing heal what was lost. */
const run = async ({ ending, steps, seed, lostShare, copies, faultRate }: Given) => {
  const faults = randomFaults(seed, faultRate);
  const life = lifeOf(ending, steps);
  const last = life.at(-1) ?? expect.fail();
  const quiet = { now: () => createdAtMs + 3_600_000, meter: countingMeter(), log: memoryLog() };
  const resourceStore = memoryResourceStore(quiet.now);
  const stream = memoryEventStream();
  const described = describedTask(last, identity);
  const tasks: Tasks = {
    describe: async () => new Map([[resourceId, described]]),
    list: async () => ({ resources: [described], nextToken: undefined }),
  };
  const served = servedContainers(tasks);
  const read = readMessage({ ...identity, ...quiet, regions: ['us-east-1'] });
  let messageId = 0;
  const deliver = (event: EventBridgeEvent): Message => ({
    ...{ messageId: String(messageId++), isRetry: true },
    resourceMessages: read(JSON.stringify(event)),
  });

  await resourceStore.claim({ resourceId, dcmId: 'web-1', region: 'us-east-1', account: '123456789012' });
  if (ending === 'is deleted') await resourceStore.requestDelete(resourceId);

  const handle = (isFaulty: boolean) => {
    const behind = isFaulty ? faults : randomFaults(0, 0);
    return reportStatus({
      ...{ ...identity, ...quiet, randomPart, types: [served], burst: 9 },
      resourceStore: faulty(resourceStore, behind),
      publisher: publishEvents({
        ...faulty({ ready: stream.ready, append: stream.append }, behind),
        abandon: stream.abandon,
      }),
      observations: { send: async () => undefined },
      listings: { requestRepublication: async () => undefined },
      retries: { deadLetter: async () => undefined },
    });
  };

  const work = async (queue: Message[], report: ReturnType<typeof handle>) => {
    while (queue.length > 0) {
      const batch = queue.splice(0, 1 + faults.below(4));
      const failures = await report(batch).catch(
        () => new Map(batch.map(({ messageId: id }) => [id, undefined])),
      );
      queue.splice(
        faults.below(queue.length + 1),
        0,
        ...batch.filter(({ messageId: id }) => failures.has(id)),
      );
      await turn();
    }
  };

  const arriving = life.filter(() => faults.below(1_000) >= lostShare * 1_000).map(eventOf);
  const queue = faults.shuffled(
    arriving.flatMap((event) => Array.from({ length: copies }, () => deliver(event))),
  );
  await Promise.all([work(queue, handle(true)), work(queue, handle(true))]);
  await work(queue, handle(true));

  const healing: EventBridgeEvent[] = [];
  await comparePage({
    ...quiet,
    resourceStore,
    observations: { send: async (events) => void healing.push(...events) },
  })(
    {
      type: served,
      polled: { target: { region: 'us-east-1', serviceType: 'container' }, mode: 'streaming' },
    },
    [{ described, dcmId: 'web-1' }],
  );
  await work(healing.map(deliver), handle(true));

  const held = (await resourceStore.read([resourceId])).get(resourceId);
  return {
    statuses: stream.stored.map(({ data }) => String(Object(data).status)),
    sequences: stream.stored.map(({ sequence }) => String(sequence)),
    outbox: held?.owner === 'ours' ? held.vm.outbox : undefined,
  };
};
