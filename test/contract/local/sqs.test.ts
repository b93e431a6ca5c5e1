import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { createQueue, startSqs } from '../../../local/emulators/sqs.ts';

describe('sqs', () => {
  let url = '';
  let stop: () => PromiseLike<void> = async () => {};
  beforeAll(async () => {
    const sqs = await startSqs();
    url = sqs.url;
    stop = () => sqs[Symbol.asyncDispose]();
  });
  afterAll(() => stop());

  it('listens on the loopback interface only', () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('gives queue URLs at which it can be reached', async () => {
    const client = new SQSClient(clientConfig(url, 'eu-west-1'));

    const created = await createQueue(url, 'reachable');
    const again = await createQueue(url, 'reachable');
    const { QueueUrls } = await new SQSClient(clientConfig(url)).send(new ListQueuesCommand({}));
    const elsewhere = client.send(new GetQueueUrlCommand({ QueueName: 'reachable' }));

    expect(created).toBe(`${url}/000000000000/reachable`);
    expect(again).toBe(created);
    expect(QueueUrls).toContain(created);
    await expect(elsewhere).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  it('is reached by a client whose endpoint comes from its environment', async () => {
    const { endpoint, ...rest } = clientConfig(url);
    process.env.AWS_ENDPOINT_URL_SQS = endpoint;
    const client = new SQSClient(rest);
    const QueueUrl = await createQueue(url, 'by-environment');

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));

    delete process.env.AWS_ENDPOINT_URL_SQS;
    expect(Messages).toMatchObject([{ Body: 'hello' }]);
  });

  it('keeps what a message says, though it looks like a queue URL', async () => {
    const client = new SQSClient(clientConfig(url));
    const QueueUrl = await createQueue(url, 'verbatim');
    const MessageBody = 'http://sqs.us-east-1.localhost:1/000000000000/verbatim';

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));

    expect(Messages?.[0]?.Body).toBe(MessageBody);
  });

  it('shows a message again after its visibility timeout, and never after it was deleted', async () => {
    const client = new SQSClient(clientConfig(url));
    const QueueUrl = await createQueue(url, 'visibility', { VisibilityTimeout: '2' });
    const receive = () => client.send(new ReceiveMessageCommand({ QueueUrl }));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'once more' }));

    const first = await receive();
    const hidden = await receive();
    await sleep(2_050);
    const second = await receive();
    await client.send(
      new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second.Messages?.[0]?.ReceiptHandle ?? '' }),
    );
    await sleep(2_050);

    expect(first.Messages).toHaveLength(1);
    expect(hidden.Messages).toBeUndefined();
    expect(second.Messages).toHaveLength(1);
    expect((await receive()).Messages).toBeUndefined();
  });

  it('takes the attributes of a queue', async () => {
    const client = new SQSClient(clientConfig(url));
    const QueueUrl = await createQueue(url, 'attributes', { MessageRetentionPeriod: '1209600' });

    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );

    expect(Attributes).toMatchObject({
      QueueArn: 'arn:aws:sqs:us-east-1:000000000000:attributes',
      MessageRetentionPeriod: '1209600',
    });
  });

  it('ends at once, even under a long poll', async () => {
    const own = await startSqs();
    const QueueUrl = await createQueue(own.url, 'polled');
    const client = new SQSClient({ ...clientConfig(own.url), maxAttempts: 1 });
    const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })).catch(() => {});
    await sleep(50);

    const started = performance.now();
    await own[Symbol.asyncDispose]();
    await poll;

    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
