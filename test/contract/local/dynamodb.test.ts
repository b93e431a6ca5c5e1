import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { createTable, startDynamoDb } from '../../../local/emulators/dynamodb.ts';

describe('dynamodb', () => {
  it('stores items of a table that is ready when it has been created', async () => {
    await using dynamoDb = await startDynamoDb();
    const client = new DynamoDBClient(clientConfig(dynamoDb.url));
    await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });

    await client.send(new PutItemCommand({ TableName: 'fleet', Item: { pk: { S: 'i-1' }, n: { N: '1' } } }));
    const { Item } = await client.send(new GetItemCommand({ TableName: 'fleet', Key: { pk: { S: 'i-1' } } }));

    expect(dynamoDb.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(Item).toEqual({ pk: { S: 'i-1' }, n: { N: '1' } });
  });

  it('lets one of many concurrent conditional writes win', async () => {
    await using dynamoDb = await startDynamoDb();
    const client = new DynamoDBClient(clientConfig(dynamoDb.url));
    await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });
    const claim = (by: number) =>
      client.send(
        new UpdateItemCommand({
          TableName: 'fleet',
          Key: { pk: { S: 'i-1' } },
          UpdateExpression: 'SET owner_ = :by',
          ConditionExpression: 'attribute_not_exists(owner_)',
          ExpressionAttributeValues: { ':by': { N: String(by) } },
        }),
      );

    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, by) => claim(by)));

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('has the indexes and keys that the table describes', async () => {
    await using dynamoDb = await startDynamoDb();
    const client = new DynamoDBClient(clientConfig(dynamoDb.url));
    await createTable(dynamoDb.url, {
      name: 'vms',
      partitionKey: { name: 'pk', type: 'S' },
      sortKey: { name: 'at', type: 'N' },
      indexes: [{ name: 'by-region', partitionKey: { name: 'region', type: 'S' } }],
    });
    const item = { pk: { S: 'i-1' }, at: { N: '5' }, region: { S: 'eu-west-1' }, more: { S: 'text' } };

    await client.send(new PutItemCommand({ TableName: 'vms', Item: item }));
    const { Items } = await client.send(
      new QueryCommand({
        TableName: 'vms',
        IndexName: 'by-region',
        KeyConditionExpression: '#r = :r',
        ExpressionAttributeNames: { '#r': 'region' },
        ExpressionAttributeValues: { ':r': { S: 'eu-west-1' } },
      }),
    );
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'vms' }));

    expect(Items).toEqual([item]);
    expect(Table).toMatchObject({
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'at', KeyType: 'RANGE' },
      ],
    });
  });

  it('counts requests by operation', async () => {
    await using dynamoDb = await startDynamoDb();
    const client = new DynamoDBClient(clientConfig(dynamoDb.url));
    await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });

    for (const pk of ['a', 'b']) {
      await client.send(new GetItemCommand({ TableName: 'fleet', Key: { pk: { S: pk } } }));
    }

    expect(dynamoDb.operations()).toMatchObject({ CreateTable: 1, GetItem: 2 });
  });
});
