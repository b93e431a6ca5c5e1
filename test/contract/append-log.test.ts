import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { type AppendLog, appendLog, logStart } from '../../shared/adapters/dynamodb/append-log.ts';
import { RefusedRequestError } from '../../shared/adapters/dynamodb/errors.ts';
import { GoneError, InvalidArgumentError, UnavailableError } from '../../shared/core/errors.ts';

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const table = 'inventory';
await createTable(dynamoDb.url, inventoryTable(table));
const newClient = () => DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
const client = newClient();

const dayMs = 86_400_000;
const keepMs = 7 * dayMs;
let logs = 0;
const newName = () => `log-${++logs}`;
const open = (name: string, more: { keepMs?: number; now?: () => number; client?: typeof client } = {}) =>
  appendLog({ client, table, name, schema: z.string(), ...more });

const texts = (page: Awaited<ReturnType<AppendLog<string>['read']>>) =>
  page.entries.map(({ entry }) => entry);
const numbers = (page: Awaited<ReturnType<AppendLog<string>['read']>>) =>
  page.entries.map(({ position }) => position.number);

const itemsOf = async (name: string) => {
  const command = new QueryCommand({
    TableName: table,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': name },
  });
  return (await client.send(command)).Items ?? [];
};

/** As DynamoDB does at some time after an item's expiry. */
const expire = async (name: string, nowMs: number, which: (sk: number) => boolean = () => true) => {
  for (const { sk, expiresAt } of await itemsOf(name))
    if (expiresAt !== undefined && Number(expiresAt) * 1000 < nowMs && which(Number(sk)))
      await client.send(new DeleteCommand({ TableName: table, Key: { pk: name, sk } }));
};

/** Counts calls, and fails before or after the n-th write, as a crash or a lost answer does. */
const faulty = (faults: { write: number; failAt?: number; after?: boolean }) => {
  const inner = newClient();
  inner.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const isWrite = commandName?.startsWith('Put') === true;
        if (isWrite) faults.write += 1;
        const fails = isWrite && faults.write === faults.failAt;
        if (fails && !faults.after) throw new Error('the connection was closed before the request');
        const answer = await next(args);
        if (fails) throw new Error('the connection was closed before the answer');
        return answer;
      },
    { step: 'deserialize' }, // as a connection that breaks, behind the SDK's retries
  );
  return inner;
};

