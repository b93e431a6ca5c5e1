import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { sqsRetries } from '../../../../shared/adapters/sqs/retries.ts';
import { mockedClient } from '../../../mocked-client.ts';

const sqs = mockedClient(SQSClient);
const queue = 'https://sqs.us-east-1.amazonaws.com/123456789012/observations';
const deadLetters = 'https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters';
const retries = sqsRetries(queue, deadLetters);

/** The reason that a message was buried with. */
const deadLetteredFor = async (reason: string) => {
  await retries.deadLetter('{}', reason);
  const [call] = sqs.commandCalls(SendMessageCommand);
  return call?.args[0].input.MessageAttributes?.reason?.StringValue;
};

beforeEach(() => void sqs.reset());

describe('messages that are not done', () => {
  it('come again after the seconds given', async () => {
    await retries.postpone('receipt', 16);

    expect(sqs.calls().map(({ args }) => args[0].input)).toEqual([
      { QueueUrl: queue, ReceiptHandle: 'receipt', VisibilityTimeout: 16 },
    ]);
  });

  it('go to the dead-letter queue as they are, with the reason', async () => {
    await retries.deadLetter('not JSON', 'the message is no EventBridge event');

    expect(sqs.calls().map(({ args }) => args[0].input)).toEqual([
      {
        QueueUrl: deadLetters,
        MessageBody: 'not JSON',
        MessageAttributes: {
          reason: { DataType: 'String', StringValue: 'the message is no EventBridge event' },
        },
      },
    ]);
  });

  it.each([
    { what: 'is empty', reason: '', kept: 'unknown' },
    { what: 'is long', reason: 'x'.repeat(5_000), kept: 'x'.repeat(1_024) },
  ])('have a reason that SQS takes also where it $what', async ({ reason, kept }) => {
    expect(await deadLetteredFor(reason)).toBe(kept);
  });

  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
  it.each([
    { what: 'control characters', reason: 'event "\u0000\u001b[31m" is none' },
    { what: 'half of a character', reason: 'Unexpected token \ud83d in JSON' },
    { what: 'a character where it is cut', reason: `${'x'.repeat(1_023)}😀` },
  ])('have a reason that SQS takes also where it has $what', async ({ reason }) => {
    const characters = [...((await deadLetteredFor(reason)) ?? '')].map(
      (character) => character.codePointAt(0) ?? 0,
    );

    for (const code of characters) {
      expect([0x9, 0xa, 0xd].includes(code) || code >= 0x20, `U+${code.toString(16)}`).toBe(true);
      expect(code < 0xd800 || code > 0xdfff, `U+${code.toString(16)}`).toBe(true);
    }
  });

  it('are known to be neither where SQS does not answer', async () => {
    sqs.on(ChangeMessageVisibilityCommand).rejects(new Error('timeout'));
    sqs.on(SendMessageCommand).rejects(new Error('timeout'));

    await expect(retries.postpone('receipt', 1)).rejects.toThrow('timeout');
    await expect(retries.deadLetter('{}', 'why')).rejects.toThrow('timeout');
  });
});
