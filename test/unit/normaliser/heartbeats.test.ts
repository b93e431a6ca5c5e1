import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { answerCanary, processHeartbeats } from '../../../functions/normaliser/heartbeats.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { NatsState } from '../../../shared/ports/health-probes.ts';
import { canaryEvent, heartbeatEvent } from '../../../shared/wire/heartbeat.ts';
import { memoryHeartbeats } from '../../fakes/memory-heartbeats.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { eventBridgeEvent } from '../../fixtures/eventbridge.ts';
import { tagKeys } from '../../fixtures/resource-messages.ts';
import { sqsRecord as record } from '../../fixtures/sqs-record.ts';

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

const canary = (sentAtMs: number) => canaryEvent(sentAtMs, { region: 'eu-west-1', account: '' });

/** The normaliser at 10,000 ms, which handles the other messages by `process`. */
const answering = (nats: () => Promise<NatsState>, process = async (_: SQSEvent) => {}) => {
  const batches: string[][] = [];
  const [log, meter] = [memoryLog(), countingMeter()];
  const handler = answerCanary(
    { nats, provider: 'ec2-sp', now: () => 10_000, log, meter },
    async ({ Records }) => {
      batches.push(Records.map(({ messageId }) => messageId));
      await process({ Records });
      return { batchItemFailures: [{ itemIdentifier: 'b' }] };
    },
  );
  return { handler, batches, log, meter };
};

describe('a message of the canary', () => {
  it('is measured until JetStream answers, and the rest of the batch is processed as ever', async () => {
    const { handler, batches, meter } = answering(async () => ({ connected: true }));

    const answer = await handler({
      Records: [record('a', event), record('c', canary(9_750)), record('b', event)],
    });

    expect(meter.canaryAges).toEqual([250]);
    expect(meter.counts).toEqual({});
    expect(batches).toEqual([['a', 'b']]);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }] });
  });

  it('counts as failed where JetStream does not take statuses, and does not come again', async () => {
    const reason = 'no stream has the subject dcm.vm';
    const { handler, batches, log, meter } = answering(async () => ({ connected: false, reason }));

    expect(await handler({ Records: [record('c', canary(9_000))] })).toEqual({ batchItemFailures: [] });
    expect([meter.canaryAges, meter.counts]).toEqual([[], { canaryFailed: 1 }]);
    expect(log.lines).toEqual(['warn: JetStream did not answer the canary']);
    expect(batches).toEqual([]);
  });

  it('does not delay the messages of resources while JetStream is silent', async () => {
    let answer = (_: NatsState) => {};
    const silence = new Promise<NatsState>((resolve) => {
      answer = resolve;
    });
    const { handler } = answering(
      () => silence,
      async () => answer({ connected: true }),
    );

    const answered = handler({ Records: [record('c', canary(9_000)), record('a', event)] });

    await expect(answered).resolves.toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }] });
  });

  it('asks JetStream once for all that waited in the queue, and each has its own age', async () => {
    let asked = 0;
    const { handler, meter } = answering(async () => {
      asked += 1;
      return { connected: true };
    });

    await handler({ Records: [record('c1', canary(1_000)), record('c2', canary(9_000))] });

    expect([asked, meter.canaryAges]).toEqual([1, [9_000, 1_000]]);
  });

  it('is none where an event of AWS or a heartbeat is in the batch: JetStream is not asked', async () => {
    const { handler, batches } = answering(() => Promise.reject(new Error('asked')));

    await handler({ Records: [record('a', event), record('h', heartbeat(100))] });

    expect(batches).toEqual([['a', 'h']]);
  });

  it.each([
    ['of the home account alone', '123456789012'],
    ['of any account', undefined],
  ])(
    'is dropped by a version without a canary that handles events %s, with a line in the log',
    (_, account) => {
      const [log, meter] = [memoryLog(), countingMeter()];
      const read = readMessage({
        ...{ provider: 'ec2-sp', tagKeys, regions: ['eu-west-1'], account },
        ...{ now: () => 10_000, log, meter },
      });

      expect(read(JSON.stringify(canary(9_000)))).toEqual([]);
      expect(log.lines).toEqual([expect.stringMatching(/^warn: dropped an event of /)]);
    },
  );
});
