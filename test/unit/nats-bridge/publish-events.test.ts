import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { UnavailableError, UnreadableError } from '../../../shared/core/errors.ts';
import type { EventStream } from '../../../shared/ports/event-stream.ts';
import type { CloudEventJson } from '../../../shared/wire/cloudevents.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';

const event = (id: string, partitionkey?: string): CloudEventJson => ({
  specversion: '1.0',
  id,
  source: 'dcm/providers/ec2-sp',
  type: 'dcm.status.vm',
  subject: 'dcm.vm',
  ...(partitionkey && { partitionkey }),
});
const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => id);
const refuse = (reason: string) => Promise.reject(new UnavailableError(reason));

/** A stream whose connection can be watched, and told what to do at the n-th connection. */
const watched = (more: (attempt: () => number, kept: EventStream) => Partial<EventStream> = () => ({})) => {
  const memory = memoryEventStream();
  const connections = { abandoned: 0 };
  const stream: EventStream = {
    ...memory,
    ...more(() => connections.abandoned + 1, memory),
    abandon: () => {
      connections.abandoned += 1;
    },
  };
  return { stored: memory.stored, connections, publisher: publishEvents(stream) };
};

describe('publishing events', () => {
  it('tells of each where the stream has it, and whether it had it before', async () => {
    const { publisher } = watched();

    const first = await publisher.publish([event('a'), event('b')]);
    const again = await publisher.publish([event('b')]);

    expect(first).toEqual({
      acknowledged: [
        { id: 'a', stream: 'memory', seq: 1, duplicate: false },
        { id: 'b', stream: 'memory', seq: 2, duplicate: false },
      ],
      failed: [],
    });
    expect(again.acknowledged).toEqual([{ id: 'b', stream: 'memory', seq: 2, duplicate: true }]);
  });

  it('is done at once with no events', async () => {
    expect(await watched().publisher.publish([])).toEqual({ acknowledged: [], failed: [] });
  });

  it('is not done before the stream has acknowledged (C2-16)', async () => {
    let acknowledge = () => {};
    const { publisher } = watched((_, memory) => ({
      append: async (one) => {
        await new Promise<void>((resolve) => {
          acknowledge = resolve;
        });
        return memory.append(one);
      },
    }));
    let done = false;

    const publishing = publisher.publish([event('a')]).finally(() => {
      done = true;
    });
    await turn();

    expect(done).toBe(false);
    acknowledge();
    expect(idsOf((await publishing).acknowledged)).toEqual(['a']);
  });

  it('waits, within a partition key, for each acknowledgement before the next event', async () => {
    const log: string[] = [];
    const { publisher, stored } = watched((_, memory) => ({
      append: async (one) => {
        log.push(`${one.id} sent`);
        await turn();
        log.push(`${one.id} acknowledged`);
        return memory.append(one);
      },
    }));

    await publisher.publish([event('a1', 'a'), event('b1', 'b'), event('a2', 'a'), event('a3', 'a')]);

    expect(idsOf(stored).filter((id) => id.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(log.filter((line) => line.startsWith('a'))).toEqual(
      ['a1', 'a2', 'a3'].flatMap((id) => [`${id} sent`, `${id} acknowledged`]),
    );
    expect(log.indexOf('b1 sent')).toBeLessThan(log.indexOf('a1 acknowledged'));
  });

  it('does not try the rest of a key after a failure, and leaves the other keys alone', async () => {
    const tried: string[] = [];
    const { publisher } = watched((_, memory) => ({
      append: (one) => {
        tried.push(one.id);
        return one.id === 'a2' ? refuse('no acknowledgement') : memory.append(one);
      },
    }));

    const { acknowledged, failed } = await publisher.publish(
      ['a1', 'b1', 'a2', 'b2', 'a3', 'a4'].map((id) => event(id, id.at(0))),
    );

    expect(new Set(idsOf(acknowledged))).toEqual(new Set(['a1', 'b1', 'b2']));
    expect(failed).toEqual([
      { id: 'a2', retryable: true, reason: 'no acknowledgement' },
      { id: 'a3', retryable: true, reason: 'a2 must go first' },
      { id: 'a4', retryable: true, reason: 'a2 must go first' },
    ]);
    expect(tried.filter((id) => id === 'a3' || id === 'a4')).toEqual([]);
  });

  it('tries what failed, in order, once more on a new connection, and nothing else', async () => {
    const tried: string[] = [];
    const { publisher, stored, connections } = watched((attempt, memory) => ({
      append: (one) => {
        tried.push(one.id);
        return attempt() === 1 && one.id === 'a2' ? refuse('connection lost') : memory.append(one);
      },
    }));

    const { acknowledged, failed } = await publisher.publish(
      ['a1', 'b1', 'a2', 'a3'].map((id) => event(id, id.at(0))),
    );

    expect([failed, connections.abandoned]).toEqual([[], 1]);
    expect(new Set(idsOf(acknowledged))).toEqual(new Set(['a1', 'b1', 'a2', 'a3']));
    expect(idsOf(stored).filter((id) => id.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(tried.toSorted()).toEqual(['a1', 'a2', 'a2', 'a3', 'b1']);
  });

  it('keeps the connection where nothing failed', async () => {
    const { publisher, connections } = watched();

    await publisher.publish([event('a')]);

    expect(connections.abandoned).toBe(0);
  });

  it('sends nothing where there is no connection, and says of each event why', async () => {
    const { publisher, stored } = watched(() => ({ ready: () => refuse('NATS cannot be connected') }));

    const answer = await publisher.publish([event('a', 'k'), event('b', 'k'), event('c')]);

    expect(answer).toEqual({
      acknowledged: [],
      failed: ['a', 'b', 'c'].map((id) => ({ id, retryable: true, reason: 'NATS cannot be connected' })),
    });
    expect(stored).toEqual([]);
  });

  it('publishes once NATS is there that was not there at the start (C2-2)', async () => {
    let up = false;
    const { publisher, stored } = watched(() => ({
      ready: () => (up ? Promise.resolve() : refuse('NATS cannot be connected')),
    }));
    await publisher.publish([event('a')]);

    up = true;
    const { failed } = await publisher.publish([event('a')]);

    expect([failed, idsOf(stored)]).toEqual([[], ['a']]);
  });

  it('does not let events without a key wait for each other', async () => {
    const { publisher } = watched((_, memory) => ({
      append: (one) => (one.id === 'b' ? refuse('too large') : memory.append(one)),
    }));

    const { acknowledged, failed } = await publisher.publish([event('a'), event('b'), event('c')]);

    expect([idsOf(acknowledged), idsOf(failed)]).toEqual([['a', 'c'], ['b']]);
  });

  it('publishes more than five hundred events, with no more than five hundred under way', async () => {
    let underWay = 0;
    let most = 0;
    const { publisher, stored } = watched((_, memory) => ({
      append: async (one) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await turn();
        underWay -= 1;
        return memory.append(one);
      },
    }));
    const events = Array.from({ length: 1_203 }, (_, n) =>
      event(`e${n}`, n % 2 ? `key${n % 700}` : undefined),
    );

    const { acknowledged, failed } = await publisher.publish(events);

    expect([acknowledged.length, failed, stored.length]).toEqual([1_203, [], 1_203]);
    expect(most).toBe(500);
  });

  it('lets what NATS can never take hold nobody up, and does not try it again', async () => {
    const { publisher, connections } = watched((_, memory) => ({
      append: (one) =>
        one.id === 'huge' ? Promise.reject(new UnreadableError('too large')) : memory.append(one),
    }));

    const { acknowledged, failed } = await publisher.publish([event('huge', 'i-1'), event('next', 'i-1')]);

    expect(idsOf(acknowledged)).toEqual(['next']);
    expect(failed).toEqual([{ id: 'huge', retryable: false, reason: 'too large' }]);
    expect(connections.abandoned).toBe(0);
  });
});
