import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { createTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { memoryResourceStore } from '../fakes/memory-resource-store.ts';
import { dcmId, observed, wholeLife } from '../fixtures/resource-messages.ts';
import { statusOf } from '../fixtures/statuses.ts';
import { awsAccount } from '../unit/normaliser/account.ts';
import { resourceStoreContract } from './resource-store.ts';
import { resourceStoreKindContract } from './resource-store-kinds.ts';

resourceStoreContract('in memory', async (now) => memoryResourceStore(now));
for (const kind of kinds)
  resourceStoreKindContract('in memory', async (now) => memoryResourceStore(now), kind);

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });
const client = DynamoDBDocumentClient.from(
  new DynamoDBClient({
    endpoint: dynamoDb.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  }),
);
resourceStoreContract('DynamoDB (dynalite)', async (now) =>
  dynamoDbResourceStore(client, 'fleet', kinds, now),
);
for (const kind of kinds)
  resourceStoreKindContract(
    'DynamoDB (dynalite)',
    async (now) => dynamoDbResourceStore(client, 'fleet', kinds, now),
    kind,
  );

describe('the item of a VM', () => {
  it('that an earlier version let grow to thousands of unpublished statuses is published and settled by itself', async () => {
    const resourceId = 'i-0bbbbbbbbbbbbbbbb';
    const about = { vmId: dcmId, region: 'us-east-1', account: '123456789012' };
    const grown = Array.from({ length: 2_500 }, (_, n) => {
      const { id: _id, ...status } = statusOf(
        observed(wholeLife[n % 4] ?? 'pending', n * 60, { resourceId }),
      );
      return { ...status, id: `${resourceId}:${status.at}:${n % 4}` };
    });
    const latest = grown.at(-1);
    const Item = {
      ...{ pk: resourceId, ...about, latest, state: 'stopped', sequence: Number(latest?.key) },
      outbox: Object.fromEntries(grown.map((status) => [status.key, status])),
      history: Object.fromEntries(grown.map(({ key, status }) => [key, status])),
    };
    await client.send(new PutCommand({ TableName: 'fleet', Item }));
    const account = awsAccount({ resourceId }); // an earlier version kept no private address
    const resourceStore = dynamoDbResourceStore(client, 'fleet', kinds);

    const failures = await account.worker({ resourceStore })([
      observed('pending', 2_500 * 60, { resourceId }),
    ]);

    expect(failures.size).toBe(0);
    const ids = account.stream.stored.map(({ id }) => id);
    expect(ids.slice(0, -1)).toEqual([grown[0], ...grown.slice(-100)].map((status) => status?.id));
    expect(account.statuses(resourceId).at(-1)).toBe('PROVISIONING');
    expect((await resourceStore.read([resourceId])).get(resourceId)).toMatchObject({ vm: { outbox: [] } });
  });

  it('costs one write unit a write, with ten statuses behind it', async () => {
    const resourceStore = dynamoDbResourceStore(client, 'fleet', kinds);
    const resourceId = 'i-0aaaaaaaaaaaaaaaa';
    const vm = { resourceId, dcmId, region: 'ap-southeast-1', account: '123456789012' };
    await resourceStore.claim({ ...vm, privateAddress: '172.31.255.254', publicAddress: '198.51.100.254' });
    for (const [n, state] of [...wholeLife.slice(0, 4), ...wholeLife.slice(0, 4), ...wholeLife].entries()) {
      const isUp = state === 'pending' || state === 'running'; // of which EC2 gives no reason
      const reason = isUp ? undefined : { code: 'Client.UserInitiatedShutdown' };
      const seen = observed(state, n * 60, { ...vm, reason });
      const recorded = await resourceStore.record(seen, statusOf(seen));
      if (recorded.outcome !== 'accepted') throw new Error(`expected ${state} to be accepted`);
      await resourceStore.settle(recorded.vm, [statusOf(seen).key]);
    }

    const touch = new UpdateCommand({
      TableName: 'fleet',
      Key: { pk: resourceId },
      UpdateExpression: 'SET outbox.#key = :status',
      ExpressionAttributeNames: { '#key': '17873946001' },
      ExpressionAttributeValues: { ':status': statusOf(observed('terminated')) },
      ReturnConsumedCapacity: 'TOTAL',
    });
    const { ConsumedCapacity } = await client.send(touch);

    expect(ConsumedCapacity?.CapacityUnits).toBe(1);
  });
});
