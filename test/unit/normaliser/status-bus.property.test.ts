import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import type { Message } from '../../../functions/normaliser/read-message.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import type { Observation, ResourceMessage } from '../../../shared/core/message.ts';
import type { StatusBus } from '../../../shared/ports/status-bus.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { faulty, randomFaults } from '../../fakes/faulty.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { lifetime } from '../../fixtures/lifetime.ts';
import {
  halfPastTen,
  observed,
  ourTags,
  resourceId,
  tagged,
  tagKeys,
} from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

/** A bus that keeps order within a key, as its port says, and of which single puts fail. */
const memoryBus = (isDown: () => boolean = () => false) => {
  const puts: {
    readonly id: string;
    readonly key: string;
    readonly dcmId: string;
    readonly status: string;
  }[] = [];
  const bus: StatusBus = {
    async put(statuses) {
      const failed = new Set<unknown>();
      const taken = new Set<string>();
      for (const { event } of statuses) {
        if (failed.has(event.partitionkey) || isDown()) {
          failed.add(event.partitionkey);
          continue;
        }
        taken.add(event.id);
        const { id: dcmId, status } = Object(event.data);
        puts.push({ id: event.id, key: String(event.partitionkey), dcmId, status });
      }
      return taken;
    },
  };
  return { bus, puts, statuses: () => puts.map(({ status }) => status) };
};

describe('normaliser, with a status bus', () => {
  it('puts every acknowledged status on the bus, without a further write', async () => {
    const account = awsAccount();
    await account.resourceStore.claim(vm);
    const { bus, statuses } = memoryBus();
    let settles = 0;
    const settle: typeof account.resourceStore.settle = (...given) => {
      settles += 1;
      return account.resourceStore.settle(...given);
    };

    await account.worker({ bus, resourceStore: { ...account.resourceStore, settle } })([
      observed('pending'),
      observed('running', 9),
    ]);

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING']);
    expect(settles).toBe(1);
    expect(account.later.map(({ event }) => event['detail-type'])).not.toContain('VM Status Settled');
  });

  it('neither holds back nor repeats a status on its way to NATS while the bus is down', async () => {
    const account = awsAccount();
    await account.resourceStore.claim(vm);
    let isDown = true;
    const { bus, puts } = memoryBus(() => isDown);
    const deliver = account.worker({ bus });

    expect(await deliver([observed('pending')])).toEqual(new Map());
    expect(await deliver([observed('running', 9)])).toEqual(new Map());
    expect(account.statuses()).toEqual(['PROVISIONING', 'RUNNING']);
    expect(puts).toEqual([]);
    const held = await account.held(resourceId);
    expect(held?.owner === 'ours' && [held.vm.outbox.length, held.vm.unforwarded?.length]).toEqual([0, 2]);

    isDown = false;
    for (let n = 0; n < 3; n += 1) await deliver(account.due(30));
    expect(puts.map(({ status }) => status)).toEqual(['PROVISIONING', 'RUNNING']);
    expect(account.statuses()).toEqual(['PROVISIONING', 'RUNNING']);
    const after = await account.held(resourceId);
    expect(after?.owner === 'ours' && after.vm.unforwarded).toBeFalsy();
  });
});

const resourceIds = ['i-00000000000000001', 'i-00000000000000002'];
const scenario = fc.record({
  lives: fc.tuple(...resourceIds.map(lifetime)),
  seed: fc.integer(),
  copies: fc.integer({ min: 1, max: 2 }),
  workers: fc.integer({ min: 1, max: 4 }),
  faultRate: fc.constantFrom(0, 0.05, 0.2, 0.4),
  busFaultRate: fc.constantFrom(0.1, 0.5, 0.8),
});

