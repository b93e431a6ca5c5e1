import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { processHeartbeats } from '../../../functions/normaliser/heartbeats.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { heartbeatEvent } from '../../../shared/wire/heartbeat.ts';
import { memoryHeartbeats } from '../../fakes/memory-heartbeats.ts';
import { memoryLog } from '../../fakes/silent.ts';
import { eventBridgeEvent } from '../../fixtures/eventbridge.ts';

const record = (messageId: string, body: unknown): SQSRecord => ({
  ...{ messageId, receiptHandle: messageId, body: JSON.stringify(body), md5OfBody: '' },
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '0',
    SenderId: 'events',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  ...{ eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:observations' },
  awsRegion: 'us-east-1',
});
const heartbeat = (sentAt: number) => heartbeatEvent(sentAt, { region: 'eu-west-1', account: '' });
const event = eventBridgeEvent('state-change-running');

const normaliser = (heartbeats: Parameters<typeof processHeartbeats>[0]['heartbeats']) => {
  const batches: string[][] = [];
  const log = memoryLog();
  const handler = processHeartbeats({ heartbeats, log }, async ({ Records }: SQSEvent) => {
    batches.push(Records.map(({ messageId }) => messageId));
    return { batchItemFailures: [{ itemIdentifier: 'b' }] };
  });
  return { handler, batches, log };
};

describe('a heartbeat of the observations queue', () => {
  it('is written down, and the rest of the batch is processed as ever', async () => {
    const heartbeats = memoryHeartbeats();
    const { handler, batches } = normaliser(heartbeats);

    const answer = await handler({
      Records: [
        record('a', event),
        record('h1', heartbeat(100)),
        record('b', event),
        record('h2', heartbeat(160)),
      ],
    });

    expect(batches).toEqual([['a', 'b']]);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }] });
    expect((await heartbeats.read()).processedAt).toBe(160);
  });

  it('comes alone without an empty batch', async () => {
    const { handler, batches } = normaliser(memoryHeartbeats());

    expect(await handler({ Records: [record('h', heartbeat(100))] })).toEqual({ batchItemFailures: [] });
    expect(batches).toEqual([]);
  });

  it('that cannot be written down fails no message', async () => {
    const processed = async () => Promise.reject(new UnavailableError('the DynamoDB table did not answer'));
    const { handler, log } = normaliser({ processed });

    expect(await handler({ Records: [record('h', heartbeat(100))] })).toEqual({ batchItemFailures: [] });
    expect(log.lines).toEqual([expect.stringMatching(/^warn: a heartbeat/)]);
  });

  it('writes nothing where there is none', async () => {
    const { handler, batches, log } = normaliser({
      processed: async () => Promise.reject(new Error('written')),
    });

    await handler({ Records: [record('a', event)] });

    expect([batches, log.lines]).toEqual([[['a']], []]);
  });
});