describe('an append log in DynamoDB (dynalite)', () => {
  it('numbers its entries from 1, and reads them in pages', async () => {
    const log = open(newName());

    expect(await log.append(['a'])).toBe(1);
    expect(await log.append(['b', 'c', 'd'])).toBe(2);
    expect(await log.append(['e'])).toBe(5);

    const first = await log.read(logStart, 2);
    expect([texts(first), numbers(first), first.complete]).toEqual([['a', 'b'], [1, 2], false]);
    const second = await log.read(first.next, 2);
    expect([texts(second), numbers(second), second.complete]).toEqual([['c', 'd'], [3, 4], false]);
    const third = await log.read(second.next, 2);
    expect([texts(third), third.complete, third.sealed]).toEqual([['e'], true, false]);
    const last = await log.read(third.next, 2);
    expect([texts(last), last.complete, last.next]).toEqual([[], true, third.next]);
  });

  it('is empty before the first entry', async () => {
    const log = open(newName());

    expect(await log.read(logStart, 10)).toEqual({
      entries: [],
      next: logStart,
      complete: true,
      sealed: false,
    });
    expect(await log.tail()).toMatchObject({ entries: [], next: { number: 0 }, sealed: false });
    expect(await log.append([])).toBe(1);
    expect(await log.append(['a'])).toBe(1);
  });

  it('gives the same entries in pages of any limit, wherever they begin', async () => {
    const log = open(newName());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 7 }),
        async (sizes, limit) => {
          for (const size of sizes)
            await log.append(Array.from({ length: size }, () => randomBytes(3).toString('hex')));
          const whole = await log.read(logStart, 10_000);
          const pages: string[] = [];
          let next = logStart;
          for (;;) {
            const page = await log.read(next, limit);
            pages.push(...texts(page));
            next = page.next;
            if (page.complete) break;
          }
          expect(pages).toEqual(texts(whole));
          expect(numbers(whole)).toEqual(pages.map((_, index) => index + 1));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('puts a hundred entries or 300 KB into one item, and never more than DynamoDB takes', async () => {
    const name = newName();
    const log = open(name);
    const large = Array.from({ length: 7 }, () => randomBytes(50 * 1024).toString('hex')); // does not compress to less than half
    await log.append(Array.from({ length: 250 }, (_, index) => `${index}`));
    await log.append(large);

    expect((await itemsOf(name)).map(({ count }) => count)).toEqual([100, 100, 50, 2, 2, 2, 1]);
    expect(texts(await log.read({ number: 250, atMs: 0 }, 10))).toEqual(large);
    await expect(log.append(['x', 'y'.repeat(300 * 1024)])).rejects.toThrow(InvalidArgumentError);
    expect((await log.tail()).next.number).toBe(257); // nothing of a refused append
  });

  it('stores long entries compressed: a write unit for twenty changes', async () => {
    const name = newName();
    await open(name).append(
      Array.from({ length: 20 }, (_, n) =>
        JSON.stringify({ dcmId: `vm-${n}`, status: 'RUNNING', message: 'instance is running' }),
      ),
    );

    const [item] = await itemsOf(name);
    expect(item?.entries).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(item?.entries ?? '').length).toBeLessThan(800);
  });

  it('takes entries of many writers at once, each once, and each writer’s in order', async () => {
    const name = newName();
    const writers = Array.from({ length: 12 }, (_, writer) => ({ writer, log: open(name) }));

    await Promise.all(
      writers.map(async ({ writer, log }) => {
        for (let n = 0; n < 8; n += 1) await log.append([`${writer}:${n}:a`, `${writer}:${n}:b`]);
      }),
    );

    const page = await open(name).read(logStart, 1000);
    expect(numbers(page)).toEqual(Array.from({ length: 192 }, (_, index) => index + 1));
    for (const { writer } of writers)
      expect(texts(page).filter((text) => text.startsWith(`${writer}:`))).toEqual(
        Array.from({ length: 8 }, (_, n) => [`${writer}:${n}:a`, `${writer}:${n}:b`]).flat(),
      );
  });

  it('a reader that follows many writers sees every entry once', async () => {
    const name = newName();
    const writing = Promise.all(
      [1, 2, 3, 4].map(async (writer) => {
        const log = open(name);
        for (let n = 0; n < 15; n += 1) await log.append([`${writer}:${n}`]);
      }),
    ).then(() => true);
    const seen: number[] = [];
    let next = logStart;
    for (let isWritten = false; ; ) {
      const page = await open(name).read(next, 7);
      seen.push(...numbers(page));
      next = page.next;
      if (isWritten && page.complete) break;
      isWritten ||= await Promise.race([writing, Promise.resolve(false)]);
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  it('has no gap and no repeated entry after a crash at any write', async () => {
    for (const after of [false, true])
      for (const failAt of [1, 2, 3]) {
        const name = newName();
        const entries = Array.from({ length: 250 }, (_, index) => `${index}`); // three items
        const crashing = open(name, { client: faulty({ write: 0, failAt, after }) });

        const outcome = await crashing.append(entries).catch((error: unknown) => error);
        await open(name).append(['later']);

        const page = await open(name).read(logStart, 1000);
        const there = after ? failAt : failAt - 1;
        expect(outcome).toBeInstanceOf(UnavailableError);
        expect(texts(page)).toEqual([...entries.slice(0, there * 100), 'later']);
        expect(numbers(page)).toEqual(page.entries.map((_, index) => index + 1));
      }
  });

  it('knows its own item where the SDK repeats a write whose answer was lost', async () => {
    const name = newName();
    const inner = newClient();
    let isFirst = true;
    inner.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args);
          if (commandName?.startsWith('Put') !== true || !isFirst) return answer;
          isFirst = false;
          return next(args);
        },
      { step: 'finalizeRequest', priority: 'low' },
    );

    expect(await open(name, { client: inner }).append(['once'])).toBe(1);
    expect(texts(await open(name).read(logStart, 10))).toEqual(['once']);
  });

  it('reads the end at a cold start in one query, and appends in one write from then on', async () => {
    const name = newName();
    await open(name).append(['a', 'b']);
    const count = dynamoDb.operations;
    const before = { ...count() };
    const cold = open(name);
    await cold.append(['c']);
    await cold.append(['d']);

    const made = (operation: string) => (count()[operation] ?? 0) - (before[operation] ?? 0);
    expect([made('Query'), made('PutItem'), made('GetItem')]).toEqual([1, 2, 0]);
  });

  it('gives the newest entries since a time with its end', async () => {
    let nowMs = Date.UTC(2026, 10, 30);
    const log = open(newName(), { now: () => nowMs });
    await log.append(['old']);
    nowMs += 60_000;
    await log.append(['a', 'b']);
    await log.append(['c']);

    expect(texts(await log.tail({ sinceMs: nowMs - 1000, limit: 10 }))).toEqual(['a', 'b', 'c']);
    expect(texts(await log.tail({ sinceMs: nowMs - 1000, limit: 2 }))).toEqual(['b', 'c']);
    expect(await log.tail()).toMatchObject({ entries: [], next: { number: 4 } });
  });

  it('takes nothing after it is sealed, also from a writer that knew an older end', async () => {
    const log = open(newName());
    const name = `log-${logs}`;
    const other = open(name);
    await other.append(['a', 'b']);
    await log.append(['c']);

    expect((await log.seal()).number).toBe(3);
    expect((await open(name).seal()).number).toBe(3);
    expect(await other.append(['d'])).toBeUndefined();

    expect(await open(name).read(logStart, 10)).toMatchObject({
      next: { number: 3 },
      complete: true,
      sealed: true,
    });
    expect(await open(name).read(logStart, 2)).toMatchObject({ complete: false, sealed: false });
    expect(await open(name).tail()).toMatchObject({ next: { number: 3 }, sealed: true });
  });

  it('an append that runs against a seal is in the log, or is refused', async () => {
    for (let n = 0; n < 10; n += 1) {
      const name = newName();
      const [first, { number }] = await Promise.all([open(name).append(['a']), open(name).seal()]);

      expect(number).toBe(first ?? 0);
      expect(texts(await open(name).read(logStart, 10))).toEqual(first === undefined ? [] : ['a']);
    }
  });

  it('refuses items of a newer format and of other programs', async () => {
    const [newer, other] = [newName(), newName()];
    await client.send(new PutCommand({ TableName: table, Item: { pk: newer, sk: 1, format: 99 } }));
    await client.send(new PutCommand({ TableName: table, Item: { pk: other, sk: 1, count: 'many' } }));

    await expect(open(newer).append(['a'])).rejects.toThrow('has format 99');
    await expect(open(other).read(logStart, 1)).rejects.toThrow('makes no sense');
  });

  it('is refused where there is no table', async () => {
    const log = appendLog({ client, table: 'no-such-table', name: 'x', schema: z.string() });

    await expect(log.append(['a'])).rejects.toThrow(RefusedRequestError);
    await expect(log.read(logStart, 1)).rejects.toThrow(RefusedRequestError);
    await expect(log.tail()).rejects.toThrow(RefusedRequestError);
    await expect(log.seal()).rejects.toThrow(RefusedRequestError);
  });
});

