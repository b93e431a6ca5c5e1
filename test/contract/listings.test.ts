import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { memoryListings } from '../fakes/memory-listings.ts';
import { listingsContract } from './listings.ts';

listingsContract('in memory', async (now) => memoryListings(now));

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
listingsContract('DynamoDB (dynalite)', async (now) => dynamoDbListings(client, 'fleet', now));
