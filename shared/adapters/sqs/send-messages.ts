import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { UnavailableError } from '../../core/errors.ts';

/** SQS's limit for one batch. */
const maximumEntries = 10;

type Queue = {
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** For errors, such as `the observations queue`. */
  readonly name: string;
};

/**
 * Sends any number of messages, which can be received after `afterSeconds`: 0 to 900.
 * @throws UnavailableError where some may not be in the queue.
 */
export const sendMessages = async (
  { client, queueUrl, name }: Queue,
  bodies: readonly string[],
  afterSeconds = 0,
): Promise<void> => {
  for (let start = 0; start < bodies.length; start += maximumEntries) {
    const Entries = bodies
      .slice(start, start + maximumEntries)
      .map((MessageBody, index) => ({ Id: String(index), MessageBody, DelaySeconds: afterSeconds }));
    const { Failed = [] } = await client
      .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
      .catch((cause: unknown) => {
        throw new UnavailableError(`${name} did not take a batch`, { cause });
      });
    if (Failed.length > 0) throw new UnavailableError(`${name} refused ${Failed.length} messages`);
  }
};
