import { describe, expect, it } from 'vitest';
import { publishRequest } from '../../../functions/nats-bridge/handle-request.ts';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { StatusPublisher } from '../../../shared/ports/status-publisher.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';

const event = {
  specversion: '1.0',
  id: 'a',
  source: 'dcm/providers/ec2-sp',
  type: 'dcm.status.vm',
  subject: 'dcm.vm',
  data: { id: 'vm-1', status: 'RUNNING', message: 'instance is running' },
};

const bridge = (publisher?: StatusPublisher) => {
  const { stored, ...stream } = memoryEventStream();
  const meter = countingMeter();
  const log = memoryLog();
  const handle = publishRequest({ publisher: publisher ?? publishEvents({ ...stream }), meter, log });
  return { stored, meter, log, handle };
};

describe('a request to publish', () => {
  it('publishes the events of a request as they are', async () => {
    const { handle, stored, meter, log } = bridge();

    const answer = await handle({ events: [event] });

    expect(answer).toEqual({
      acknowledged: [{ id: 'a', stream: 'memory', seq: 1, duplicate: false }],
      failed: [],
    });
    expect(stored).toEqual([event]);
    expect(meter.counts).toEqual({ published: 1, duplicate: 0, unpublished: 0 });
    expect(log.lines).toEqual([]);
  });

  it('tells a repeat from the first one', async () => {
    const { handle, meter } = bridge();
    await handle({ events: [event] });

    const { acknowledged } = await handle({ events: [event] });

    expect(acknowledged).toMatchObject([{ id: 'a', duplicate: true }]);
    expect(meter.counts).toMatchObject({ published: 2, duplicate: 1 });
  });

  it.each([
    { what: 'nothing', refused: null, id: 'events[1]', reason: /./ },
    { what: 'text', refused: JSON.stringify(event), id: 'events[1]', reason: /./ },
    {
      what: 'an event without an id',
      refused: { ...event, id: undefined },
      id: 'events[1]',
      reason: /at id/,
    },
    { what: 'an event with an empty id', refused: { ...event, id: '' }, id: 'events[1]', reason: /at id/ },
    {
      what: 'another version',
      refused: { ...event, id: 'b', specversion: '0.3' },
      id: 'b',
      reason: /at specversion/,
    },
    {
      what: 'a subject of three tokens',
      refused: { ...event, id: 'b', subject: 'dcm.vm.status' },
      id: 'b',
      reason: /expected a NATS subject such as dcm.vm/,
    },
  ])('refuses $what, says which and why, and publishes the others', async ({ refused, id, reason }) => {
    const { handle, stored, log } = bridge();

    const { acknowledged, failed } = await handle({ events: [event, refused, { ...event, id: 'c' }] });

    expect(acknowledged.map((one) => one.id)).toEqual(['a', 'c']);
    expect(failed).toEqual([{ id, retryable: false, reason: expect.stringMatching(reason) }]);
    expect(stored).toHaveLength(2);
    expect(log.lines).toEqual([expect.stringMatching(/^warn: events were not published/)]);
  });

  it('counts and answers what the stream did not take beside what it refused itself', async () => {
    const failed = [{ id: 'a', retryable: true, reason: 'NATS cannot be connected' }];
    const { handle, meter } = bridge({ publish: async () => ({ acknowledged: [], failed }) });

    const answer = await handle({ events: [event, null] });

    expect(answer.failed).toMatchObject([
      { id: 'a', retryable: true },
      { id: 'events[1]', retryable: false },
    ]);
    expect(meter.counts).toMatchObject({ published: 0, unpublished: 2 });
  });

  it('throws where it cannot be known what was published', async () => {
    const { handle } = bridge({ publish: () => Promise.reject(new UnavailableError('lost')) });

    await expect(handle({ events: [event] })).rejects.toThrow(UnavailableError);
  });
});
