import { setTimeout as sleep } from 'node:timers/promises';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { clientConfig } from '../local/client-config.ts';
import type { Endpoints } from '../local/stack.ts';

const timeoutMs = 60_000;
const betweenLooksMs = 50;

type Message = { readonly body: string };
type Sent<Item> = Item & { readonly sentAtMs: number };

/** The stack's observations queue, as seen by who fills it. */
export const observationsQueue = ({ sqsUrl, observationsQueueUrl: QueueUrl }: Endpoints) => {
  const client = new SQSClient(clientConfig(sqsUrl));
  const look = new GetQueueAttributesCommand({
    QueueUrl,
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
  });
  const isEmpty = async () => {
    const { Attributes = {} } = await client.send(look);
    return Object.values(Attributes).every((count) => count === '0');
  };

  return {
    /**
     * Sends at a fixed rate, however slow the answers: a queue that falls behind does not slow down its events.
     * @returns the messages with the time when each was sent, in milliseconds since 1970.
     */
    async send<Item extends Message>(items: readonly Item[], perSecond: number): Promise<Sent<Item>[]> {
      const startedAt = performance.now();
      const sending: Promise<Sent<Item>>[] = [];
      for (const item of items) {
        const early = startedAt + (sending.length * 1000) / perSecond - performance.now();
        if (early > 0) await sleep(early);
        const sent = { ...item, sentAtMs: Date.now() };
        const command = new SendMessageCommand({ QueueUrl, MessageBody: item.body });
        sending.push(client.send(command).then(() => sent));
      }
      return Promise.all(sending);
    },

    /** Settles when every message is done. @throws where that takes more than a minute. */
    async drained(): Promise<void> {
      for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(betweenLooksMs))
        if (await isEmpty()) return;
      throw new Error('The observations queue is not empty after a minute.');
    },

    [Symbol.dispose]: () => client.destroy(),
  };
};
