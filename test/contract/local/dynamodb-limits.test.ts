import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { createTable, startDynamoDb } from '../../../local/emulators/dynamodb.ts';

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
await createTable(dynamoDb.url, { name: 'items', partitionKey: { name: 'pk', type: 'S' } });
const client = new DynamoDBClient(clientConfig(dynamoDb.url));
const TableName = 'items';
const Key = { pk: { S: 'a' } };

const update = (more: Partial<UpdateItemCommandInput>) =>
  client.send(new UpdateItemCommand({ TableName, Key, ...more }));
const put = (more: Record<string, { S: string }>) =>
  client.send(new PutItemCommand({ TableName, Item: { ...Key, ...more } }));
const named = (name: string) => ({
  ExpressionAttributeNames: { [name]: 'n' },
  UpdateExpression: `REMOVE ${name}`,
});
const padded = (bytes: number) => `REMOVE ${'a'.repeat(bytes - 'REMOVE '.length)}`;
/** A condition of so many comparisons, which are joined by one OR less. */
const compared = (count: number, first = '') => ({
  UpdateExpression: 'REMOVE b',
  ConditionExpression: `${first}${Array.from({ length: count }, () => 'pk<>:v').join(' OR ')}`,
  ExpressionAttributeValues: { ':v': { S: 'x' } },
});
const sums = (count: number) => ({
  UpdateExpression: `SET ${Array.from({ length: count }, (_, n) => `n${n}=:n+:n`).join(',')}`,
  ExpressionAttributeValues: { ':n': { N: '0' } },
});
const listed = (count: number) => ({
  UpdateExpression: 'REMOVE b',
  ConditionExpression: `NOT pk IN (${Array.from({ length: count }, (_, n) => `:v${n}`).join(', ')})`,
  ExpressionAttributeValues: Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`:v${n}`, { S: `x${n}` }] as const),
  ),
});
const keysOf = (count: number) => Array.from({ length: count }, (_, n) => ({ pk: { S: `k${n}` } }));
const tooLarge = 'Attribute name is too large, must be less than 65536 bytes';

describe('the emulated DynamoDB, by the limits of DynamoDB', () => {
  it.each([
    {
      limit: '4,096 bytes of an expression',
      within: () => update({ UpdateExpression: padded(4096) }),
      beyond: () => update({ UpdateExpression: padded(4097) }),
      why: 'Invalid UpdateExpression: Expression size has exceeded the maximum allowed size; expression size: 4097',
    },
    {
      limit: '4,096 bytes of the projection of a batched read',
      within: () =>
        client.send(
          new BatchGetItemCommand({
            RequestItems: { items: { Keys: keysOf(1), ProjectionExpression: 'pk' } },
          }),
        ),
      beyond: () =>
        client.send(
          new BatchGetItemCommand({
            RequestItems: { items: { Keys: keysOf(1), ProjectionExpression: 'a'.repeat(4097) } },
          }),
        ),
      why: 'Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size; expression size: 4097',
    },
    {
      limit: '300 operators of a condition',
      within: () => update(compared(150, 'NOT ')),
      beyond: () => update(compared(151)),
      why: 'Invalid ConditionExpression: The expression contains too many operators; operator count: 301',
    },
    {
      limit: '300 operators of an update',
      within: () => update(sums(300)),
      beyond: () => update(sums(301)),
      why: 'Invalid UpdateExpression: The expression contains too many operators; operator count: 301',
    },
    {
      limit: '100 operands of IN',
      within: () => update(listed(100)),
      beyond: () => update(listed(101)),
      why: 'Invalid ConditionExpression: The IN operator is provided with too many operands; number of operands: 101',
    },
    {
      limit: '255 bytes of a placeholder',
      within: () => update(named(`#${'n'.repeat(254)}`)),
      beyond: () => update(named(`#${'n'.repeat(255)}`)),
      why: 'ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 256',
    },
    {
      limit: '2 MB of expression attribute values',
      within: () =>
        update({
          UpdateExpression: 'SET v = :v',
          ExpressionAttributeValues: { ':v': { S: 'x'.repeat(1000) } },
        }),
      beyond: () =>
        update({
          UpdateExpression: 'REMOVE b',
          ConditionExpression: 'pk <> :v',
          ExpressionAttributeValues: { ':v': { S: 'x'.repeat(2 * 1024 * 1024) } },
        }),
      why: 'ExpressionAttributeValues exceeds max size',
    },
    {
      limit: '65,535 bytes of an attribute name in an item',
      within: () => put({ ['n'.repeat(65_535)]: { S: '' } }),
      beyond: () => put({ ['n'.repeat(65_536)]: { S: '' } }),
      why: tooLarge,
    },
    {
      limit: '65,535 bytes of an attribute name that a placeholder stands for',
      within: () =>
        update({ UpdateExpression: 'REMOVE #n', ExpressionAttributeNames: { '#n': 'n'.repeat(65_535) } }),
      beyond: () =>
        update({ UpdateExpression: 'REMOVE #n', ExpressionAttributeNames: { '#n': 'n'.repeat(65_536) } }),
      why: tooLarge,
    },
    {
      limit: '400 KB of an item that is put',
      within: () => put({ text: { S: 'x'.repeat(409_600 - 7) } }),
      beyond: () => put({ text: { S: 'x'.repeat(409_600 - 6) } }),
      why: 'Item size has exceeded the maximum allowed size',
    },
    {
      limit: '400 KB of an item that is updated',
      within: () => put({ text: { S: 'x'.repeat(409_500) } }),
      beyond: () =>
        update({
          UpdateExpression: 'SET more = :more',
          ExpressionAttributeValues: { ':more': { S: 'x'.repeat(100) } },
        }),
      why: 'Item size to update has exceeded the maximum allowed size',
    },
    {
      limit: '2,048 bytes of a partition key',
      within: () => client.send(new GetItemCommand({ TableName, Key: { pk: { S: 'k'.repeat(2048) } } })),
      beyond: () => client.send(new GetItemCommand({ TableName, Key: { pk: { S: 'k'.repeat(2049) } } })),
      why: 'Size of hashkey has exceeded the maximum size limit of2048 bytes',
    },
    {
      limit: '100 items of a batched read',
      within: () => client.send(new BatchGetItemCommand({ RequestItems: { items: { Keys: keysOf(100) } } })),
      beyond: () => client.send(new BatchGetItemCommand({ RequestItems: { items: { Keys: keysOf(101) } } })),
      why: /Too many items requested for the BatchGetItem call|less than or equal to 100/,
    },
    {
      limit: '25 items of a batched write',
      within: () =>
        client.send(
          new BatchWriteItemCommand({
            RequestItems: { items: keysOf(25).map((Item) => ({ PutRequest: { Item } })) },
          }),
        ),
      beyond: () =>
        client.send(
          new BatchWriteItemCommand({
            RequestItems: { items: keysOf(26).map((Item) => ({ PutRequest: { Item } })) },
          }),
        ),
      why: 'Member must have length less than or equal to 25',
    },
  ])('takes $limit and refuses more with a ValidationException', async ({ within, beyond, why }) => {
    await expect(within()).resolves.toBeDefined();

    const refused = beyond();
    await expect(refused).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(refused).rejects.toThrow(why);
  });
});
