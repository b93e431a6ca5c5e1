import { createTable, type DynamoDb, startDynamoDb } from '../local/emulators/dynamodb.ts';

export const fleetTable = 'fleet';

/** DynamoDB with the table of the fleet, which also remembers listings. */
export const startFleetTable = async (): Promise<DynamoDb> => {
  const dynamoDb = await startDynamoDb();
  await createTable(dynamoDb.url, { name: fleetTable, partitionKey: { name: 'pk', type: 'S' } });
  return dynamoDb;
};
