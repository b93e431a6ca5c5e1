import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../local/parts/client-config.ts';
import { createTable, startDynamoDb } from '../../local/parts/dynamodb.ts';
import { startEc2Simulator } from '../../local/parts/ec2/start-ec2-simulator.ts';
import { createQueue, startSqs } from '../../local/parts/sqs.ts';
import { dynamoDbFirstAnswer } from '../../shared/adapters/dynamodb-first-answer.ts';
import { ec2DryRun } from '../../shared/adapters/ec2-dry-run.ts';
import { sqsBacklog } from '../../shared/adapters/sqs-backlog.ts';

const [dynamoDb, sqs, ec2] = await Promise.all([
  startDynamoDb(),
  startSqs(),
  startEc2Simulator({ emit: () => undefined }),
]);
afterAll(async () => {
  for (const part of [dynamoDb, sqs, ec2]) await part[Symbol.asyncDispose]();
});

describe('what health asks', () => {
  it('of EC2 is answered by the simulator as by EC2', async () => {
    const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' });

    await expect(ec2DryRun({ credentials, endpoint: ec2.url })('eu-west-1')).resolves.toBeUndefined();
  });

  it('of the queue leaves the message to the normaliser', async () => {
    const QueueUrl = await createQueue(sqs.url, 'observations');
    const client = new SQSClient(clientConfig(sqs.url));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"source":"aws.ec2"}' }));
    const inAnHour = () => Date.now() + 3_600_000;

    const waited = await sqsBacklog(client, QueueUrl, inAnHour)();
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl }));

    expect(Math.round(waited / 60)).toBe(60);
    expect(Messages.map(({ Body }) => Body)).toEqual(['{"source":"aws.ec2"}']);
  });

  it('of the fleet table is decided by whoever asks first', async () => {
    await createTable(dynamoDb.url, { name: 'fleet', partitionKey: { name: 'pk', type: 'S' } });
    const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
    const askedAt = (second: number) => dynamoDbFirstAnswer(client, 'fleet', () => second * 1000)('1.2.3');

    const answers = await Promise.all([100, 200, 300].map(askedAt));

    expect(new Set(answers).size).toBe(1);
    expect(await askedAt(400)).toBe(answers[0]);
  });
});
