import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { startEventSourceMapping } from '../../../local/emulators/event-source-mapping.ts';
import { createQueue, startSqs } from '../../../local/emulators/sqs.ts';

type Mapping = Parameters<typeof startEventSourceMapping>[0];

type Settings = Partial<Mapping> & { readonly visibilityTimeout?: string };

/** A queue, a mapping from it to a function, and what the function was handed. */
const mapping = async (
  answer: Mapping['invoke'] = async () => null,
  { visibilityTimeout = '30', ...settings }: Settings = {},
) => {
  const sqs = await startSqs();
  const queueUrl = await createQueue(sqs.url, 'observations', { VisibilityTimeout: visibilityTimeout });
  const client = new SQSClient(clientConfig(sqs.url));
  const events: SQSEvent[] = [];
  const lines: string[] = [];
  const part = await startEventSourceMapping({
    queueUrl,
    sqsEndpoint: sqs.url,
    invoke: (event) => {
      events.push(event);
      return answer(event);
    },
    batchSize: 10,
    maximumConcurrency: 2,
    log: (line) => lines.push(line),
    ...settings,
  });
  return {
    events,
    lines,
    records: () => events.flatMap(({ Records }) => Records),
    send: (MessageBody: string, more = {}) =>
      client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody, ...more })),
    left: async () => {
      const request = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] });
      const { Attributes } = await client.send(request);
      return (
        Number(Attributes?.ApproximateNumberOfMessages) +
        Number(Attributes?.ApproximateNumberOfMessagesNotVisible)
      );
    },
    end: () => part[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([part[Symbol.asyncDispose](), sqs[Symbol.asyncDispose]()]); // which cuts the last poll short
    },
  };
};

describe('event source mapping', () => {
  it('hands a message to the function as Lambda does, and deletes it when it is done', async () => {
    await using queue = await mapping();
    const before = Date.now();

    const { MessageId } = await queue.send('{"n":1}', {
      MessageAttributes: {
        trace: { DataType: 'String', StringValue: 'abc' },
        raw: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) },
      },
    });

    await expect.poll(() => queue.events).toHaveLength(1);
    const [record] = queue.records();
    expect(record).toEqual({
      messageId: MessageId,
      receiptHandle: expect.any(String),
      body: '{"n":1}',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        trace: { stringValue: 'abc', stringListValues: [], binaryListValues: [], dataType: 'String' },
        raw: { binaryValue: 'AQID', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
      },
      md5OfBody: createHash('md5').update('{"n":1}').digest('hex'),
      md5OfMessageAttributes: expect.any(String),
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:observations',
      awsRegion: 'us-east-1',
    });
    expect(Number(record?.attributes.SentTimestamp)).toBeGreaterThanOrEqual(before);
    await expect.poll(queue.left).toBe(0);
  });

  it('hands over the message of an idle queue at once', async () => {
    const delaysMs: number[] = [];
    await using queue = await mapping(async ({ Records: [record] }) => {
      delaysMs.push(Date.now() - Number(record?.body));
    });

    for (let n = 1; n <= 10; n += 1) {
      await sleep(20);
      await queue.send(String(Date.now()));
      await expect.poll(() => delaysMs, { interval: 1 }).toHaveLength(n);
    }

    expect(Math.min(...delaysMs)).toBeLessThan(100); // and not at a next look, a second later or so
    expect(delaysMs.toSorted((a, b) => a - b)[5]).toBeLessThan(500);
  });

  it('makes batches of what has gathered', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using queue = await mapping(() => held, { maximumConcurrency: 1 });

    await queue.send('first');
    await expect.poll(() => queue.events).toHaveLength(1);
    await Promise.all(Array.from({ length: 12 }, (_, n) => queue.send(`later ${n}`)));
    release();

    await expect.poll(() => queue.events.map(({ Records }) => Records.length)).toEqual([1, 10, 2]);
  });

  it('lets no more batches be under way than it may', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let underWay = 0;
    let most = 0;
    await using queue = await mapping(
      async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await held;
        underWay -= 1;
      },
      { batchSize: 1, maximumConcurrency: 3 },
    );

    await Promise.all(Array.from({ length: 12 }, (_, n) => queue.send(`${n}`)));
    await expect.poll(() => underWay).toBe(3);
    await sleep(100); // for a fourth
    release();

    await expect.poll(() => queue.events).toHaveLength(12);
    expect(most).toBe(3);
  });

  it('leaves what the function names as failed, and deletes the rest', async () => {
    await using queue = await mapping(
      async ({ Records }) => ({
        batchItemFailures: Records.filter(
          ({ body, attributes }) => body === 'bad' && attributes.ApproximateReceiveCount === '1',
        ).map(({ messageId }) => ({ itemIdentifier: messageId })),
      }),
      { visibilityTimeout: '2' },
    );

    await Promise.all([queue.send('good'), queue.send('bad')]);

    await expect.poll(() => queue.records()).toHaveLength(3);
    await expect.poll(queue.left).toBe(0);
    const times = (body: string) => queue.records().filter((record) => record.body === body).length;
    expect([times('good'), times('bad')]).toEqual([1, 2]);
  });

  it.each<[string, Mapping['invoke']]>([
    ['fails', () => Promise.reject(new Error('out of memory'))],
    ['answers what nobody agreed on', async () => ({ batchItemFailures: [{ itemIdentifier: 'another' }] })],
  ])('leaves all of a batch to be tried again where the function %s', async (_, answer) => {
    let calls = 0;
    await using queue = await mapping(
      (event) => {
        calls += 1;
        return calls === 1 ? answer(event) : Promise.resolve(null);
      },
      { visibilityTimeout: '2' },
    );

    await queue.send('again');

    await expect.poll(() => queue.records()).toHaveLength(2);
    await expect.poll(queue.left).toBe(0);
    expect(queue.records()[1]?.attributes.ApproximateReceiveCount).toBe('2');
  });

  it('says why a batch failed', async () => {
    await using queue = await mapping(() => Promise.reject(new Error('out of memory')));

    await queue.send('once');

    await expect.poll(() => queue.lines).toContain('batch of 1 messages failed: out of memory');
  });

  it('waits for what is under way when it ends', async () => {
    await using queue = await mapping(() => sleep(300, null));
    await queue.send('slow');
    await expect.poll(() => queue.events).toHaveLength(1);

    await queue.end();

    expect(await queue.left()).toBe(0);
  });

  it('leaves everything in the queue once it has ended', async () => {
    await using queue = await mapping();
    await queue.end();

    await queue.send('for the next one');
    await sleep(100);

    expect(queue.events).toEqual([]);
    expect(await queue.left()).toBe(1);
  });

  it('refuses a queue that is not there', async () => {
    await using sqs = await startSqs();

    const starting = startEventSourceMapping({
      queueUrl: `${sqs.url}/000000000000/nowhere`,
      sqsEndpoint: sqs.url,
      invoke: async () => null,
      batchSize: 10,
      maximumConcurrency: 1,
      log: () => {},
    });

    await expect(starting).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });
});
