import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { appendStatuses, readStatus } from '../../functions/change-feed/append-statuses.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { startEventBus } from '../../local/emulators/event-bus/start-event-bus.ts';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { eventBridgeStatusBus } from '../../shared/adapters/event-bridge/status-bus.ts';
import { UnreadableError } from '../../shared/core/errors.ts';
import type { Change } from '../../shared/ports/change-feed.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';
import { memoryLog } from '../fakes/silent.ts';

const account = '123456789012';
const delivered: string[] = [];
const server = await startEventBus({
  buses: [
    {
      name: 'dcm-ec2-sp-status',
      account,
      rules: [
        {
          name: 'changes',
          patterns: [{ source: ['dcm/providers/ec2-sp'] }],
          deliver: async (event) => void delivered.push(event),
        },
      ],
    },
  ],
  log: () => undefined,
});
const dynamoDb = await startDynamoDb();
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await dynamoDb[Symbol.asyncDispose]();
});

const event = (n: number, key = 'i-1', message = 'instance i-1 is running'): CloudEventJson => ({
  specversion: '1.0',
  id: `${key}:${n}:random:1`,
  source: 'dcm/providers/ec2-sp',
  type: 'dcm.status.vm',
  subject: 'dcm.vm',
  datacontenttype: 'application/json',
  time: '2026-11-30T10:00:00Z',
  partitionkey: key,
  region: 'eu-west-1',
  data: { id: `vm-${key}`, status: 'RUNNING', message },
});
const target = { region: 'eu-west-1', account: '222222222222' };
const statuses = (...events: ReturnType<typeof event>[]) => events.map((one) => ({ event: one, target }));

/** A client that counts requests, and of which some are given another answer. */
const client = (answer: (request: number) => 'fails' | 'refuses the first' | undefined = () => undefined) => {
  const requests: string[][] = [];
  const events = new EventBridgeClient({ ...clientConfig(server.url), maxAttempts: 1 });
  events.middlewareStack.add(
    (next) => async (args) => {
      const { Entries = [] } = Object(args.input);
      requests.push(Entries.map(({ Detail }: { Detail: string }) => String(Object(JSON.parse(Detail)).id)));
      const how = answer(requests.length);
      if (how === 'fails') throw new Error('no connection');
      const { output, response } = await next(args);
      if (how === 'refuses the first')
        Object(output).Entries[0] = { ErrorCode: 'InternalFailure', ErrorMessage: 'again' };
      return { output, response };
    },
    { step: 'initialize' },
  );
  return { events, requests };
};

const opened = (...given: Parameters<typeof client>) => {
  const { events, requests } = client(...given);
  const clock = { ms: 0 };
  const log = memoryLog();
  const bus = eventBridgeStatusBus({
    bus: 'dcm-ec2-sp-status',
    log,
    now: () => clock.ms,
    client: () => events,
  });
  return { bus, requests, clock, log };
};

describe('the status bus in EventBridge (emulator)', () => {
  it('delivers the whole CloudEvent, with the target', async () => {
    delivered.length = 0;
    const taken = await opened().bus.put(statuses(event(1)));
    await expect.poll(() => delivered).toHaveLength(1);

    expect([...taken]).toEqual([event(1).id]);
    expect(JSON.parse(delivered[0] ?? '')).toMatchObject({
      source: 'dcm/providers/ec2-sp',
      'detail-type': 'dcm.status.vm',
      time: '2026-11-30T10:00:00Z',
      resources: ['222222222222/eu-west-1'],
      detail: event(1),
    });
  });

  it('puts ten entries at most into a request, and two statuses of a resource never into one', async () => {
    const { bus, requests } = opened();
    const keys = Array.from({ length: 12 }, (_, n) => `i-${n}`);
    await bus.put(statuses(...keys.map((key) => event(1, key)), event(2, 'i-3'), event(3, 'i-3')));

    expect(requests.map(({ length }) => length)).toEqual([10, 2, 1, 1]);
    expect(requests.slice(2)).toEqual([[event(2, 'i-3').id], [event(3, 'i-3').id]]);
  });

  it('stays below 256 KB in a request', async () => {
    const { bus, requests } = opened();
    const large = 'x'.repeat(100 * 1024);
    const taken = await bus.put(statuses(event(1, 'a', large), event(1, 'b', large), event(1, 'c', large)));

    expect([taken.size, requests.map(({ length }) => length)]).toEqual([3, [2, 1]]);
  });

  it('holds back the later statuses of a resource whose status was refused, and of no other', async () => {
    const { bus, log } = opened((request) => (request === 1 ? 'refuses the first' : undefined));
    const taken = await bus.put(statuses(event(1, 'a'), event(1, 'b'), event(2, 'a'), event(2, 'b')));

    expect([...taken]).toEqual([event(1, 'b').id, event(2, 'b').id]);
    expect(log.lines.filter((line) => line.includes('the status bus refused a status'))).toHaveLength(1);
  });

  it('never rejects, and leaves a bus that does not answer alone for 20 s', async () => {
    const { bus, requests, clock } = opened((request) => (request === 1 ? 'fails' : undefined));

    expect((await bus.put(statuses(event(1, 'a'), event(2, 'a')))).size).toBe(0);
    clock.ms += 19_999;
    expect((await bus.put(statuses(event(1, 'b')))).size).toBe(0);
    expect(requests).toHaveLength(1);
    clock.ms += 1;
    expect((await bus.put(statuses(event(1, 'b')))).size).toBe(1);
  });
});

