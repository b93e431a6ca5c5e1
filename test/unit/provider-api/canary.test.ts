import { describe, expect, it } from 'vitest';
import { answerCanary } from '../../../functions/normaliser/heartbeats.ts';
import { runCanary } from '../../../functions/provider-api/canary.ts';
import { CapacityError, UnavailableError } from '../../../shared/core/errors.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { sqsRecord } from '../../fixtures/sqs-record.ts';
import { servedApi, token } from './http/served-api.ts';

type Changes = {
  readonly api?: ReturnType<typeof servedApi>;
  readonly secret?: () => Promise<string | undefined>;
  readonly send?: (events: readonly EventBridgeEvent[]) => Promise<void>;
};

/** One run of the canary at 60,000 ms, by the API as it is served. */
const canary = async ({ api = servedApi(), secret = async () => token, send }: Changes = {}) => {
  const queued: EventBridgeEvent[] = [];
  const [log, meter] = [memoryLog(), countingMeter()];
  await runCanary({
    api: (request, given) => api.app.fetch(request, given),
    observations: { send: send ?? (async (events) => void queued.push(...events)) },
    ...{ secret, homeRegion: 'us-east-1', now: () => 60_000, log, meter },
  })();
  return { asked: api.asked, queued, log, meter };
};

const failed = ['warn: the canary failed before the observations queue'];

describe('a run of the canary', () => {
  it('has a VM of defaults validated in the home region, and creates none', async () => {
    const { asked } = await canary();

    expect(asked).toEqual([
      [
        'validateVm',
        expect.objectContaining({ vcpus: undefined, memoryMib: undefined, guestOs: undefined, disks: [] }),
        { region: 'us-east-1', requestId: 'canary:60000' },
      ],
    ]);
  });

  it('then sends a message that the normaliser measures until JetStream answers', async () => {
    const { queued, log, meter } = await canary();
    const normaliser = countingMeter();
    const handle = answerCanary(
      {
        ...{ nats: async () => ({ connected: true }), provider: 'ec2-sp', now: () => 60_840 },
        ...{ log: memoryLog(), meter: normaliser },
      },
      () => Promise.reject(new Error('it was taken for a message about a resource')),
    );

    await handle({ Records: queued.map((event) => sqsRecord('c', event)) });

    expect(normaliser.canaryAges).toEqual([840]);
    expect([meter.counts, log.lines]).toEqual([{}, []]);
  });

  it('sends the newest token of the secret', async () => {
    const secret = async () => JSON.stringify({ token, previous: 'an-older-one' });

    expect((await canary({ secret })).queued).toHaveLength(1);
  });

  it.each<[string, Changes]>([
    [
      'EC2 refuses the dry run',
      {
        api: servedApi({
          useCases: {
            vm: { validate: () => Promise.reject(new CapacityError('EC2 has no capacity')) },
          },
        }),
      },
    ],
    ['the API does not accept the token', { secret: async () => 'another-token' }],
    [
      'the secret cannot be read',
      { secret: () => Promise.reject(new UnavailableError('the secret cannot be read')) },
    ],
    ['there is no secret', { secret: async () => undefined }],
  ])('fails where %s, and sends no message', async (_, changes) => {
    const { queued, log, meter } = await canary(changes);

    expect([queued, meter.counts, log.lines]).toEqual([[], { canaryFailed: 1 }, failed]);
  });

  it('fails where the queue does not take the message', async () => {
    const { meter, log } = await canary({
      send: () => Promise.reject(new UnavailableError('SQS did not answer')),
    });

    expect([meter.counts, log.lines]).toEqual([{ canaryFailed: 1 }, failed]);
  });
});