describe('an append log whose entries expire', () => {
  const timed = (name = newName()) => {
    const clock = { ms: Date.UTC(2026, 10, 30) };
    return { name, clock, open: () => open(name, { keepMs, now: () => clock.ms }) };
  };

  it('gives DynamoDB a time to delete every item but the first, a day after its entries may no longer be read', async () => {
    const { name, clock, open } = timed();
    await open().append(['a']);
    await open().append(['b']);

    expect((await itemsOf(name)).map(({ expiresAt }) => expiresAt)).toEqual([
      undefined,
      (clock.ms + 8 * dayMs) / 1000,
    ]);
  });

  it('refuses a place older than its entries are kept, whether DynamoDB has deleted them or not', async () => {
    const { name, clock, open } = timed();
    await open().append(['a']);
    await open().append(['b']);
    const { next } = await open().read({ number: 0, atMs: clock.ms }, 1);
    clock.ms += keepMs - 1000;
    await open().append(['c']);

    expect(texts(await open().read(next, 10))).toEqual(['b', 'c']);
    clock.ms += 2000;
    await expect(open().read(next, 10)).rejects.toThrow(GoneError);
    await expire(name, clock.ms + 2 * dayMs);
    await expect(open().read(next, 10)).rejects.toThrow(GoneError);
  });

  it.each([
    { restored: 0, since: [['u']] },
    { restored: 0, since: [['u', 'v', 'w'], ['x', 'y', 'z'], ['more']] },
    { restored: 1, since: [] },
    { restored: 1, since: [['u'], ['v'], ['w']] },
    { restored: 1, since: [['u', 'v', 'w', 'x', 'y']] },
    { restored: 2, since: [['u', 'v'], ['w']] },
  ])(
    'refuses the places of a lost log, also once the new one has passed them: $restored items restored, then $since',
    async ({ restored, since }) => {
      const [old, anew] = [timed(), timed()];
      for (const entries of [['a'], ['b', 'c'], ['d', 'e', 'f']]) await old.open().append(entries);
      const places = (await old.open().read({ number: 0, atMs: old.clock.ms }, 10)).entries;
      const end = (await old.open().tail()).next;
      for (const item of (await itemsOf(old.name)).slice(0, restored))
        await client.send(new PutCommand({ TableName: table, Item: { ...item, pk: anew.name } }));
      const kept = (await anew.open().tail()).next.number;
      for (const entries of since) await anew.open().append(entries);

      const refused: number[] = [];
      for (const position of [...places.map((one) => one.position), end])
        await anew
          .open()
          .read(position, 10)
          .catch((error: unknown) => error instanceof GoneError && refused.push(position.number));
      expect(refused).toEqual([1, 2, 3, 4, 5, 6, 6].filter((number) => number > kept));
    },
  );

  it('refuses no place whose item has only expired', async () => {
    const { name, clock, open } = timed();
    for (const entry of ['a', 'b', 'c']) await open().append([entry]);
    let { next } = await open().tail();
    clock.ms += 7.2 * dayMs;
    await expect(open().read(next, 10)).rejects.toThrow(GoneError);
    ({ next } = await open().tail());
    await open().append(['d']);
    clock.ms += dayMs;
    await expire(name, clock.ms);
    expect(texts(await open().read(next, 10))).toEqual(['d']);
    const last = (await open().read(next, 10)).next;
    clock.ms += 30 * dayMs;
    await expire(name, clock.ms);
    expect(texts(await open().read({ ...last, atMs: clock.ms }, 10))).toEqual([]);
  });

  it('gives a place before its first entry for an hour, because that names no item', async () => {
    const { clock, open } = timed();
    let { next } = await open().tail();
    for (let minutes = 0; minutes < 180; minutes += 50) {
      clock.ms += 50 * 60_000;
      ({ next } = await open().read(next, 10));
    }
    await open().append(['a']);
    expect(texts(await open().read(next, 10))).toEqual(['a']);
    clock.ms += 61 * 60_000;
    await expect(open().read(next, 10)).rejects.toThrow(GoneError);
  });

  it('reads its end in one query, and a place in one', async () => {
    const { open } = timed();
    await open().append(['a']);
    const { next } = await open().tail();
    const before = { ...dynamoDb.operations() };
    const log = open();
    for (let read = 0; read < 3; read += 1) await log.read(next, 10);

    expect((dynamoDb.operations().Query ?? 0) - (before.Query ?? 0)).toBe(3);
  });

  it('gives a reader of a quiet log a new place once a day, so that it is never refused', async () => {
    const { clock, open } = timed();
    await open().append(['a']);
    let { next } = await open().read({ number: 0, atMs: clock.ms }, 10);
    const places = new Set<string>();
    for (let hour = 0; hour < 30 * 24; hour += 6) {
      clock.ms += dayMs / 4;
      next = (await open().read(next, 10)).next;
      places.add(JSON.stringify(next));
    }

    expect(places.size).toBeGreaterThan(15);
    expect(places.size).toBeLessThan(31);
    await open().append(['b']);
    expect(texts(await open().read(next, 10))).toEqual(['b']);
  });

  it('uses no number twice after a time without entries, in whatever order DynamoDB deletes items', async () => {
    for (const deleted of [() => true, (sk: number) => sk > 2, (sk: number) => sk % 2 === 0, () => false]) {
      const { name, clock, open } = timed();
      for (const entry of ['a', 'b', 'c', 'd', 'e']) await open().append([entry]);
      clock.ms += 30 * dayMs;
      await expire(name, clock.ms, deleted);
      const idle = await open().tail();
      const remembering = open();
      await remembering.tail();

      await Promise.all([open(), open(), remembering].map((log, n) => log.append([`new-${n}`])));
      await open().append(['last']);

      const page = await open().read(idle.next, 10);
      expect(texts(page).toSorted()).toEqual(['last', 'new-0', 'new-1', 'new-2']);
      expect(texts(page).at(-1)).toBe('last');
      expect(numbers(page)).toEqual([1_000_001, 1_000_002, 1_000_003, 1_000_004]);
      const pages = await open().read((await open().read(idle.next, 1)).next, 10);
      expect(texts(pages)).toHaveLength(3);
    }
  });

  it('goes on after a crash between the end of a block and the next one', async () => {
    const { name, clock, open: log } = timed();
    await log().append(['a']);
    clock.ms += 30 * dayMs;
    const { next } = await log().tail();
    const crashing = open(name, { keepMs, now: () => clock.ms, client: faulty({ write: 0, failAt: 2 }) });
    await expect(crashing.append(['lost'])).rejects.toThrow(UnavailableError);

    const between = await log().tail();
    expect(between.next.number).toBe(1_000_000);
    clock.ms += 30 * dayMs;
    expect(await log().append(['b'])).toBe(1_000_001);
    expect(texts(await log().read({ ...next, atMs: clock.ms }, 10))).toEqual(['b']);
    expect(texts(await log().read({ ...between.next, atMs: clock.ms }, 10))).toEqual(['b']);
  });

  it('keeps an item of each million of numbers for ever', async () => {
    const { name, clock, open } = timed();
    await open().append(['a']);
    const [item = {}] = await itemsOf(name);
    await client.send(new PutCommand({ TableName: table, Item: { ...item, sk: 999_998, at: clock.ms } }));
    await open().append(['b']);
    await open().append(['c', 'd', 'e']); // 1,000,000 to 1,000,002
    await open().append(['f']);

    expect((await itemsOf(name)).map(({ sk, expiresAt }) => [sk, expiresAt === undefined])).toEqual([
      [1, true],
      [999_998, true],
      [999_999, false],
      [1_000_000, true],
      [1_000_003, false],
    ]);
  });
});

describe('the table of logs', () => {
  it('has an attribute for time to live, in seconds', async () => {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    const times = Items.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [Number(expiresAt)]));

    expect(times.length).toBeGreaterThan(0);
    expect(times.every((time) => time < 1e11)).toBe(true);
  });
});
