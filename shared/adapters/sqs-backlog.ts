import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { UnavailableError } from '../domain/errors.ts';
import type { Backlog } from '../ports/backlog.ts';
import type { Clock } from '../ports/clock.ts';
import { ownSource } from '../wire/own-event.ts';

/** SQS holds back what we send ourselves for so long at most, where we tell it to; EventBridge tells it nothing. */
const longestDelaySeconds = 900;

/**
 * Looks at one message of an SQS queue and leaves it there: it is visible to others all the time. CloudWatch knows the age of the oldest
 * one, but minutes later.
 */
export const sqsBacklog =
  (client: SQSClient, queueUrl: string, now: Clock = Date.now): Backlog =>
  async () => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      VisibilityTimeout: 0,
      WaitTimeSeconds: 0,
      MaxNumberOfMessages: 1,
      MessageSystemAttributeNames: ['SentTimestamp'],
    });
    const { Messages = [] } = await client.send(command).catch((cause: unknown) => {
      throw new UnavailableError('the observations queue does not answer', { cause });
    });
    return Math.max(0, ...Messages.map((message) => waitedSeconds(message, now())));
  };

const waitedSeconds = ({ Attributes, Body = '' }: Message, nowMs: number): number => {
  const seconds = (nowMs - Number(Attributes?.SentTimestamp ?? nowMs)) / 1000;
  return seconds - (isOwn(Body) ? longestDelaySeconds : 0);
};

const OwnEvent = z.object({ source: z.literal(ownSource) });

const isOwn = (body: string): boolean => {
  try {
    return OwnEvent.safeParse(JSON.parse(body)).success;
  } catch {
    return false;
  }
};
