import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, expect, it } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { memoryListings } from '../fakes/memory-listings.ts';
import { listingsContract } from './listings.ts';

for (const { serviceType } of kinds)
  listingsContract(`in memory, ${serviceType}`, async (now) => memoryListings(now), serviceType);

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
for (const { serviceType } of kinds) {
  await createTable(dynamoDb.url, {
    name: `${serviceType}-listings`,
    partitionKey: { name: 'pk', type: 'S' },
  });
  listingsContract(
    `DynamoDB (dynalite), ${serviceType}`,
    async (now) => dynamoDbListings(client, `${serviceType}-listings`, now),
    serviceType,
  );
}

it.each([
  ['in memory', memoryListings()],
  ['DynamoDB (dynalite)', dynamoDbListings(client, 'vm-listings')],
] as const)('lists each service type of a target by itself: %s', async (_, listings) => {
  const targets = kinds.map(({ serviceType }) => ({ region: 'shared-region', serviceType }));
  const timing = { floorMs: 10_000, leaseMs: 20_000 };

  const leased = await Promise.all(targets.map((target) => listings.lease(target, timing)));
  const due = await listings.due(targets);

  expect(leased.map((listing) => listing?.target)).toEqual(targets);
  expect([...due.keys()]).toEqual(['shared-region', 'container#shared-region', 'cluster#shared-region']);
});
