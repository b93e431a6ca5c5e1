import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { clientConfig } from '../../client-config.ts';
import type { Rule } from './delivery.ts';

type Sending = {
  readonly body: string;
  readonly sent: () => void;
  readonly failed: (reason: unknown) => void;
};

/**
 * A rule's target: an SQS queue at `endpoint`. Events delivered at the same moment, such as those of one PutEvents, share
 * one request.
 */
export const sendToQueue = (queueUrl: string, endpoint: string): Rule['deliver'] => {
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
      for (const { sent } of batch) sent(); // without effect on those that failed
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  };

  return (body) =>
    new Promise((sent, failed) => {
      if (waiting.push({ body, sent, failed }) === 1) setImmediate(sendAll);
    });
};
