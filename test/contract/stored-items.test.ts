import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, resourceTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbFirstAnswer } from '../../shared/adapters/dynamodb/first-answer.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { memoryLog } from '../fakes/silent.ts';
import { launchPlan } from '../fixtures/launches.ts';
import { dcmId, halfPastTen, observed, resourceId } from '../fixtures/resource-messages.ts';
import { statusOf } from '../fixtures/statuses.ts';
import items from '../fixtures/stored/items.json' with { type: 'json' };

const second = 'i-00000000000000002';
const nowMs = (halfPastTen + 3600) * 1000;
const now = () => nowMs;

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));

/** A table with these items. */
const tableWith = async (table: string, stored: readonly object[]) => {
  await createTable(dynamoDb.url, resourceTable(table));
  for (const Item of stored) await client.send(new PutCommand({ TableName: table, Item }));
  return {
    resourceStore: dynamoDbResourceStore(client, table, kinds, now),
    records: dynamoDbRecords(client, table, vmRecords, memoryLog(), now),
    listings: dynamoDbListings(client, table, now),
  };
};

describe('items without a format, as version 0.1.0 wrote them', async () => {
  const { resourceStore, records, listings } = await tableWith('without-format', items);

  it('are read: a VM with unpublished statuses, a notice, a republication and addresses', async () => {
    const held = (await resourceStore.read([resourceId])).get(resourceId);

    expect(held).toMatchObject({
      owner: 'ours',
      vm: {
        ...{ resourceId, dcmId, region: 'us-east-1', account: '123456789012', state: 'running' },
        ...{ sequence: (halfPastTen + 10) * 10 + 1, deleteRequested: true },
        ...{ privateAddress: '10.0.0.4', publicAddress: '203.0.113.7', getsPublicAddress: true },
        notices: { 'spot-interruption': { at: halfPastTen + 20 } },
        repeatedAt: halfPastTen + 30,
        latest: { status: 'RUNNING', republishedAt: halfPastTen + 30 },
        outbox: [{ requestId: 'request-1' }, { status: 'RUNNING' }, { status: 'RUNNING' }],
        history: [{ status: 'PROVISIONING' }, { status: 'RUNNING' }, { status: 'RUNNING' }],
      },
    });
  });

  it('are read: a VM that has ended, and instances that are not ours', async () => {
    const held = await resourceStore.read([second, 'i-00000000000000003', 'i-00000000000000004']);

    expect([...held.values()]).toMatchObject([
      { owner: 'ours', vm: { state: 'terminated', latest: { status: 'FAILED' }, isWindows: true } },
      { owner: 'foreign' },
      { owner: 'foreign', duplicateOf: dcmId },
    ]);
  });

  it('are read: records of a launched VM and of an adopted one', async () => {
    expect(await records.read(dcmId)).toMatchObject({
      ...{ dcmId, resourceId, account: '123456789012', region: 'us-east-1', adopted: false },
      ...{ generation: 0, attempt: 1, leaseNumber: 1, requestKey: 'request-of-it', specDigest: 'digest' },
      facts: { instanceType: 't3.small', chosenBy: { image: 'guest_os.type' } },
    });
    expect(await records.read('vm-adopted')).toMatchObject({ adopted: true });
  });

  it('are read: records of creations that are planned, begun, refused and deleted', async () => {
    expect(await records.read('vm-planned')).toMatchObject({
      launch: launchPlan({ spot: true }),
      attempt: 0,
    });
    expect(await records.read('vm-begun')).toMatchObject({ leaseNumber: 1, leaseUntilMs: nowMs + 12_000 });
    expect(await records.creation('vm-refused')).toMatchObject({
      record: undefined,
      leaseNumber: 1,
      failure: { status: { status: 'FAILED' }, isPublished: false },
    });
    expect(await records.creation('vm-never')).toMatchObject({ record: undefined, deletedAtMs: nowMs });
    expect(await records.read('vm-2')).toMatchObject({ endedAtMs: nowMs, deleteRequestedAtMs: nowMs });
  });

  it('are read: listings, complete and half-way, and the lease of polling', async () => {
    const [complete] = await listings.status([{ region: 'us-east-1' }]);
    const [due] = (await listings.due([{ region: 'eu-west-1' }])).values();

    expect(complete).toMatchObject({ instances: 1, listedAtMs: nowMs, breakerSinceMs: nowMs });
    expect(complete?.republicationRequestedAt).toBe(halfPastTen + 3600);
    expect(due).toBe(nowMs);
    expect(await listings.members({ region: 'us-east-1' }, 0)).toEqual([resourceId]);
    expect(await listings.lease({ region: 'eu-west-1' }, { floorMs: 10_000, leaseMs: 60_000 })).toMatchObject(
      { token: 'next-page', page: 1, added: new Set([resourceId]), removed: new Set([second]) },
    );
    expect(await listings.leasePolling('execution-1', 60_000)).toBe(2);
  });

  it('are read: a heartbeat, a registration, the first answer of a version', async () => {
    const registrations = await dynamoDbRegistrations(client, 'without-format').read(['ec2-sp']);

    expect(await dynamoDbHeartbeats(client, 'without-format').read()).toMatchObject({
      processedAt: halfPastTen,
    });
    expect(registrations.get('ec2-sp')).toMatchObject({ outcome: 'registered', registeredAt: halfPastTen });
    expect(await dynamoDbFirstAnswer(client, 'without-format')('0.1.0')).toBe(nowMs / 1000);
  });
});

describe('items', async () => {
  const newer = items.map((item) => ({ ...item, format: 2 }));
  const { resourceStore, records, listings } = await tableWith('newer', newer);

  it('have the number of their format once this version has written them', async () => {
    const written = await tableWith('written', items);
    const status = statusOf(observed('stopping', 60));

    const recorded = await written.resourceStore.record(observed('stopping', 60), status);

    expect(recorded).toMatchObject({ outcome: 'accepted', vm: { state: 'stopping' } });
    expect(recorded).not.toMatchObject({ vm: { format: 1 } });
    expect(
      (await client.send(new GetCommand({ TableName: 'written', Key: { pk: resourceId } }))).Item?.format,
    ).toBe(1);
  });

  it('of a newer format are not written', async () => {
    const status = statusOf(observed('stopping', 60));
    const item = async () =>
      (await client.send(new GetCommand({ TableName: 'newer', Key: { pk: resourceId } }))).Item;
    const before = await item();

    await expect(resourceStore.record(observed('stopping', 60), status)).rejects.toThrow(UnavailableError);
    await resourceStore.requestDelete(resourceId);

    expect(await item()).toEqual(before);
    expect(await listings.lease({ region: 'eu-west-1' }, { floorMs: 1, leaseMs: 1 })).toBeUndefined();
  });

  it('of a newer format are refused, and tried again', async () => {
    const held = (await resourceStore.read([resourceId])).get(resourceId);

    expect(held).toMatchObject({ owner: 'unreadable', error: { retryable: true } });
    await expect(resourceStore.readConsistently(resourceId)).rejects.toThrow(
      `the item ${resourceId} has format 2, and this version reads formats up to 1`,
    );
    await expect(records.read(dcmId)).rejects.toThrow(UnavailableError);
    await expect(records.creation('vm-refused')).rejects.toThrow(UnavailableError);
  });
});
