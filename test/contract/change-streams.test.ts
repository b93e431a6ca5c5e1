import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { startHttpApi } from '../../local/emulators/http-api.ts';
import type { LocalServer } from '../../local/processes/loopback.ts';
import { startChangeStreams } from '../../local/stack/change-streams.ts';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { authentication, opensTargetsOf } from '../../shared/http/authentication.ts';
import { changesOperation, type ReadsChanges, readChanges } from '../../shared/http/changes.ts';
import { router, targetPaths } from '../../shared/http/router.ts';
import type { Change } from '../../shared/ports/change-feed.ts';
import { httpApi } from '../../shared/runtime/http-api.ts';
import { memoryLog } from '../fakes/silent.ts';

const dynamoDb = await startDynamoDb();
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
const token = 'a-token';
const credentials = [{ secret: async () => token }];
const path = '/api/v1alpha1/changes';

/** The function behind API Gateway: the operation as the inventory-api has it. */
const functionOf = (table: string) => {
  const feed = dynamoDbChangeFeed(client, table);
  const clock = { now: Date.now, log: memoryLog() };
  const app = router<ReadsChanges>({
    operations: [changesOperation<ReadsChanges>({ id: z.string(), logField: 'id' })],
    useCasesIn: () => ({ readChanges: readChanges({ feed, accounts: {}, streams: false, ...clock }) }),
    authentication: authentication({ realm: 'inventory-api', credentials }),
    targets: targetPaths({ homeRegion: '', accounts: {} }),
    correlate: () => undefined,
    ...clock,
  });
  const invoke = httpApi((request, given) => app.fetch(request, given));
  return (event: APIGatewayProxyEventV2) => invoke(event);
};

const changed = (n: number): Change => ({
  ...{ kind: 'inventory', target: 'eu-west-1', collection: 'instances', change: 'changed', id: `i-${n}` },
});

type Event = { readonly id: string; readonly data: string | undefined };

/** The blocks of an event stream, as they come; leaving the loop closes the connection. */
async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString();
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      yield { id: field('id') ?? '', data: field('data') };
    }
  }
}

const hosts = [
  { name: 'behind API Gateway, which cannot stream', streams: false },
  { name: 'on a laptop, which can', streams: true },
] as const;