describe('normaliser, with a status bus and a DCM id that changes', () => {
  it('puts what the bus refused on it under the id that it was published under', async () => {
    let isDown = true;
    const { bus, puts } = memoryBus(() => isDown);
    const account = awsAccount({
      resourceId,
      state: 'running',
      tags: { ...ourTags, 'dcm-instance-id': 'vm-new' },
    });
    await account.resourceStore.claim({ ...vm, dcmId: 'vm-old' });
    const deliver = account.worker({ bus });

    await deliver([observed('running')]);
    await deliver([tagged({ ...ourTags, 'dcm-instance-id': 'vm-new' }, 60)]);
    expect([account.reported('vm-old'), account.reported('vm-new')]).toEqual([
      ['RUNNING', 'DELETED'],
      ['RUNNING'],
    ]);

    isDown = false;
    for (let n = 0; n < 3; n += 1) await deliver(account.due(30));
    expect(puts.map(({ dcmId, status }) => [dcmId, status])).toEqual([
      ['vm-old', 'RUNNING'],
      ['vm-old', 'DELETED'],
      ['vm-new', 'RUNNING'],
    ]);
  });
});

describe('the status bus', () => {
  it('has every status of the stream, in its order for each resource, whatever crashes or fails', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { stored, puts, held } = await run(given);

        for (const id of resourceIds) {
          const published = stored.filter(({ partitionkey }) => partitionkey === id).map((event) => event.id);
          const onBus = puts.filter(({ key }) => key === id).map((put) => put.id);
          expect([...new Set(onBus)]).toEqual(published);
        }
        expect(held.flatMap((one) => [...one.outbox, ...(one.unforwarded ?? [])])).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

type Run = {
  readonly lives: Observation[][];
  readonly seed: number;
  readonly copies: number;
  readonly workers: number;
  readonly faultRate: number;
  readonly busFaultRate: number;
};

const run = async ({ lives, seed, copies, workers, faultRate, busFaultRate }: Run) => {
  const faults = randomFaults(seed, faultRate);
  const busFaults = randomFaults(seed + 1, busFaultRate);
  const crashes = randomFaults(seed + 2, faultRate / 4);
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
  const memory = memoryBus(busFaults.strikes);
  const bus: StatusBus = {
    async put(statuses) {
      if (crashes.strikes()) throw new Error('before the statuses are on the bus');
      await turn();
      const taken = await memory.bus.put(statuses);
      await turn();
      if (crashes.strikes()) throw new Error('after the statuses are on the bus');
      return taken;
    },
  };
  for (const id of resourceIds)
    await resourceStore.claim({ ...vm, resourceId: id, dcmId: `vm-${id.at(-1)}` });

  let messageId = 0;
  const deliver = (...resourceMessages: ResourceMessage[]): Message => ({
    messageId: String(messageId++),
    isRetry: true,
    resourceMessages,
  });
  /** A check would lead to further ones, and nothing is lost here for it to find. */
  const ownMessages = (event: EventBridgeEvent): Message[] =>
    event.detail.turn === undefined ? [deliver(...read(JSON.stringify(event)))] : [];
  const queue = faults.shuffled(
    lives.flat().flatMap((one) => Array.from({ length: copies }, () => deliver(one))),
  );
  const worker = () =>
    reportStatus({
      resourceStore: faulty(resourceStore, faults),
      publisher: publishEvents({
        ...faulty({ ready: stream.ready, append: stream.append }, faults),
        abandon: stream.abandon,
      }),
      bus,
      types: [servedVms(scriptedInstances())],
      provider: 'ec2-sp',
      tagKeys,
      observations: faulty(
        { send: async (events) => void queue.push(...events.flatMap(ownMessages)) },
        faults,
      ),
      listings: { requestRepublication: async () => undefined },
      retries: { deadLetter: async () => undefined },
      now,
      meter: countingMeter(),
      log: memoryLog(),
      randomPart,
    });
  const work = async () => {
    const handle = worker();
    while (queue.length > 0) {
      const batch = queue.splice(0, 1 + faults.below(10));
      const failures = await handle(batch).catch(
        () => new Map(batch.map(({ messageId: id }) => [id, undefined])),
      );
      queue.push(...batch.filter((message) => failures.has(message.messageId)));
      await turn();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  await work();

  const held = [...(await resourceStore.read(resourceIds)).values()].flatMap((one) =>
    one.owner === 'ours' ? [one.vm] : [],
  );
  return { stored: stream.stored, puts: memory.puts, held };
};
