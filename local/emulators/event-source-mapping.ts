import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { reasonOf } from '../../shared/core/errors.ts';
import { clientConfig } from '../client-config.ts';
import { undone } from './batch-item-failures.ts';
import { sqsEvent } from './sqs-event.ts';

type Options = {
  readonly queueUrl: string;
  readonly sqsEndpoint: string;
  /** Hands a batch to the function; rejects where the function failed. */
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
  /** 1 to 10. */
  readonly batchSize: number;
  /** Batches under way at most. */
  readonly maximumConcurrency: number;
  /** Hears of batches that failed, and of a queue that does not answer. */
  readonly log: (line: string) => void;
};

/** How long a poll waits for messages, and so disposing for a poll: one that is cut off hides what it had just received. */
const pollSeconds = 1;
const pauseAfterErrorMs = 200;

/**
 * Lambda's event source mapping from an SQS queue to a function, without a batching window and with
 * ReportBatchItemFailures: it deletes what the function has done, and leaves the rest to the queue's visibility timeout.
 * Disposing waits for the batches that are under way.
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
      .catch((error) => log(`A batch of ${messages.length} failed: ${reasonOf(error)}`))
      .finally(() => underWay.delete(batch));
    underWay.add(batch);
  };

  const pause = (error: unknown) => {
    if (open) log(`Receiving failed: ${reasonOf(error)}`);
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
  const failed = undone(answer, ids);
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
