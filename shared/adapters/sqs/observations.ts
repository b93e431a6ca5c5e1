import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Observations } from '../../ports/observations.ts';
import { sendMessages } from './send-messages.ts';

/** The observations queue in SQS. */
export const sqsObservations = (client: SQSClient, queueUrl: string): Observations => ({
  send: (events, afterSeconds) =>
    sendMessages(
      { client, queueUrl, name: 'the observations queue' },
      events.map((event) => JSON.stringify(event)),
      afterSeconds,
    ),
});
