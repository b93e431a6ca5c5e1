import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { sqsObservations } from '../../../../shared/adapters/sqs/observations.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { republicationRequestedEvent } from '../../../../shared/wire/own-messages.ts';
import { halfPastTen, resourceId } from '../../../fixtures/resource-messages.ts';
import { mockedClient } from '../../../mocked-client.ts';

const sqs = mockedClient(SQSClient);
const queue = 'https://sqs.us-east-1.amazonaws.com/123456789012/observations';
const { send } = sqsObservations(new SQSClient({ region: 'us-east-1' }), queue);
const events = (n: number) =>
  Array.from({ length: n }, (_, second) =>
    republicationRequestedEvent({
      'instance-id': resourceId,
      region: 'us-east-1',
      account: '123456789012',
      at: halfPastTen + second,
    }),
  );
const entries = () =>
  sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries ?? []);

beforeEach(() => void sqs.reset());

describe('observations queue', () => {
  it('takes any number of events, ten at a time, as they are', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});

    await send(events(21));

    expect(entries().map(({ length }) => length)).toEqual([10, 10, 1]);
    expect(
      entries()
        .flat()
        .map(({ MessageBody = '' }) => JSON.parse(MessageBody)),
    ).toEqual(events(21));
  });

  it('holds them back for as long as it is told', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});

    await send(events(1));
    await send(events(1), 5);

    expect(
      entries()
        .flat()
        .map(({ DelaySeconds }) => DelaySeconds),
    ).toEqual([0, 5]);
  });

  it('is unavailable where it refuses some, or does not answer', async () => {
    const refused = { Id: '0', SenderFault: false, Code: 'InternalError' };
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({ Failed: [refused] })
      .rejectsOnce(new Error('timeout'));

    await expect(send(events(1))).rejects.toThrow(UnavailableError);
    await expect(send(events(1))).rejects.toThrow(UnavailableError);
  });
});
