import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { GoneError, InvalidArgumentError } from '../../shared/core/errors.ts';
import type { Change, ChangeFeed } from '../../shared/ports/change-feed.ts';

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));

const status = (n: number): Change => ({
  kind: 'status',
  eventId: `i-1:${n}:random:1`,
  dcmId: `vm-${n}`,
  serviceType: 'vm',
  target: '222222222222/eu-west-1',
  status: 'RUNNING',
  message: 'instance i-1 is running',
  time: '2026-11-30T10:00:00Z',
});
const listed: Change = { kind: 'inventory', target: 'eu-west-1', collection: 'volumes', change: 'listed' };
const ended: Change = { ...listed, collection: 'instances', change: 'ended', id: 'i-1' };
const dayMs = 86_400_000;

describe('the change feed in DynamoDB (dynalite)', () => {
  const clock = { ms: Date.UTC(2026, 10, 30) };
  let feed: ChangeFeed;
  let tables = 0;
  beforeEach(async () => {
    tables += 1;
    await createTable(dynamoDb.url, inventoryTable(`inventory-${tables}`));
    feed = dynamoDbChangeFeed(client, `inventory-${tables}`, () => clock.ms);
  });

  it('begins at the newest cursor, and gives what is appended from then on, in order', async () => {
    await feed.append([status(1)]);
    const { changes, next, complete } = await feed.read(undefined, 10);
    expect([changes, complete]).toEqual([[], true]);

    await feed.append([status(2), listed]);
    await feed.append([ended]);
    const first = await feed.read(next, 2);
    expect(first.changes.map(({ change }) => change)).toEqual([status(2), listed]);
    expect([first.complete, first.next]).toEqual([false, first.changes[1]?.cursor]);
    const second = await feed.read(first.next, 2);
    expect(second.changes.map(({ change }) => change)).toEqual([ended]);
    expect([second.complete, (await feed.read(second.next, 2)).next]).toEqual([true, second.next]);
    const again = await feed.read(first.changes[0]?.cursor, 10);
    expect(again.changes.map(({ change }) => change)).toEqual([listed, ended]);
  });

  it('takes no changes at all', async () => {
    const { next } = await feed.read(undefined, 10);
    await feed.append([]);

    expect(await feed.read(next, 10)).toMatchObject({ changes: [], next, complete: true });
  });

  it('refuses a cursor that it did not give', async () => {
    await feed.append([status(1)]);
    const { next } = await feed.read(undefined, 1);
    for (const cursor of [
      '',
      'x',
      '1',
      `${next}x`,
      next.slice(1),
      Buffer.from('[1,2]').toString('base64url'),
      Buffer.from('[1,2,3]').toString('base64url'),
      Buffer.from('[ 1,2,0]').toString('base64url'),
    ])
      await expect(feed.read(cursor, 1), cursor).rejects.toThrow(InvalidArgumentError);
  });

  it('says that changes after a cursor of the version before are gone, because it names no log', async () => {
    await feed.append([status(1), status(2)]);
    for (const before of [`[1,${clock.ms},1]`, `[2,${clock.ms},0]`])
      await expect(feed.read(Buffer.from(before).toString('base64url'), 1)).rejects.toThrow(GoneError);
  });

  it('says that changes are gone where the table was lost, and has as many changes again', async () => {
    await feed.append([status(1)]);
    const { next } = await feed.read(undefined, 1);
    await createTable(dynamoDb.url, inventoryTable(`inventory-${tables}-anew`));
    const anew = dynamoDbChangeFeed(client, `inventory-${tables}-anew`, () => clock.ms);
    await expect(anew.read(next, 10)).rejects.toThrow(GoneError);
    for (let n = 2; n < 5; n += 1) {
      await anew.append([status(n)]);
      await expect(anew.read(next, 10)).rejects.toThrow(GoneError);
    }
    expect((await feed.read(next, 10)).changes).toEqual([]);
  });

  it('says that changes after a cursor are gone once they are older than seven days', async () => {
    await feed.append([status(0)]);
    const { next } = await feed.read(undefined, 1);
    await feed.append([status(1)]);
    clock.ms += 7 * dayMs;
    expect((await feed.read(next, 1)).changes).toHaveLength(1);
    clock.ms += 1;
    await expect(feed.read(next, 1)).rejects.toThrow(GoneError);
  });

  it('knows what was appended since a time', async () => {
    await feed.append([status(1)]);
    clock.ms += 60_000;
    await feed.append([status(2), status(3)]);

    expect(await feed.newest(clock.ms - 1, 10)).toEqual([status(2), status(3)]);
    expect((await feed.read(undefined, 1)).movedAtMs).toBe(clock.ms);
  });
});