describe('EventBridge’s emulator', () => {
  it('refuses entries of more than 256 KB in all, as AWS does', async () => {
    const { events } = client();
    const Entries = [1, 2].map(() => ({
      ...{ EventBusName: 'dcm-ec2-sp-status', Source: 'x', DetailType: 'y' },
      Detail: JSON.stringify({ text: 'x'.repeat(130 * 1024) }),
    }));

    await expect(events.send(new PutEventsCommand({ Entries }))).rejects.toThrow('over the limit');
    await expect(events.send(new PutEventsCommand({ Entries: Entries.slice(1) }))).resolves.toMatchObject({
      FailedEntryCount: 0,
    });
  });
});

describe('the change-feed function (dynalite)', () => {
  let tables = 0;
  const setup = async () => {
    const table = `inventory-${++tables}`;
    await createTable(dynamoDb.url, inventoryTable(table));
    const documents = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
    const feed = dynamoDbChangeFeed(documents, table);
    const { next } = await feed.read(undefined, 1);
    const started = (more: Partial<typeof feed> = {}) => {
      const handle = appendStatuses({ feed: { ...feed, ...more }, now: Date.now, log: memoryLog() });
      return (isRetry: boolean, ...events: ReturnType<typeof event>[]) =>
        handle(
          events.map((detail, n) => ({
            messageId: String(n),
            isRetry,
            resourceMessages: readStatus(JSON.stringify({ resources: ['eu-west-1'], detail })),
          })),
        );
    };
    const ids = async () =>
      (await feed.read(next, 1000)).changes.map(({ change }) =>
        change.kind === 'status' ? change.eventId : '',
      );
    return { feed, started, ids };
  };

  it('appends a batch in one item', async () => {
    const { started, ids, feed } = await setup();
    const before = dynamoDb.operations().PutItem ?? 0;
    expect(await started()(false, event(1), event(1, 'i-2'), event(2))).toEqual(new Map());

    expect((dynamoDb.operations().PutItem ?? 0) - before).toBe(1);
    expect(await ids()).toEqual([event(1).id, event(1, 'i-2').id, event(2).id]);
    const [first]: readonly Change[] = await feed.newest(0, 10);
    expect(first).toEqual({
      kind: 'status',
      eventId: event(1).id,
      dcmId: 'vm-i-1',
      serviceType: 'vm',
      target: 'eu-west-1',
      status: 'RUNNING',
      message: 'instance i-1 is running',
      time: '2026-11-30T10:00:00Z',
    });
  });

  it('keeps which request to the API caused a status', async () => {
    const { started, feed } = await setup();

    await started()(false, { ...event(1), requestid: 'request-1' });

    expect(await feed.newest(0, 10)).toMatchObject([{ eventId: event(1).id, requestId: 'request-1' }]);
  });

  it('appends no status twice: not within a batch, nor from the bus, nor after a crash', async () => {
    const { started, ids } = await setup();
    const handle = started();
    await handle(false, event(1), event(1));
    await handle(false, event(1), event(2));
    await started()(true, event(1), event(2), event(3)); // another instance, after this one crashed

    expect(await ids()).toEqual([event(1).id, event(2).id, event(3).id]);
  });

  it('appends no status twice where the answer of an append was lost', async () => {
    const { started, ids, feed } = await setup();
    const append: typeof feed.append = async (changes) => {
      await feed.append(changes);
      await sleep(1);
      throw new Error('the answer was lost');
    };
    expect((await started({ append })(false, event(1), event(2))).size).toBe(2);
    expect(await started()(true, event(1), event(2))).toEqual(new Map());

    expect(await ids()).toEqual([event(1).id, event(2).id]);
  });

  it('cannot read what is no status', () => {
    for (const body of [
      '',
      '{}',
      JSON.stringify({ resources: [], detail: event(1) }),
      JSON.stringify({ resources: ['x'], detail: { ...event(1), type: 'other' } }),
    ])
      expect(() => readStatus(body)).toThrow(UnreadableError);
  });
});
