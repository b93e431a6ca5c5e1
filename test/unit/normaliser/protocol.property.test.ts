import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import type { Message } from '../../../functions/normaliser/read-message.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import { sequenceOf } from '../../../shared/core/gate.ts';
import type { Observation, ResourceMessage } from '../../../shared/core/message.ts';
import { type InstanceState, instanceStateOf, vmKind } from '../../../shared/service-types/vm/kind.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import type { CloudEventJson } from '../../../shared/wire/cloudevents.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { faulty, randomFaults } from '../../fakes/faulty.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { lifetime } from '../../fixtures/lifetime.ts';
import { halfPastTen, tagKeys, wanted } from '../../fixtures/resource-messages.ts';

const resourceIds = ['i-00000000000000001', 'i-00000000000000002', 'i-00000000000000003'];
const vmIdOf = (resourceId: string) => `vm-${resourceId.at(-1)}`;

const scenario = fc.record({
  lives: fc.tuple(...resourceIds.map(lifetime)),
  seed: fc.integer(),
  requests: fc.array(fc.nat(30), { maxLength: 2 }),
  copies: fc.integer({ min: 1, max: 3 }),
  workers: fc.integer({ min: 1, max: 4 }),
  faultRate: fc.constantFrom(0, 0.05, 0.2, 0.4),
});

describe('protocol', () => {
  it('ends in the truth, in order and without a repeat, whatever is duplicated, reordered, lost on the way back or crashes', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { lives } = given;
        const { stored, outboxes } = await run(given);

        for (const life of lives) {
          const newest = newestOf(life);
          const told = stored.filter((event) => event.partitionkey === newest.resourceId);
          expect(statusIn(told.at(-1))).toEqual({
            id: vmIdOf(newest.resourceId),
            status: vmKind.statusOf(newest.state),
          });
          const sequences = told.map((event) => String(event.sequence));
          expect(sequences).toEqual([...new Set(sequences)].sort());
        }
        expect(outboxes).toEqual([[], [], []]);
      }),
      { numRuns: 400 },
    );
  });
});

const newestOf = (
  life: readonly Observation[],
): { readonly resourceId: string; readonly state: InstanceState } => {
  const { resourceId, state } = life.reduce((a, b) =>
    sequenceOf(vmKind, b) > sequenceOf(vmKind, a) ? b : a,
  );
  return { resourceId, state: instanceStateOf(state).state };
};

const statusIn = (event: CloudEventJson | undefined) => {
  const { id, status } = Object(event?.data);
  return { id, status };
};

type Run = {
  lives: Observation[][];
  /** Seconds at which every VM's status is wanted once more. */
  requests: number[];
  seed: number;
  copies: number;
  workers: number;
  faultRate: number;
};

/** Delivers every observation `copies` times, shuffled, to several workers at once, until no message comes back any more. */
const run = async ({ lives, requests, seed, copies, workers, faultRate }: Run) => {
  const faults = randomFaults(seed, faultRate);
  const now = () => (halfPastTen + 3600) * 1000;
  const read = readMessage({
    provider: 'ec2-sp',
    tagKeys,
    regions: ['us-east-1'],
    now,
    log: memoryLog(),
    meter: countingMeter(),
  });
  const resourceStore = memoryResourceStore();
  const stream = memoryEventStream();
  for (const resourceId of resourceIds) {
    const about = { resourceId, dcmId: vmIdOf(resourceId), region: 'us-east-1', account: '123456789012' };
    const isLaunchedByUs = resourceId !== resourceIds[0]; // EC2 is asked for the address of another one
    await resourceStore.claim({ ...about, ...(isLaunchedByUs && { privateAddress: '10.0.0.4' }) });
  }
  const worker = () =>
    reportStatus({
      resourceStore: faulty(resourceStore, faults),
      publisher: publishEvents({
        ...faulty({ ready: stream.ready, append: stream.append }, faults),
        abandon: stream.abandon,
      }),
      types: [servedVms(scriptedInstances(...lives.map(newestOf)))],
      provider: 'ec2-sp',
      tagKeys,
      observations: faulty(
        { send: async (events) => void queue.push(...events.flatMap(ownMessage)) },
        faults,
      ),
      listings: faulty({ requestRepublication: async () => undefined }, faults),
      retries: faulty({ deadLetter: async () => undefined }, faults),
      now,
      meter: countingMeter(),
      log: memoryLog(),
      randomPart,
    });
  /** One check of a transition is enough: nothing is lost here for it to find. */
  const ownMessage = (event: EventBridgeEvent): Message[] =>
    event.detail.turn === 2 ? [] : [deliver(...read(JSON.stringify(event)))];

  let messageId = 0;
  const deliver = (...resourceMessages: ResourceMessage[]): Message => ({
    messageId: String(messageId++),
    isRetry: true,
    resourceMessages,
  });
  const wants = requests.flatMap((second) => resourceIds.map((id) => wanted(second, { resourceId: id })));
  const queue = faults.shuffled(
    [...lives.flat(), ...wants].flatMap((resourceMessage) =>
      Array.from({ length: copies }, () => deliver(resourceMessage)),
    ),
  );

  const work = async () => {
    const handle = worker();
    while (queue.length > 0) {
      const batch = queue.splice(0, 1 + faults.below(10));
      const failures = await handle(batch).catch(
        () => new Map(batch.map(({ messageId: id }) => [id, undefined])),
      );
      const returned = batch.filter((message) => failures.has(message.messageId));
      queue.splice(faults.below(queue.length + 1), 0, ...returned);
      await turn();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  await work(); // what came back after the last worker left

  const recollections = await resourceStore.read(resourceIds);
  const outboxes = [...recollections.values()].map((held) =>
    held.owner === 'ours' ? held.vm.outbox : undefined,
  );
  return { stored: stream.stored, outboxes };
};
