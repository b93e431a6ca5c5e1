import { describe, expect, it } from 'vitest';
import { readStatus } from '../../../functions/change-feed/append-statuses.ts';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { readRefusals, reportRefusals } from '../../../functions/normaliser/refused-creates.ts';
import { UnreadableError } from '../../../shared/core/errors.ts';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import { targetKey } from '../../../shared/core/target.ts';
import type { StatusBus, StatusOnBus } from '../../../shared/ports/status-bus.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import { type CreateRefused, createRefusedEvent } from '../../../shared/wire/create-refused.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { scriptedInstances } from '../../fakes/scripted-instances.ts';
import { launchPlan, vmFacts } from '../../fixtures/launches.ts';
import { halfPastTen, observed, resourceId } from '../../fixtures/resource-messages.ts';
import { fixedPart, statusOf } from '../../fixtures/statuses.ts';

const dcmId = 'vm-1';
const region = 'us-east-1';
const leaseMs = 11_000;

const normaliser = () => {
  const clock = { ms: halfPastTen * 1000 };
  const now = () => clock.ms;
  const records = memoryVmRecords(now);
  const resourceStore = memoryResourceStore(now);
  const stream = memoryEventStream();
  const deadLetters: string[] = [];
  const queued: { refused: CreateRefused | ResourceMessage | undefined; afterSeconds: number }[] = [];
  const read = readRefusals(() => []);
  const others: (readonly ResourceMessage[])[] = [];
  const parts = {
    ...{
      types: [servedVms(scriptedInstances(), records)],
      resourceStore,
      now,
      provider: 'ec2-sp',
      homeAccount: '123456789012',
      randomPart: () => fixedPart,
    },
    publisher: publishEvents(stream),
    retries: { deadLetter: async (body: string) => void deadLetters.push(body) },
    observations: {
      send: async (events: readonly object[], afterSeconds = 0) =>
        void queued.push(
          ...events.map((event) => ({ refused: read(JSON.stringify(event))[0], afterSeconds })),
        ),
    },
  };
  const worker = (more: Partial<typeof parts & { bus: StatusBus }> = {}) => {
    const handle = reportRefusals({ ...parts, ...more }, async (messages) => {
      others.push(...messages.map(({ resourceMessages }) => resourceMessages));
      return new Map();
    });
    return async (...resourceMessages: (CreateRefused | ResourceMessage)[]) =>
      handle(
        resourceMessages.map((resourceMessage, place) => ({
          messageId: String(place),
          isRetry: false,
          resourceMessages: [resourceMessage],
        })),
      );
  };
  const refused = (more: Partial<CreateRefused> = {}): CreateRefused => ({
    ...{
      kind: 'create-refused',
      serviceType: 'vm',
      dcmId,
      region,
      requestId: 'r-1',
      reason: 'no room',
      retryable: false,
      refusedAtMs: clock.ms,
    },
    ...more,
  });
  const begin = async () => (await records.begin({ dcmId, region, leaseMs })).record;
  const launch = async () => {
    const mine = await records.attempt(await begin(), launchPlan(), 0);
    const vm = { dcmId, region, resourceId, account: '123456789012', facts: vmFacts() };
    if (mine) await records.launched(mine, vm);
    await resourceStore.claim(vm);
  };
  const statuses = () => stream.stored.map(({ data }) => Object(data).status);
  return {
    clock,
    records,
    resourceStore,
    stream,
    deadLetters,
    queued,
    others,
    worker,
    refused,
    begin,
    launch,
    statuses,
  };
};

