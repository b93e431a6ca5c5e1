import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { carryUsage, readUsage, recordUsage } from '../../functions/usage/record-usage.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { dynamoDbUsageLedger } from '../../shared/adapters/dynamodb/usage-ledger.ts';
import { UnavailableError, UnreadableError } from '../../shared/core/errors.ts';
import { chargesOf } from '../../shared/core/usage/charges.ts';
import { intervalsOf, type UsageEvent } from '../../shared/core/usage/intervals.ts';
import { beginOf } from '../../shared/core/usage/month.ts';
import type { UsageLedger } from '../../shared/ports/usage-ledger.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { memoryLog } from '../fakes/silent.ts';
import { observed } from '../fixtures/resource-messages.ts';
import { statusOf } from '../fixtures/statuses.ts';

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));

const resource = 'i-0123456789abcdef0';
const ranks = { running: 1, stopping: 2 };
const second = (month: string, offset: number) => beginOf(month) + offset;

/** The status bus's event, as SQS has it. */
const body = (state: keyof typeof ranks, at: number, of = resource): string =>
  JSON.stringify({
    resources: ['eu-west-1'],
    detail: {
      ...{
        id: `${of}:${at}`,
        type: 'dcm.status.vm',
        sequence: String(at * 10 + ranks[state]),
        partitionkey: of,
      },
      data: {
        id: 'web-1',
        status: state === 'running' ? 'RUNNING' : 'STOPPING',
        message: `instance ${of} is ${state}`,
      },
      ...{ instancetype: 't3.medium', platform: 'Linux/UNIX', zone: 'eu-west-1a', account: '111111111111' },
    },
  });

describe('the usage ledger in DynamoDB (dynalite)', () => {
  const clock = { ms: 0 };
  let tables = 0;
  let ledger: UsageLedger;
  let table: string;
  beforeEach(async () => {
    tables += 1;
    table = `usage-${tables}`;
    await createTable(dynamoDb.url, inventoryTable(table));
    ledger = dynamoDbUsageLedger({ client, table, now: () => clock.ms });
    clock.ms = second('2026-11', 1000) * 1000;
  });
  const parts = () => ({ ledger, now: () => clock.ms, log: memoryLog(), meter: { count: () => {} } });

  const deliver = async (text: string) => {
    const message = { messageId: 'm', isRetry: false, resourceMessages: readUsage(text) };
    expect(await recordUsage(parts())([message])).toEqual(new Map());
  };

  const usedIn = async (month: string, until: number) => {
    const events = (await ledger.read(month)).map(({ event }) => event);
    const period = { from: beginOf(month), until };
    return chargesOf(intervalsOf(events, kinds), period, { granularity: 'month', nowSeconds: until }).map(
      ({ interval, usedSeconds }) => [interval.size, usedSeconds],
    );
  };

  it('has every event that was added, also those of one millisecond, and of one call more than an item takes', async () => {
    const events = readUsage(body('running', second('2026-11', 10))).flatMap((event) =>
      Array.from({ length: 250 }, (_, index): UsageEvent => ({ ...event, dcmId: `web-${index}` })),
    );
    await Promise.all([ledger.add('2026-11', events.slice(0, 10)), ledger.add('2026-11', events.slice(10))]);

    const read = await ledger.read('2026-11');
    expect(new Set(read.map(({ event }) => event.dcmId)).size).toBe(250);
    expect(read[0]).toEqual({ event: expect.objectContaining({ size: 't3.medium' }), keptAtMs: clock.ms });
    expect(await ledger.read('2026-12')).toEqual([]);
  });

  it('carries what goes on into the next month, once', async () => {
    await deliver(body('running', second('2026-11', 10)));
    clock.ms = second('2026-12', 599) * 1000;
    await carryUsage(parts())();
    expect(await ledger.carriedAtMs('2026-12')).toBeUndefined();

    clock.ms = second('2026-12', 600) * 1000;
    await carryUsage(parts())();
    await carryUsage(parts())();

    expect(await ledger.carriedAtMs('2026-12')).toBe(clock.ms);
    expect(await ledger.read('2026-12')).toHaveLength(1);
    expect(await usedIn('2026-12', second('2026-12', 3600))).toEqual([['t3.medium', 3600]]);
  });

  it('corrects the months since where an event of an earlier month comes late', async () => {
    await deliver(body('running', second('2026-11', 10)));
    clock.ms = second('2026-12', 600) * 1000;
    await carryUsage(parts())();
    clock.ms = second('2027-01', 600) * 1000;
    await carryUsage(parts())();
    expect(await usedIn('2027-01', second('2027-01', 60))).toEqual([['t3.medium', 60]]);

    await deliver(body('stopping', second('2026-11', 110)));

    expect(await usedIn('2026-11', beginOf('2026-12'))).toEqual([['t3.medium', 100]]);
    expect(await usedIn('2026-12', beginOf('2027-01'))).toEqual([]);
    expect(await usedIn('2027-01', second('2027-01', 60))).toEqual([]);
  });

  it('does not carry a start again that is late and was followed by a stop', async () => {
    await deliver(body('running', second('2026-11', 10)));
    await deliver(body('stopping', second('2026-11', 20)));
    clock.ms = second('2026-12', 600) * 1000;
    await carryUsage(parts())();

    await deliver(body('running', second('2026-11', 10)));

    expect(await usedIn('2026-12', second('2026-12', 700))).toEqual([]);
  });

  it('refuses what it cannot read, and leaves what a newer version wrote for that version', async () => {
    const item = { pk: 'usage#2026-11', sk: 1, events: 'no json' };
    await client.send(new PutCommand({ TableName: table, Item: item }));
    await expect(ledger.read('2026-11')).rejects.toThrow(UnreadableError);

    await client.send(new PutCommand({ TableName: table, Item: { ...item, format: 9 } }));
    await expect(ledger.read('2026-11')).rejects.toThrow(UnavailableError);
  });
});

