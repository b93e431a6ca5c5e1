import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { reasonOf } from '../../../shared/core/errors.ts';
import { clientConfig } from '../client-config.ts';

/** Delivers one event, as EventBridge's JSON, to the target of a rule. Retried where it rejects. */
export type Deliver = (event: string) => Promise<void>;

const pausesMs = [50, 100, 200, 400, 800];

/** Delivers events to the targets of rules, with retries. `log` gets a line for each event that is given up. */
export const deliveries = (log: (line: string) => void) => {
  const underway = new Set<Promise<void>>();
  const closing = new AbortController();

  const attempt = async (rule: string, deliver: Deliver, event: string): Promise<void> => {
    for (const pauseMs of [...pausesMs, undefined]) {
      try {
        return await deliver(event);
      } catch (error) {
        const isRetried = pauseMs !== undefined && !closing.signal.aborted;
        if (!isRetried) return log(`${rule}: event lost: ${reasonOf(error)}: ${event}`);
        await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };

  return {
    begin: (rule: string, deliver: Deliver, event: string): void => {
      const delivery = attempt(rule, deliver, event).finally(() => underway.delete(delivery));
      underway.add(delivery);
    },
    /** Waits for the deliveries that are under way; a failed one is tried once more. */
    end: async (): Promise<void> => {
      closing.abort();
      await Promise.all(underway);
    },
  };
};

type Sending = {
  readonly body: string;
  readonly sent: () => void;
  readonly failed: (reason: unknown) => void;
};

/**
 * Delivers to an SQS queue at `endpoint`. Events that are delivered at the same moment, such as those of one PutEvents, are sent in one
 * request.
 */
export const sendToQueue = (queueUrl: string, endpoint: string): Deliver => {
  const client = new SQSClient(clientConfig(endpoint));
  let waiting: Sending[] = [];

  const sendAll = async (): Promise<void> => {
    const sending = waiting;
    waiting = [];
    for (let start = 0; start < sending.length; start += 10) await send(sending.slice(start, start + 10));
  };

  const send = async (batch: readonly Sending[]): Promise<void> => {
    const Entries = batch.map(({ body }, index) => ({ Id: `${index}`, MessageBody: body }));
    try {
      const { Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      for (const { Id, Message } of Failed ?? []) batch[Number(Id)]?.failed(new Error(Message));
      for (const { sent } of batch) sent(); // no effect on those that failed
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  };

  return (body) =>
    new Promise((sent, failed) => {
      if (waiting.push({ body, sent, failed }) === 1) setImmediate(sendAll);
    });
};
