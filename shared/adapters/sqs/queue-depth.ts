import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { UnavailableError } from '../../core/errors.ts';
import type { QueueDepth } from '../../wire/inspection.ts';

/**
 * The messages of a queue, counted by SQS.
 * @throws UnavailableError where SQS does not answer.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
export const sqsQueueDepth = (client: SQSClient, queueUrl: string) => async (): Promise<QueueDepth> => {
  const command = new GetQueueAttributesCommand({
    QueueUrl: queueUrl,
    AttributeNames: [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed',
    ],
  });
  const { Attributes = {} } = await client.send(command).catch((cause: unknown) => {
    throw new UnavailableError('SQS does not count the messages of a queue', { cause });
  });
  return {
    waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    received: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
  };
};
