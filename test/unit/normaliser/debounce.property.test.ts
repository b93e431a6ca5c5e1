import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import type { Message } from '../../../functions/normaliser/read-message.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import { sequenceOf, stateOfKey } from '../../../shared/core/gate.ts';
import { finalState } from '../../../shared/core/kind.ts';
import type { Observation } from '../../../shared/core/message.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { acceptFault, type Faults, faulty, randomFaults } from '../../fakes/faulty.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { type Flapping, flapping, flappingResources } from '../../fixtures/flapping.ts';
import { dcmId, identity, tagKeys } from '../../fixtures/resource-messages.ts';

const burst = 4;
const windowMs = 10_000;
const settleMs = 5_000;

describe.each(flappingResources)('debounce of a $kind.serviceType', (about) => {
  const { kind } = about;
  const scenario = fc.record({
    life: flapping(about),
    seed: fc.integer(),
    copies: fc.integer({ min: 1, max: 3 }),
    lateMs: fc.constantFrom(0, 500, 8_000),
  });

  /** States that nobody heard of in between may end in the one that was told before them. */
  const statusAt = (sequence = 0) => kind.statusOf(stateOfKey(kind, String(sequence)));

  const isEnd = (sequence: number): boolean => stateOfKey(kind, String(sequence)) === finalState(kind);

  it('tells of one that changes all the time six times in ten seconds at most, its end aside, and is never more than five seconds behind', async () => {
    await fc.assert(
      fc.asyncProperty(flapping(about), fc.integer(), async (life, seed) => {
        const { told } = await run(about, { life, copies: 2, faults: randomFaults(seed, 0), lateMs: 0 });

        const changes = told.filter(({ sequence }) => !isEnd(sequence));
        for (const { ms } of changes)
          expect(
            changes.filter((other) => other.ms >= ms && other.ms < ms + windowMs).length,
          ).toBeLessThanOrEqual(burst + windowMs / settleMs);
        for (const change of life) {
          const upToDate = told.find(({ sequence }) => sequence >= sequenceOf(kind, change));
          expect(upToDate?.ms).toBeLessThanOrEqual(change.at * 1000 + settleMs);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('settles once in five seconds at most, however late and doubled its events are', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { told, history } = await run(about, { ...given, faults: randomFaults(given.seed, 0) });

        const settled = told.filter(({ sequence }) => !isEnd(sequence) && !isFree(sequence, history));
        for (const [index, { ms }] of settled.entries())
          expect(ms - (settled[index - 1]?.ms ?? 0)).toBeGreaterThanOrEqual(settleMs);
      }),
      { numRuns: 100 },
    );
  });

  it('ends in the truth, in order and without a repeat, whatever is late, doubled or crashes', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.constantFrom(0.1, 0.3), async (given, faultRate) => {
        const { told, outbox } = await run(about, { ...given, faults: randomFaults(given.seed, faultRate) });

        const sequences = told.map(({ sequence }) => sequence);
        const newest = Math.max(...given.life.map((one) => sequenceOf(kind, one)));
        expect(statusAt(sequences.at(-1))).toBe(statusAt(newest));
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
        expect(outbox).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

/** Among the first four changes of ten seconds, of those that were recorded. */
const isFree = (sequence: number, history: ReadonlySet<number>): boolean => {
  const second = (one: number) => Math.floor(one / 10);
  const before = [...history].filter((one) => one <= sequence && second(one) > second(sequence) - 10);
  return before.length <= burst;
};

type Run = { life: readonly Observation[]; copies: number; faults: Faults; lateMs: number };

/** A queue on a clock of its own: what is in it comes when it is due, some messages at a time. */
const clockedQueue = (faults: Faults) => {
  const clock = { ms: 0 };
  const waiting: { dueMs: number; message: Message }[] = [];
  const put = (dueMs: number, resourceMessages: Message['resourceMessages'], isRetry = false) => {
    const messageId = `${waiting.length} ${dueMs} ${isRetry}`;
    waiting.push({ dueMs, message: { messageId, isRetry, resourceMessages } });
  };
  const take = (): Message[] => {
    waiting.sort((a, b) => a.dueMs - b.dueMs);
    clock.ms = Math.max(clock.ms, waiting[0]?.dueMs ?? 0);
    const due = waiting.filter(({ dueMs }) => dueMs <= clock.ms).length;
    return waiting.splice(0, Math.min(due, 1 + faults.below(4))).map(({ message }) => message);
  };
  /** Delivers until nothing comes back any more. */
  const drain = async (handle: ReturnType<typeof reportStatus>) => {
    for (let batch = take(); batch.length > 0; batch = take()) {
      const crash = (error: unknown) => {
        acceptFault(error);
        return new Map(batch.map(({ messageId }) => [messageId, undefined]));
      };
      const failures = await handle(batch).catch(crash);
      const failed = batch.filter(({ messageId }) => failures.has(messageId));
      for (const { resourceMessages } of failed) put(clock.ms + 1_000, resourceMessages, true);
    }
  };
  return { now: () => clock.ms, put, drain };
};

/** Lets a life happen, and the queue deliver it, and what we queue ourselves but checks, when it is due. */
const run = async ({ kind, resourceId, type }: Flapping, { life, copies, faults, lateMs }: Run) => {
  const { now, put, drain } = clockedQueue(faults);
  const resourceStore = memoryResourceStore(now);
  const stream = memoryEventStream();
  const address = { privateAddress: '10.0.0.4' };
  await resourceStore.claim({ resourceId, dcmId, region: 'us-east-1', account: '123456789012', ...address });

  const history = new Set<number>();
  const record: typeof resourceStore.record = async (observation, status) => {
    const answer = await resourceStore.record(observation, status);
    if (answer.outcome === 'accepted') history.add(sequenceOf(kind, observation));
    return answer;
  };
  const told: { ms: number; sequence: number }[] = [];
  const append: typeof stream.append = async (event) => {
    const answer = await stream.append(event);
    if (!answer.duplicate) told.push({ ms: now(), sequence: Number(event.sequence) });
    return answer;
  };
  const telemetry = { regions: ['us-east-1'], now, log: memoryLog(), meter: countingMeter() };
  const send = async (events: readonly EventBridgeEvent[], afterSeconds = 0) => {
    const settled = events.filter((event) => event['detail-type'] === 'VM Status Settled');
    for (const event of settled)
      put(now() + afterSeconds * 1000, readMessage({ ...identity, ...telemetry })(JSON.stringify(event)));
  };

  const events = life.flatMap((change) => Array.from({ length: copies }, () => change));
  for (const change of events) put(change.at * 1000 + (lateMs && faults.below(lateMs)), [change]);
  const handle = reportStatus({
    ...telemetry,
    resourceStore: faulty({ ...resourceStore, record }, faults),
    publisher: publishEvents({ ...faulty({ ready: stream.ready, append }, faults), abandon: stream.abandon }),
    observations: faulty({ send }, faults),
    listings: { requestRepublication: async () => undefined },
    retries: { deadLetter: async () => undefined },
    types: [type],
    randomPart,
    provider: 'ec2-sp',
    tagKeys,
  });
  await drain(handle);

  const held = (await resourceStore.read([resourceId])).get(resourceId);
  return { told, history, outbox: held?.owner === 'ours' ? held.vm.outbox : undefined };
};
