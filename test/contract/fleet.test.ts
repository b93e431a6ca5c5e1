import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll } from 'vitest';
import { createTable, startDynamoDb } from '../../local/parts/dynamodb.ts';
import { dynamoDbFleet } from '../../shared/adapters/dynamodb-fleet.ts';
import { memoryFleet } from '../fakes/memory-fleet.ts';
import { fleetContract } from './fleet.ts';

fleetContract('in memory', async (now) => memoryFleet(now));

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
fleetContract('DynamoDB (dynalite)', async (now) => dynamoDbFleet(client, 'fleet', now));
