import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { UnavailableError, UnreadableError } from '../../../shared/core/errors.ts';
import type { EventStream } from '../../../shared/ports/event-stream.ts';
import { observed, resourceId, spotWarning, wholeLife } from '../../fixtures/resource-messages.ts';
import { statusOf } from '../../fixtures/statuses.ts';
import { awsAccount, vm } from './account.ts';

const other = 'i-0000000000000000a';
const down = () => Promise.reject(new UnavailableError('NATS cannot be connected'));

/** The nth change of a VM, each a minute after the one before. */
const changeAt = (n: number) => observed(wholeLife[n % 4] ?? 'pending', n * 60);

const withVms = async () => {
  const account = awsAccount();
  await account.resourceStore.claim(vm);
  await account.resourceStore.claim({ ...vm, resourceId: other, dcmId: 'vm-a' });
  const outbox = async (id = resourceId) => {
    const held = await account.held(id);
    return held?.owner === 'ours' ? held.vm.outbox.map(({ status }) => status) : undefined;
  };
  const refusing = (id: string): EventStream => ({
    ...account.stream,
    append: (event) => (event.partitionkey === id ? down() : account.stream.append(event)),
  });
  return { ...account, deliver: account.worker(), outbox, refusing };
};

describe('normaliser, telling statuses', () => {
  it('tells a batch in order, whatever order it came in', async () => {
    const { deliver, statuses, outbox } = await withVms();

    await deliver([
      observed('stopped', 90),
      observed('running', 9),
      observed('pending'),
      observed('stopping', 60),
    ]);

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING', 'STOPPING', 'STOPPED']);
    expect(await outbox()).toEqual([]);
  });

  it('leaves out what another state of the same second supersedes', async () => {
    const { deliver, statuses, meter } = await withVms();

    await deliver([observed('running'), observed('pending')]);

    expect(statuses()).toEqual(['RUNNING']);
    expect(meter.counts.collapsed).toBe(1);
  });

  it('leaves it out also where it comes in a later batch', async () => {
    const { deliver, statuses, meter } = await withVms();

    await deliver([observed('running')]);
    await deliver([observed('pending')]);

    expect(statuses()).toEqual(['RUNNING']);
    expect(meter.counts.stale).toBe(1);
  });

  it('tells a hundred times the same once (C57)', async () => {
    const { deliver, statuses, meter } = await withVms();

    for (let n = 0; n < 100; n++) await deliver([observed('running', n * 300, { seenBy: 'listing' })]);

    expect(statuses()).toEqual(['RUNNING']);
    expect(meter.counts).toMatchObject({ accepted: 1, unchanged: 99, published: 1 });
  });

  it('tells nothing again where hours of events are replayed', async () => {
    const { deliver, worker, statuses } = await withVms();
    const day = [
      observed('pending'),
      observed('running', 9),
      observed('stopping', 60),
      observed('stopped', 90),
    ];
    for (const resourceMessage of day) await deliver([resourceMessage]);

    const replayed = worker();
    for (const resourceMessage of day.toReversed()) await replayed([resourceMessage]);

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING', 'STOPPING', 'STOPPED']);
  });

  it('tells a state once, however many workers hear of it at once (C42)', async () => {
    const { worker, statuses } = await withVms();

    await Promise.all(
      Array.from({ length: 20 }, () => worker()([observed('pending'), observed('running', 9)])),
    );

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING']);
  });

  it.each([-600, 600])('does not depend on its own clock: %i s off (C37)', async (seconds) => {
    const { deliver, statuses, clock } = await withVms();
    clock.ms += (seconds - 3600) * 1000;

    await deliver([observed('pending')]);
    await deliver([observed('stopped', 5)]);

    expect(statuses()).toEqual(['PROVISIONING', 'STOPPED']);
  });
});

