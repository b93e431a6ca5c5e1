import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSMessageAttribute, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { reasonOf } from '../../shared/core/errors.ts';
import { clientConfig } from './client-config.ts';

type Options = {
  readonly queueUrl: string;
  readonly sqsEndpoint: string;
  /** Invokes the function with a batch; rejects where the function failed. */
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
  /** 1 to 10. */
  readonly batchSize: number;
  /** Maximum number of concurrent batches. */
  readonly maximumConcurrency: number;
  /** Called for batches that failed, and for receives that failed. */
  readonly log: (line: string) => void;
};

/** Wait time of a receive. Disposing waits for it too, because an aborted receive would hide its messages for the visibility timeout. */
const pollSeconds = 1;
const pauseAfterErrorMs = 200;

/**
 * Lambda's event source mapping from an SQS queue to a function, without a batching window and with ReportBatchItemFailures. It deletes the
 * processed messages; the others are redelivered after the visibility timeout. Disposing waits for the batches that are under way.
 * @throws where the queue does not exist.
 */
export const startEventSourceMapping = async (options: Options): Promise<AsyncDisposable> => {
  const { invoke, maximumConcurrency, log } = options;
  const queue = await openQueue(options);
  const underWay = new Set<Promise<void>>();
  let open = true;

  const handle = async (messages: readonly Message[]): Promise<void> => {
    const done = await invoke(sqsEvent(messages, queue.arn)).then((answer) => doneOf(messages, answer));
    if (done.length > 0) await queue.delete(done);
  };

  const poll = async (): Promise<void> => {
    const messages = await queue.receive();
    if (messages.length === 0) return;
    const batch = handle(messages)
      .catch((error) => log(`batch of ${messages.length} messages failed: ${reasonOf(error)}`))
      .finally(() => underWay.delete(batch));
    underWay.add(batch);
  };

  const pause = (error: unknown) => {
    if (open) log(`receiving messages failed: ${reasonOf(error)}`);
    return sleep(open ? pauseAfterErrorMs : 0);
  };

  const polling = (async () => {
    while (open) {
      if (underWay.size < maximumConcurrency) await poll().catch(pause);
      else await Promise.race(underWay);
    }
  })();

  return {
    [Symbol.asyncDispose]: async () => {
      open = false;
      await polling;
      await Promise.all(underWay);
      queue.close();
    },
  };
};

const doneOf = (messages: readonly Message[], answer: unknown): readonly Message[] => {
  const ids = messages.map(({ MessageId = '' }) => MessageId);
  const failed = unprocessedMessages(answer, ids);
  return messages.filter(({ MessageId = '' }) => !failed.includes(MessageId));
};

const openQueue = async ({ queueUrl: QueueUrl, sqsEndpoint, batchSize }: Options) => {
  const client = new SQSClient(clientConfig(sqsEndpoint));
  const receive = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: batchSize,
    WaitTimeSeconds: pollSeconds,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  });
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  return {
    arn: Attributes?.QueueArn ?? '',
    receive: async () => (await client.send(receive)).Messages ?? [],
    delete: (messages: readonly Message[]) =>
      client.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle })),
        }),
      ),
    close: () => client.destroy(),
  };
};

/**
 * The event with which Lambda invokes a function for messages of one queue.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export const sqsEvent = (messages: readonly Message[], queueArn: string): SQSEvent => ({
  Records: messages.map((message) => record(message, queueArn)),
});

/** The system attributes that SQS always returns where all are requested. */
const SystemAttributes = z.looseObject({
  ApproximateReceiveCount: z.string(),
  SentTimestamp: z.string(),
  SenderId: z.string(),
  ApproximateFirstReceiveTimestamp: z.string(),
});

const record = (message: Message, queueArn: string): SQSRecord => {
  const attributes = Object.entries(message.MessageAttributes ?? {});
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: SystemAttributes.parse(message.Attributes),
    messageAttributes: Object.fromEntries(attributes.map(([name, value]) => [name, messageAttribute(value)])),
    md5OfBody: message.MD5OfBody ?? '',
    ...(message.MD5OfMessageAttributes && { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: queueArn.split(':')[3] ?? '',
  };
};

const messageAttribute = ({
  StringValue,
  BinaryValue,
  DataType,
}: MessageAttributeValue): SQSMessageAttribute => ({
  ...(StringValue !== undefined && { stringValue: StringValue }),
  ...(BinaryValue && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
  stringListValues: [],
  binaryListValues: [],
  dataType: DataType ?? 'String',
});

/** A function's answer with ReportBatchItemFailures; an empty answer means success. */
const Answer = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() })
  .nullish();

/**
 * The ids of a batch's messages that were not processed: all of them where the answer is invalid or names a message that was not in the
 * batch.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export const unprocessedMessages = (answer: unknown, messageIds: readonly string[]): readonly string[] => {
  const { success, data } = Answer.safeParse(answer);
  const failed = data?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier) ?? [];
  return success && failed.every((id) => messageIds.includes(id)) ? failed : messageIds;
};
