import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { ProviderError, reasonOf, UnreadableError } from '../core/errors.ts';
import type { Retries } from '../ports/retries.ts';
import type { Log, Meter } from '../ports/telemetry.ts';

type Message<Content> = {
  readonly messageId: string;
  /** SQS delivered the message before, and it may be partly processed. */
  readonly isRetry: boolean;
  readonly resourceMessages: readonly Content[];
};

type Parts<Content> = {
  /** @throws UnreadableError for a message that no retry makes readable; after a retryable error SQS redelivers the message. */
  readonly read: (body: string) => Content[];
  /** @returns why messages could not be processed, by message id; messages without an entry are processed. */
  readonly handle: (messages: readonly Message<Content>[]) => Promise<ReadonlyMap<string, unknown>>;
  readonly retries: Retries;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * An SQS batch in, a partial batch response out: each message is processed, redelivered later, or, where it cannot be read, sent to the
 * dead-letter queue with the reason at once. No message delays another one.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export const partialBatch =
  <Content>({ read, handle, retries, log, meter }: Parts<Content>) =>
  async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    meter.count('received', Records.length);
    const failed = new Map<string, unknown>();
    const readable = (await Promise.all(Records.map(readOrBury))).flat();
    for (const [messageId, error] of await handleAll(readable)) failed.set(messageId, error);
    await Promise.all(Records.map(postponeFailed));
    return { batchItemFailures: [...failed.keys()].map((itemIdentifier) => ({ itemIdentifier })) };

    async function readOrBury(record: SQSRecord): Promise<Message<Content>[]> {
      try {
        const resourceMessages = read(record.body);
        return [{ messageId: record.messageId, isRetry: receiveCountOf(record) > 1, resourceMessages }];
      } catch (error) {
        if (error instanceof ProviderError && error.retryable) {
          failed.set(record.messageId, error);
          return [];
        }
        if (!(error instanceof UnreadableError)) throw error;
        meter.count('unreadable');
        log.error('a message cannot be read; it goes to the dead-letter queue', {
          messageId: record.messageId,
          reason: error.message,
        });
        await retries
          .deadLetter(record.body, error.message)
          .catch((cause: unknown) => failed.set(record.messageId, cause));
        return [];
      }
    }

    async function handleAll(messages: Message<Content>[]): Promise<ReadonlyMap<string, unknown>> {
      if (messages.length === 0) return new Map();
      return handle(messages).catch(
        (error: unknown) => new Map(messages.map(({ messageId }) => [messageId, error])),
      );
    }

    async function postponeFailed(record: SQSRecord) {
      const error = failed.get(record.messageId);
      if (error === undefined) return;
      const seconds = delaySeconds(receiveCountOf(record));
      const isUnexpected = !(error instanceof ProviderError);
      log[isUnexpected ? 'error' : 'warn']('a message is not done; it comes again', {
        messageId: record.messageId,
        seconds,
        reason: reasonOf(error),
        error,
      });
      await retries.postpone(record.receiptHandle, seconds).catch((cause: unknown) => {
        log.warn('a message could not be postponed; it comes again after its visibility timeout', {
          error: cause,
        });
      });
    }
  };

const receiveCountOf = (record: SQSRecord): number => Number(record.attributes.ApproximateReceiveCount);

const longestDelaySeconds = 60;

/** 1, 2, 4 … 60 s: few retries during an outage, and none later than a minute after its end. */
const delaySeconds = (receiveCount: number): number => Math.min(2 ** (receiveCount - 1), longestDelaySeconds);
