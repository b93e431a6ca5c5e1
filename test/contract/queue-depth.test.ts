import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { inspectQueues } from '../../functions/cluster-steps/inspect-queues.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createQueue, startSqs } from '../../local/emulators/sqs.ts';
import { sqsQueueDepth } from '../../shared/adapters/sqs/queue-depth.ts';

const unused = async () => {
  throw new Error('no batch was expected');
};

describe('cluster-steps, asked what is in its queues', () => {
  it('counts what waits, was received or is delayed, and the dead letters, received ones too', async () => {
    await using server = await startSqs();
    const sqs = new SQSClient(clientConfig(server.url));
    const queue = await createQueue(server.url, 'steps', { VisibilityTimeout: '90' });
    const deadLetters = await createQueue(server.url, 'dead-letters');
    const send = (QueueUrl: string, DelaySeconds = 0) =>
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}', DelaySeconds }));
    const receive = (QueueUrl: string) => sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    for (const one of [queue, queue, queue, deadLetters, deadLetters]) await send(one);
    await Promise.all([receive(queue), receive(deadLetters)]);
    for (const seconds of [60, 60, 60]) await send(queue, seconds);

    const ask = inspectQueues(
      { depth: sqsQueueDepth(sqs, queue), deadLetters: sqsQueueDepth(sqs, deadLetters) },
      unused,
    );

    expect(await ask({ do: 'inspect' })).toEqual({ waiting: 2, received: 1, delayed: 3, deadLetters: 2 });
    sqs.destroy();
  });

  it('says that it could not count where SQS has no such queue', async () => {
    await using server = await startSqs();
    const sqs = new SQSClient(clientConfig(server.url));

    await expect(sqsQueueDepth(sqs, `${server.url}/000000000000/none`)()).rejects.toMatchObject({
      ...{ name: 'UnavailableError', retryable: true },
      message: 'SQS does not count the messages of a queue',
    });
    sqs.destroy();
  });

  it('handles a batch of its queue as before', async () => {
    const answer = { batchItemFailures: [{ itemIdentifier: 'm-1' }] };
    const ask = inspectQueues({ depth: unused, deadLetters: unused }, async () => answer);

    expect(await ask({ Records: [] })).toBe(answer);
  });
});
