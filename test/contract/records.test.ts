import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, resourceTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { RefusedRequestError } from '../../shared/adapters/dynamodb/errors.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { memoryVmRecords } from '../fakes/memory-records.ts';
import { memoryLog } from '../fakes/silent.ts';
import { vmRecordsContract } from './records.ts';

vmRecordsContract('in memory', async (now) => memoryVmRecords(now));

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
await createTable(dynamoDb.url, resourceTable('fleet'));
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
vmRecordsContract('DynamoDB (dynalite)', async (now) =>
  dynamoDbRecords(client, 'fleet', vmRecords, memoryLog(), now),
);

describe('VM records in DynamoDB', () => {
  const leaseMs = 12_000;
  const nowMs = 1_787_394_600_000;
  const days = (count: number) => nowMs / 1000 + count * 86_400;
  const item = async (dcmId: string) =>
    (await client.send(new GetCommand({ TableName: 'fleet', Key: { pk: `vm#${dcmId}` } }))).Item;
  const setup = () => {
    const log = memoryLog();
    return { log, records: dynamoDbRecords(client, 'fleet', vmRecords, log, () => nowMs) };
  };
  const begun = async (dcmId: string, region = 'us-east-1') => {
    const { record } = await setup().records.begin({ dcmId, region, leaseMs });
    return record;
  };
  const about = { region: 'us-east-1', account: '123456789012', facts: { launchedAtMs: nowMs } };

  it('are forgotten, where nothing comes of them, and never while the VM lives', async () => {
    const { records } = setup();
    const vm = { ...about, dcmId: 'ttl', resourceId: 'i-00000000000000001' };

    const record = await begun('ttl');
    const inFlight = await item('ttl');
    await records.launched(record, vm);
    const living = await item('ttl');
    await records.end('ttl', vm.resourceId);
    const ended = await item('ttl');
    await records.abandon(await begun('refused'));

    expect([inFlight, living, ended].map((one) => one?.expiresAt)).toEqual([days(7), undefined, days(7)]);
    expect(await item('refused')).toEqual({
      pk: 'vm#refused',
      vmId: 'refused',
      format: 1,
      generation: 1,
      attempt: 0,
      turn: 1,
      attemptedAtMs: nowMs,
      keptFor: 'us-east-1',
      expiresAt: days(7),
    });
  });

  it('that cannot be read are left out of a page, and named when read alone (C 33)', async () => {
    const { records, log } = setup();
    for (const dcmId of ['a', 'b', 'c']) await begun(dcmId, 'eu-corrupt-1');
    const corrupt = { ...(await item('b')), launch: '{' };
    await client.send(new PutCommand({ TableName: 'fleet', Item: corrupt }));

    const page = await records.list({ region: 'eu-corrupt-1' }, '', 2);

    expect(page.records.map(({ dcmId }) => dcmId)).toEqual(['a']);
    expect(page.last).toBe('b');
    expect(log.lines).toEqual(['error: a VM is missing from a listing']);
    await expect(records.read('b')).rejects.toThrow(/the record vm#b makes no sense/);
  });

  it('are refused where there is no table', async () => {
    const records = dynamoDbRecords(client, 'no-such-table', vmRecords, memoryLog());

    for (const asked of [
      records.read('a'),
      records.begin({ dcmId: 'a', region: 'us-east-1', leaseMs }),
      records.list({ region: 'us-east-1' }, '', 50),
      records.count({ region: 'us-east-1' }),
    ])
      await expect(asked).rejects.toThrow(RefusedRequestError);
  });
});