describe('the resource store in DynamoDB (dynalite)', () => {
  it('keeps what decides the price of a resource, under names that DynamoDB does not reserve', async () => {
    await createTable(dynamoDb.url, { name: 'facts', partitionKey: { name: 'pk', type: 'S' } });
    const store = dynamoDbResourceStore(client, 'facts', kinds);
    const about = { resourceId: resource, region: 'eu-west-1', account: '111111111111' };
    const [first, second] = [
      { size: 't3.medium', platform: 'SUSE Linux', zone: 'eu-west-1a' },
      { size: 't3.large', platform: 'SUSE Linux', zone: 'eu-west-1a' },
    ];
    await store.claim({ ...about, dcmId: 'web-1', ...first });
    expect(await store.readConsistently(resource)).toMatchObject({ vm: first });

    const observation = observed('running', 0, { ...about, ...second });
    expect(await store.record(observation, statusOf(observation))).toMatchObject({ vm: second });
  });
});

describe('a status of the bus, for the ledger', () => {
  it('is nothing where it is of a create that was refused', () => {
    const event = JSON.parse(body('running', 10));
    expect(
      readUsage(JSON.stringify({ ...event, detail: { ...event.detail, partitionkey: 'web-1' } })),
    ).toEqual([]);
  });

  it('has EC2’s code, or what a spot interruption does', () => {
    const event = JSON.parse(body('stopping', 10));
    const reasonOf = (message: string) =>
      readUsage(
        JSON.stringify({ ...event, detail: { ...event.detail, data: { ...event.detail.data, message } } }),
      )[0]?.reason;

    expect(reasonOf('instance i-1 is stopped: Client.UserInitiatedHibernate: User initiated hibernate')).toBe(
      'Client.UserInitiatedHibernate',
    );
    expect(reasonOf('instance i-1 is stopping: spot interruption: EC2 will hibernate it')).toBe(
      'spot-hibernate',
    );
    expect(reasonOf('instance i-1 is stopped')).toBeUndefined();
  });

  it('says how the state was seen, and corrects the time of the one before', () => {
    const event = JSON.parse(body('stopping', 10));
    const more = { seenby: 'request', market: 'spot', previoussequence: '51' };

    expect(readUsage(JSON.stringify({ ...event, detail: { ...event.detail, ...more } }))).toMatchObject([
      { key: '51', isCorrection: true, dcmId: 'web-1', resource },
      { key: '102', seenBy: 'request', market: 'spot', size: 't3.medium' },
    ]);
  });

  it('is unreadable without its order', () => {
    const { resources, detail } = JSON.parse(body('running', 10));
    expect(() =>
      readUsage(JSON.stringify({ resources, detail: { ...detail, sequence: undefined } })),
    ).toThrow(UnreadableError);
  });
});
