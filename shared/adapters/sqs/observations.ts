import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { UnavailableError } from '../../core/errors.ts';
import type { Observations } from '../../ports/observations.ts';

const maximumEntries = 10;

/** The observations queue in SQS. */
export const sqsObservations = (client: SQSClient, queueUrl: string): Observations => ({
  async send(events, afterSeconds = 0) {
    for (let start = 0; start < events.length; start += maximumEntries) {
      const entries = events.slice(start, start + maximumEntries);
      const Entries = entries.map((event, index) => ({
        Id: String(index),
        MessageBody: JSON.stringify(event),
        DelaySeconds: afterSeconds,
      }));
      const { Failed = [] } = await client
        .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
        .catch((cause: unknown) => {
          throw new UnavailableError('the observations queue did not take a batch', { cause });
        });
      if (Failed.length > 0)
        throw new UnavailableError(`the observations queue refused ${Failed.length} messages`);
    }
  },
});