describe.each(hosts)('the event stream of changes, $name', ({ streams }) => {
  const table = `inventory-${streams}`;
  const feed = dynamoDbChangeFeed(client, table);
  const invocations: string[] = [];
  let api: LocalServer;
  let local: Awaited<ReturnType<typeof startChangeStreams>>;
  const connect = (query = '', headers: Record<string, string> = {}) =>
    fetch(`${api.url}${path}${query}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...headers },
    });

  beforeAll(async () => {
    await createTable(dynamoDb.url, inventoryTable(table));
    local = await startChangeStreams({
      ...{ dynamodbUrl: dynamoDb.url, table, credentials, accounts: {} },
      log: () => undefined,
    });
    const invoke = functionOf(table);
    api = await startHttpApi({
      invoke: (event) => {
        invocations.push(event.rawPath);
        return invoke(event);
      },
      ...(streams && { stream: local.stream }),
      log: () => undefined,
    });
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await local?.[Symbol.asyncDispose]();
  });

  /** As `EventSource` does: connects again after each end, with the id of the last event. */
  async function* follow(after: string) {
    let last = after;
    for (let connections = 1; connections < 50; connections += 1) {
      for await (const { id, data } of eventsOf(
        await connect('?wait=2&limit=3', { 'last-event-id': last }),
      )) {
        last = id || last;
        if (data !== undefined) yield { id: Object(JSON.parse(data)).id, last, connections };
      }
    }
  }

  const take = async <One>(count: number, from: AsyncIterable<One>): Promise<One[]> => {
    const taken: One[] = [];
    for await (const one of from) if (taken.push(one) >= count) break;
    return taken;
  };

  it('gives a client that keeps the last id every change once, in their order', async () => {
    const { next } = await feed.read(undefined, 1);
    const numbers = Array.from({ length: 12 }, (_, n) => n);
    const following = take(numbers.length, follow(next));
    for (const n of numbers) {
      await feed.append([changed(n)]);
      if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 300));
    }

    const taken = await following;
    const { last, connections } = taken.at(-1) ?? { last: '', connections: 0 };
    expect(taken.map(({ id }) => id)).toEqual(numbers.map((n) => `i-${n}`));
    expect((await feed.read(last, 10)).changes).toEqual([]);
    expect(connections === 1).toBe(streams);
  });

  it('begins with when to connect again, and with a cursor', async () => {
    const response = await connect();
    const reader = response.body?.getReader();
    const text = Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();

    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    expect(text).toMatch(/^retry: \d+\nid: \S+\n\n$/);
  });

  it('refuses wrong credentials and cursors with a problem before it begins', async () => {
    for (const [response, status] of [
      [await connect('', { authorization: 'Bearer wrong' }), 401],
      [await connect('?after=wrong'), 400],
    ] as const) {
      expect([response.status, response.headers.get('content-type')]).toEqual([
        status,
        'application/problem+json',
      ]);
      await response.text();
    }
  });

  it(`${streams ? 'stays open without changes' : 'ends without changes when its wait is over'}`, async () => {
    const { next } = await feed.read(undefined, 1);
    const blocks = eventsOf(await connect('?wait=1', { 'last-event-id': next }));
    await blocks.next();
    const ended = blocks.next();
    const isOpen = await Promise.race([
      ended.then(({ done }) => !done),
      new Promise((resolve) => setTimeout(() => resolve('open'), 2500)),
    ]);
    if (streams) {
      await feed.append([changed(99)]);
      expect(Object(JSON.parse((await ended).value?.data ?? '{}'))).toMatchObject({ id: 'i-99' });
    }
    await blocks.return(undefined);

    expect(isOpen).toBe(streams ? 'open' : false);
  });

  it('has the function answer everything that is no event stream', async () => {
    const before = invocations.length;
    const response = await connect('', { accept: 'application/json' });

    expect(await response.json()).toMatchObject({ changes: [], complete: true });
    expect(invocations.length).toBe(before + 1);
  });
});

it('reads the feed no longer once the client has left, and keeps no timer and no connection', async () => {
  const table = 'inventory-left';
  await createTable(dynamoDb.url, inventoryTable(table));
  const local = await startChangeStreams({
    ...{ dynamodbUrl: dynamoDb.url, table, credentials, accounts: {} },
    log: () => undefined,
  });
  const api = await startHttpApi({
    invoke: async () => undefined,
    stream: local.stream,
    log: () => undefined,
  });
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const open = async () => {
    const leaving = new AbortController();
    const response = await fetch(`${api.url}${path}`, { headers, signal: leaving.signal });
    await response.body?.getReader().read();
    return () => leaving.abort();
  };
  (await open())();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = timers();
  const leave = await Promise.all(Array.from({ length: 10 }, open));
  expect(timers()).toBeGreaterThanOrEqual(before + 10);
  for (const one of leave) one();

  await expect.poll(timers, { timeout: 500, interval: 20 }).toBeLessThan(before + 5);
  await api[Symbol.asyncDispose]();
  await local[Symbol.asyncDispose]();
});

it('has only the changes of targets that the token opens', async () => {
  const table = 'inventory-tokens';
  await createTable(dynamoDb.url, inventoryTable(table));
  const feed = dynamoDbChangeFeed(client, table);
  const { next } = await feed.read(undefined, 1);
  const local = await startChangeStreams({
    ...{ dynamodbUrl: dynamoDb.url, table, log: () => undefined },
    accounts: { prod: { id: '222222222222', regions: ['eu-west-1'] } },
    credentials: [
      { secret: async () => 'of-home', opens: opensTargetsOf(undefined) },
      { secret: async () => 'of-prod', opens: opensTargetsOf('prod') },
    ],
  });
  const api = await startHttpApi({
    invoke: async () => undefined,
    stream: local.stream,
    log: () => undefined,
  });
  const firstOf = async (of: string) => {
    const response = await fetch(`${api.url}${path}?after=${next}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${of}` },
    });
    for await (const { data } of eventsOf(response)) if (data !== undefined) return JSON.parse(data).id;
  };
  await feed.append([{ ...changed(1), target: '222222222222/eu-west-1' }, changed(2)]);

  expect(await firstOf('of-home')).toBe('i-2');
  expect(await firstOf('of-prod')).toBe('i-1');
  expect((await fetch(`${api.url}${path}`, { headers: { accept: 'text/event-stream' } })).status).toBe(401);
  await api[Symbol.asyncDispose]();
  await local[Symbol.asyncDispose]();
});

afterAll(async () => {
  client.destroy();
  await dynamoDb[Symbol.asyncDispose]();
});
