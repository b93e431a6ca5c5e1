import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { deferredObservations } from '../../../../shared/adapters/sqs/deferred-observations.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { republicationRequestedEvent } from '../../../../shared/wire/own-messages.ts';
import { halfPastTen, resourceId } from '../../../fixtures/resource-messages.ts';
import { mockedClient } from '../../../mocked-client.ts';

const sqs = mockedClient(SQSClient);
const queue = 'https://sqs.us-east-1.amazonaws.com/123456789012/observations';
const { send } = deferredObservations(queue);
const event = republicationRequestedEvent({
  'instance-id': resourceId,
  region: 'us-east-1',
  account: '123456789012',
  at: halfPastTen,
});

beforeEach(() => {
  sqs.reset();
  sqs.on(SendMessageBatchCommand).resolves({});
});

describe('the observations queue of a function that seldom sends', () => {
  it('takes events for later', async () => {
    await send([event], 25);
    await send([event]);

    expect(sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input)).toMatchObject([
      { QueueUrl: queue, Entries: [{ DelaySeconds: 25, MessageBody: JSON.stringify(event) }] },
      { QueueUrl: queue, Entries: [{ DelaySeconds: 0 }] },
    ]);
  });

  it('is not troubled for nothing', async () => {
    await send([], 25);

    expect(sqs.calls()).toEqual([]);
  });

  it('is unavailable where it does not take them', async () => {
    sqs.on(SendMessageBatchCommand).rejects(new Error('slow down'));

    await expect(send([event])).rejects.toThrow(UnavailableError);
  });
});
