import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { sqsBacklog } from '../../../shared/adapters/sqs-backlog.ts';
import { UnavailableError } from '../../../shared/domain/errors.ts';
import { statusWantedEvent } from '../../../shared/wire/status-wanted.ts';
import { eventBridgeEvent } from '../../fixtures/eventbridge.ts';

const sqs = mockClient(SQSClient);
beforeEach(() => void sqs.reset());

const nowMs = 2_000_000_000_000;
const backlog = sqsBacklog(new SQSClient({ region: 'us-east-1' }), 'https://queue', () => nowMs);
const waiting = (body: unknown, seconds: number) =>
  sqs.on(ReceiveMessageCommand).resolves({
    Messages: [
      {
        Body: typeof body === 'string' ? body : JSON.stringify(body),
        Attributes: { SentTimestamp: String(nowMs - seconds * 1000) },
      },
    ],
  });

const about = {
  'instance-id': 'i-0123456789abcdef0',
  region: 'us-east-1',
  account: '123456789012',
  at: 1,
};

describe('the backlog', () => {
  it('is looked at without hiding a message from the normaliser', async () => {
    sqs.on(ReceiveMessageCommand).resolves({});

    await backlog();

    expect(sqs.commandCalls(ReceiveMessageCommand)[0]?.args[0].input).toMatchObject({
      VisibilityTimeout: 0,
      WaitTimeSeconds: 0,
      MaxNumberOfMessages: 1,
    });
  });

  it('is nothing where nothing waits', async () => {
    sqs.on(ReceiveMessageCommand).resolves({});

    expect(await backlog()).toBe(0);
  });

  it('is as old as an event that waits', async () => {
    waiting(eventBridgeEvent('state-change-running'), 400);

    expect(await backlog()).toBe(400);
  });

  it.each([
    [400, 0],
    [900, 0],
    [1_300, 400],
  ])(
    'does not count that a message of our own may have been told to wait: %i s are %i',
    async (sent, age) => {
      waiting(statusWantedEvent(about), sent);

      expect(await backlog()).toBe(age);
    },
  );

  it('is as old as what nobody can read', async () => {
    waiting('<html>', 400);

    expect(await backlog()).toBe(400);
  });

  it('is unknown where the queue does not answer', async () => {
    sqs.on(ReceiveMessageCommand).rejects(new Error('no'));

    await expect(backlog()).rejects.toThrow(UnavailableError);
  });
});
