import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbInventoryMaintenance } from '../../shared/adapters/dynamodb/inventory-compaction.ts';
import { dynamoDbInventoryReader } from '../../shared/adapters/dynamodb/inventory-reader.ts';
import { inventoryStorage } from '../../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbInventoryWriter } from '../../shared/adapters/dynamodb/inventory-writer.ts';
import { memoryInventory } from '../fakes/memory-inventory.ts';
import { inventoryContract } from './inventory.ts';

inventoryContract('in memory', async () => memoryInventory());

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
for (const table of ['inventory', 'cold']) await createTable(dynamoDb.url, inventoryTable(table));

const feed = { append: async () => undefined };

/** Opens the storage anew, as a cold start does. */
const opened = (table: string) => inventoryStorage({ client, table });

inventoryContract('DynamoDB (dynalite)', async () => {
  const storage = opened('inventory');
  const { compact } = dynamoDbInventoryMaintenance(storage, { feed });
  return {
    ...dynamoDbInventoryReader(storage),
    ...dynamoDbInventoryWriter({ storage, requestCompaction: compact, feed }),
  };
});

inventoryContract('DynamoDB (dynalite), each call after a cold start', async () => {
  const cold = () => {
    const storage = opened('cold');
    return {
      ...dynamoDbInventoryReader(storage),
      ...dynamoDbInventoryWriter({
        storage,
        requestCompaction: dynamoDbInventoryMaintenance(opened('cold'), { feed }).compact,
        feed,
      }),
    };
  };
  return {
    snapshot: (...given) => cold().snapshot(...given),
    change: (...given) => cold().change(...given),
    observePage: (...given) => cold().observePage(...given),
    complete: (...given) => cold().complete(...given),
  };
});
