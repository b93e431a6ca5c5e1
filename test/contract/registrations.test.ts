import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { RefusedRequestError } from '../../shared/adapters/dynamodb/errors.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { memoryRegistrations } from '../fakes/memory-registrations.ts';
import { registrationsContract } from './registrations.ts';

registrationsContract('in memory', async () => memoryRegistrations());

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
registrationsContract('in DynamoDB (dynalite)', async () => dynamoDbRegistrations(client, 'fleet'));

describe('registrations in DynamoDB (dynalite)', () => {
  it('are like none where the item cannot be read: the next attempt writes it anew', async () => {
    await client.send(
      new PutCommand({ TableName: 'fleet', Item: { pk: 'registration#ec2-sp-odd', outcome: 'pending' } }),
    );

    expect(await dynamoDbRegistrations(client, 'fleet').read(['ec2-sp-odd'])).toEqual(new Map());
  });

  it('are refused where there is no table', async () => {
    const registrations = dynamoDbRegistrations(client, 'no-such-table');

    await expect(registrations.read(['ec2-sp'])).rejects.toThrow(RefusedRequestError);
    await expect(registrations.forget('ec2-sp')).rejects.toThrow(RefusedRequestError);
  });
});
