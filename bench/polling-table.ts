import { createTable, type DynamoDb, startDynamoDb } from '../local/emulators/dynamodb.ts';

export const resourceTable = 'fleet';

/** DynamoDB with the table of the fleet, which also remembers listings. */
export const startResourceTable = async (): Promise<DynamoDb> => {
  const dynamoDb = await startDynamoDb();
  await createTable(dynamoDb.url, { name: resourceTable, partitionKey: { name: 'pk', type: 'S' } });
  return dynamoDb;
};