describe('normaliser, when something fails', () => {
  it('keeps what NATS did not take, and tells it in order once NATS is back (C54, C2-1)', async () => {
    const { worker, deliver, statuses, outbox, stream } = await withVms();
    const cut = worker({ publisher: publishEvents({ ...stream, ready: down }) });

    const first = await cut([observed('pending')]);
    const second = await cut([observed('running', 9)]);

    expect([first.get(0), second.get(0)]).toEqual(Array(2).fill(expect.stringContaining('NATS')));
    expect(await outbox()).toEqual(['PROVISIONING', 'RUNNING']);
    expect(statuses()).toEqual([]);

    await deliver([observed('running', 9)], 2);

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING']);
    expect(await outbox()).toEqual([]);
  });

  it('keeps everything where it cannot be known what the bridge published', async () => {
    const { worker, outbox } = await withVms();

    const delivering = worker({ publisher: { publish: down } })([observed('running')]);

    await expect(delivering).rejects.toThrow(UnavailableError);
    expect(await outbox()).toEqual(['RUNNING']);
  });

  it('keeps what the bridge does not mention', async () => {
    const { worker, outbox } = await withVms();
    const publisher = { publish: async () => ({ acknowledged: [], failed: [] }) };

    const failures = await worker({ publisher })([observed('running')]);

    expect(failures.get(0)).toContain('did not mention');
    expect(await outbox()).toEqual(['RUNNING']);
  });

  it('tells on a stale delivery what a crashed worker left, also after a restart (C2-17)', async () => {
    const { worker, resourceStore, statuses, outbox } = await withVms();
    const running = observed('running');
    await resourceStore.record(running, statusOf(running));

    const failures = await worker()([observed('pending')]);

    expect([failures.size, statuses(), await outbox()]).toEqual([0, ['RUNNING'], []]);
  });

  it('publishes a status under an id with a random part, the same at every attempt', async () => {
    const { worker, deliver, held, stream } = await withVms();
    const running = [observed('running'), observed('running', 0, { resourceId: other })];

    await worker({ publisher: publishEvents({ ...stream, ready: down }) })(running);
    const recorded = await Promise.all(
      [resourceId, other].map(async (id) => {
        const vmHeld = await held(id);
        return vmHeld?.owner === 'ours' ? vmHeld.vm.latest?.id : undefined;
      }),
    );
    await deliver(running, 2);

    const parts = recorded.map((id) => id?.split(':').at(2));
    expect(parts).toEqual([expect.stringMatching(/^[\w-]{16}$/), expect.stringMatching(/^[\w-]{16}$/)]);
    expect(parts[0]).not.toBe(parts[1]);
    expect(stream.stored.map(({ id }) => id)).toEqual(recorded);
  });

  describe('a status whose id another message of the stream has', () => {
    const taken: EventStream['append'] = async () => ({ stream: 'dcm-status', seq: 7, duplicate: true });

    it('counts and logs a status that the stream takes for a duplicate at the first attempt', async () => {
      const { worker, stream, meter, log } = await withVms();

      await worker({ publisher: publishEvents({ ...stream, append: taken }) })([observed('running')]);

      expect(meter.counts).toMatchObject({ duplicate: 1, duplicateAtFirstAttempt: 1 });
      expect(log.lines).toContain(
        'warn: JetStream took the first attempt to publish a status for a duplicate',
      );
    });

    it('is not counted where the attempt may be a repeated one', async () => {
      const { worker, stream, resourceStore, meter } = await withVms();
      const deliver = worker({ publisher: publishEvents({ ...stream, append: taken }) });
      let attempts = 0;
      const second: EventStream['append'] = async (event) => (attempts++ === 0 ? down() : taken(event));

      await deliver([observed('running')], 2);
      await worker({ publisher: publishEvents({ ...stream, append: second }) })([observed('stopping', 60)]);
      await resourceStore.record(observed('stopped', 90), statusOf(observed('stopped', 90)));
      await deliver([observed('stopped', 90)]);

      expect(meter.counts).toMatchObject({ duplicate: 3 });
      expect(meter.counts.duplicateAtFirstAttempt).toBeUndefined();
    });

    it('is not counted where another worker recorded more meanwhile, for it publishes the whole outbox', async () => {
      const { worker, resourceStore, stream, meter } = await withVms();
      const next = observed('stopping', 60);
      const append: EventStream['append'] = async (event) => {
        await resourceStore.record(next, statusOf(next));
        return taken(event);
      };

      await worker({ publisher: publishEvents({ ...stream, append }) })([observed('running')]);

      expect(meter.counts.duplicate).toBe(1);
      expect(meter.counts.duplicateAtFirstAttempt).toBeUndefined();
    });
  });

  it('repeats the same event, which the stream recognises, where only the settling failed', async () => {
    const { worker, resourceStore, deliver, stream, outbox, meter } = await withVms();

    const failures = await worker({ resourceStore: { ...resourceStore, settle: down } })([
      observed('running'),
    ]);
    await deliver([observed('running')], 2);

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect([stream.stored.length, await outbox()]).toEqual([1, []]);
    expect(meter.counts.duplicate).toBe(1);
  });

  describe('a status that the stream can never take', () => {
    const refusing = async () => {
      const account = await withVms();
      const { stream, worker } = account;
      const append: typeof stream.append = (event) =>
        JSON.stringify(event).includes('PROVISIONING')
          ? Promise.reject(new UnreadableError('message size exceeds maximum allowed'))
          : stream.append(event);
      return { ...account, deliver: worker({ publisher: publishEvents({ ...stream, append }) }) };
    };

    it('goes to the dead-letter queue with the reason, and does not hold up the VM’s later statuses', async () => {
      const { deliver, deadLetters, outbox, statuses, log, meter } = await refusing();

      const failures = [await deliver([observed('pending')]), await deliver([observed('running', 9)])];

      expect(failures.map(({ size }) => size)).toEqual([0, 0]);
      expect([statuses(), await outbox()]).toEqual([['RUNNING'], []]);
      expect(deadLetters).toEqual([
        [expect.stringContaining('"status":"PROVISIONING"'), 'message size exceeds maximum allowed'],
      ]);
      expect(log.lines).toContain('error: a status can never be published; it is in the dead-letter queue');
      expect(meter.counts).toMatchObject({ unpublished: 1, published: 1 });
    });

    it('is settled together with those that were published', async () => {
      const { deliver, deadLetters, outbox, statuses } = await refusing();

      const failures = await deliver([observed('pending'), observed('running', 9)]);

      expect([failures.size, statuses(), await outbox(), deadLetters.length]).toEqual([
        0,
        ['RUNNING'],
        [],
        1,
      ]);
    });

    it('stays in the outbox while the dead-letter queue does not take it', async () => {
      const { stream, worker, outbox } = await withVms();
      const publisher = publishEvents({
        ...stream,
        append: () => Promise.reject(new UnreadableError('too large')),
      });

      const failures = await worker({ publisher, retries: { deadLetter: down } })([observed('running')]);

      expect([failures.get(0), await outbox()]).toEqual(['too large', ['RUNNING']]);
    });
  });

  it('tells of the other VMs where the stream does not take one VM’s status', async () => {
    const { worker, refusing, statuses, outbox } = await withVms();
    const deliver = worker({ publisher: publishEvents(refusing(resourceId)) });

    const failures = await deliver([observed('running'), observed('running', 0, { resourceId: other })]);

    expect([...failures.keys()]).toEqual([0]);
    expect([await outbox(), statuses(other)]).toEqual([['RUNNING'], ['RUNNING']]);
  });

  it('tells of the other VMs where one VM cannot be recorded', async () => {
    const { worker, resourceStore, statuses } = await withVms();
    const record: typeof resourceStore.record = (observation, status) =>
      observation.resourceId === resourceId ? down() : resourceStore.record(observation, status);

    const failures = await worker({ resourceStore: { ...resourceStore, record } })([
      observed('running'),
      observed('running', 0, { resourceId: other }),
    ]);

    expect([...failures.keys()]).toEqual([0]);
    expect([statuses(), statuses(other)]).toEqual([[], ['RUNNING']]);
  });

  it('tells of the other VMs where what is remembered of one makes no sense (C33)', async () => {
    const { worker, resourceStore, statuses } = await withVms();
    const error = new UnreadableError(`the item of ${resourceId} makes no sense`);
    const read: typeof resourceStore.read = async (ids) =>
      new Map([...(await resourceStore.read(ids)), [resourceId, { owner: 'unreadable', error }]]);

    const failures = await worker({ resourceStore: { ...resourceStore, read } })([
      observed('running'),
      observed('running', 0, { resourceId: other }),
    ]);

    expect([...failures]).toEqual([[0, error]]);
    expect([statuses(), statuses(other)]).toEqual([[], ['RUNNING']]);
  });

  it('publishes a long outbox in portions, each settled before the next', async () => {
    const { worker, resourceStore, stream, outbox } = await withVms();
    for (const n of Array.from({ length: 120 }).keys())
      await resourceStore.record(changeAt(n), statusOf(changeAt(n)));
    const publisher = publishEvents(stream);
    const seen: unknown[] = [];
    const publish: typeof publisher.publish = async (events) => {
      seen.push([events.length, (await outbox())?.length]);
      return publisher.publish(events);
    };

    const failures = await worker({ publisher: { publish } })([changeAt(119)]);

    expect(seen).toEqual([
      [50, 120],
      [50, 70],
      [20, 20],
    ]);
    expect(failures.size).toBe(0);
    expect(stream.stored.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 120 }, (_, n) => statusOf(changeAt(n)).key),
    );
  });

  it('leaves what it has not the time to publish to the redelivered message', async () => {
    const { worker, resourceStore, stream, outbox, clock, deliver } = await withVms();
    for (const n of Array.from({ length: 160 }).keys())
      await resourceStore.record(changeAt(n), statusOf(changeAt(n)));
    const publisher = publishEvents(stream);
    const publish: typeof publisher.publish = (events) => {
      clock.ms += 3_000;
      return publisher.publish(events);
    };

    const failures = await worker({ publisher: { publish } })([changeAt(159)]);
    expect(failures.get(0)).toMatch('more statuses than could be published in the time');
    expect(await outbox()).toHaveLength(60);

    expect((await deliver([changeAt(159)], 2)).size).toBe(0);
    expect(await outbox()).toEqual([]);
  });

  it('supersedes the middle of an outbox of more than three hundred statuses before it records more, and counts it', async () => {
    const { deliver, resourceStore, stream, meter } = await withVms();
    for (const n of Array.from({ length: 301 }).keys())
      await resourceStore.record(changeAt(n), statusOf(changeAt(n)));

    await deliver([changeAt(301)]);

    expect(meter.counts.superseded).toBe(200);
    expect(stream.stored.map(({ sequence }) => sequence)).toEqual(
      [0, ...Array.from({ length: 101 }, (_, n) => 201 + n)].map((n) => statusOf(changeAt(n)).key),
    );
  });

  it('has a message come again that is about two VMs where one of them fails, and tells of the other once', async () => {
    const { worker, refusing, deliver, statuses } = await withVms();
    const both = [spotWarning(9), spotWarning(9, { resourceId: other })];
    await deliver([observed('running'), observed('running', 0, { resourceId: other })]);

    const failures = await worker({ publisher: publishEvents(refusing(resourceId)) })([both]);
    await deliver([both], 2);

    expect([...failures.keys()]).toEqual([0]);
    expect([statuses(), statuses(other)]).toEqual([
      ['RUNNING', 'RUNNING'],
      ['RUNNING', 'RUNNING'],
    ]);
  });

  it('establishes again whose an instance is that the fleet lost meanwhile', async () => {
    const { worker, resourceStore, outbox } = await withVms();
    const record: typeof resourceStore.record = async () => ({ outcome: 'unknown' });

    const failures = await worker({ resourceStore: { ...resourceStore, record } })([observed('running')]);

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect(await outbox()).toEqual([]);
  });

  it('rejects as a whole where the fleet cannot be read', async () => {
    const { worker, resourceStore } = await withVms();

    await expect(
      worker({ resourceStore: { ...resourceStore, read: down } })([observed('running')]),
    ).rejects.toThrow(UnavailableError);
  });
});
