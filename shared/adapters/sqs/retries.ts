import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Retries } from '../../ports/retries.ts';

/**
 * Postpones and dead-letters messages of an SQS queue. Both are rare, so the SQS client is loaded at the first use: it would be half of
 * the code that a cold start loads.
 */
export const sqsRetries = (queueUrl: string, deadLetterQueueUrl: string): Retries => {
  let loaded: Promise<{ client: SQSClient; sqs: typeof import('@aws-sdk/client-sqs') }> | undefined;
  const load = () => {
    loaded ??= import('@aws-sdk/client-sqs').then((sqs) => ({ client: new sqs.SQSClient(), sqs }));
    return loaded;
  };

  return {
    async postpone(receiptHandle, seconds) {
      const { client, sqs } = await load();
      await client.send(
        new sqs.ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }),
      );
    },

    async deadLetter(body, reason) {
      const { client, sqs } = await load();
      await client.send(
        new sqs.SendMessageCommand({
          QueueUrl: deadLetterQueueUrl,
          MessageBody: body,
          MessageAttributes: {
            reason: { DataType: 'String', StringValue: attributeText(reason) },
          },
        }),
      );
    },
  };
};

const maximumCharacters = 1024;

/** Text that SQS accepts in an attribute: no control characters, no half surrogate pairs, and not empty. */
const attributeText = (text: string): string => {
  const allowed = text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '');
  return [...allowed].slice(0, maximumCharacters).join('') || 'unknown';
};