describe('normaliser, with a create that was refused', () => {
  it('publishes FAILED for the DCM id, which has no instance', async () => {
    const { worker, refused, stream } = normaliser();

    const failures = await worker()(refused());

    expect(failures.size).toBe(0);
    expect(stream.stored).toMatchObject([
      {
        id: `vm-1:${halfPastTen}:${fixedPart}:launch-failed`,
        time: '2026-08-22T10:30:00Z',
        data: { id: dcmId, status: 'FAILED', message: 'it could not be launched: no room' },
        partitionkey: dcmId,
        requestid: 'r-1',
      },
    ]);
    expect(stream.stored[0]).not.toHaveProperty('instanceid');
  });

  it.each([
    [undefined, region],
    ['222222222222', `222222222222/${region}`],
  ])(
    'gives the change feed its target, id, service type and reason, in account %s',
    async (account, target) => {
      const { worker, refused, stream } = normaliser();
      const onBus: StatusOnBus[] = [];
      const bus: StatusBus = {
        put: async (statuses) => {
          onBus.push(...statuses);
          return new Set(statuses.map(({ event }) => event.id));
        },
      };

      await worker({ bus })(refused({ account }));

      const changes = onBus.flatMap((one) =>
        readStatus(JSON.stringify({ resources: [targetKey(one.target)], detail: one.event })),
      );
      expect(changes).toEqual([
        {
          kind: 'status',
          eventId: `vm-1:${halfPastTen}:${fixedPart}:launch-failed`,
          ...{ dcmId, serviceType: 'vm', target, status: 'FAILED' },
          message: 'it could not be launched: no room',
          time: '2026-08-22T10:30:00Z',
          requestId: 'r-1',
        },
      ]);
      expect(stream.stored).toMatchObject([{ account: account ?? '123456789012' }]);
      expect(onBus.map(({ event }) => event)).toEqual(stream.stored);
    },
  );

  it('passes all other messages on', async () => {
    const { worker, refused, others } = normaliser();

    await worker()(refused(), observed('running'));

    expect(others).toEqual([[observed('running')]]);
  });

  it('publishes it once, however often the create is refused until it is begun again', async () => {
    const { worker, refused, statuses, begin, records, clock } = normaliser();
    const deliver = worker();

    await deliver(refused());
    await deliver(refused(), refused({ refusedAtMs: clock.ms + 1_000 }));
    expect(statuses()).toEqual(['FAILED']);

    clock.ms += 5_000;
    await records.abandon(await begin());
    await deliver(refused());
    expect(statuses()).toEqual(['FAILED', 'FAILED']);
  });

  it('publishes it again under the same id after a crash', async () => {
    const { worker, refused, stream, records } = normaliser();
    const failurePublished = () => Promise.reject(new Error('crashed'));

    const failures = await worker({
      types: [servedVms(scriptedInstances(), { ...records, failurePublished })],
    })(refused());
    await worker({ randomPart: () => 'another-part-xyz' })(refused());

    expect(failures.size).toBe(1);
    expect(new Set(stream.stored.map(({ id }) => id)).size).toBe(1);
  });

  it('has the message come again while NATS does not take it', async () => {
    const { worker, refused, statuses } = normaliser();
    const publisher = { publish: async () => ({ acknowledged: [], failed: [] }) };

    expect((await worker({ publisher })(refused())).size).toBe(1);
    expect((await worker()(refused())).size).toBe(0);
    expect(statuses()).toEqual(['FAILED']);
  });

  it('waits three minutes after the newest attempt where a retry may help', async () => {
    const { worker, refused, statuses, begin, records, clock, queued } = normaliser();
    await records.abandon(await begin());
    const first = refused({ retryable: true });
    clock.ms += 30_000;
    await records.abandon(await begin());
    clock.ms += 150_000;

    await worker()(first);
    expect([statuses(), queued]).toEqual([[], [{ refused: first, afterSeconds: 30 }]]);

    clock.ms += 30_000;
    await worker()(first);
    expect(statuses()).toEqual(['FAILED']);
  });

  it('says nothing once the VM was launched after all', async () => {
    const { worker, refused, statuses, launch, clock } = normaliser();
    const early = refused({ retryable: true });
    clock.ms += 30_000;
    await launch();
    clock.ms += 180_000;

    await worker()(early, refused());

    expect(statuses()).toEqual([]);
  });

  it('never fails a VM that lives, whoever asks for another with its id', async () => {
    const { worker, refused, statuses, launch, clock } = normaliser();
    await launch();
    clock.ms += 3_600_000;

    await worker()(refused(), refused({ retryable: true }));

    expect(statuses()).toEqual([]);
  });

  it('says it of an id whose VM has ended, and which was asked for again', async () => {
    const { worker, refused, statuses, launch, clock, resourceStore } = normaliser();
    await launch();
    const terminated = observed('terminated', 60);
    await resourceStore.record(terminated, statusOf(terminated));
    clock.ms += 3_600_000;

    await worker()(refused());

    expect(statuses()).toEqual(['FAILED']);
  });

  it('waits where another request has the creation in hand', async () => {
    const { worker, refused, statuses, begin, queued } = normaliser();
    await begin();

    await worker()(refused());

    expect([statuses(), queued.map(({ afterSeconds }) => afterSeconds)]).toEqual([[], [180]]);
  });

  it('says nothing of an id that DCM has deleted since', async () => {
    const { worker, refused, statuses, records, clock } = normaliser();
    const early = refused({ retryable: true });
    clock.ms += 1_000;
    await records.requestDelete(dcmId);
    clock.ms += 180_000;

    await worker()(early);

    expect(statuses()).toEqual([]);
  });

  it('cannot be told of it by a message that makes no sense', () => {
    const { refused } = normaliser();
    const event = createRefusedEvent(refused());
    const read = readRefusals(() => []);

    expect(read(JSON.stringify(event))).toEqual([refused()]);
    expect(() => read(JSON.stringify({ ...event, detail: {} }))).toThrow(UnreadableError);
    expect(read('no JSON')).toEqual([]);
  });
});
