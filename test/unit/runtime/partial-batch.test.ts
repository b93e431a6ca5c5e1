import type { SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { UnavailableError, UnreadableError } from '../../../shared/core/errors.ts';
import type { Retries } from '../../../shared/ports/retries.ts';
import { partialBatch } from '../../../shared/runtime/partial-batch.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';

type Handle = Parameters<typeof partialBatch<string>>[0]['handle'];

/** A record whose body is also its message id. */
const record = (body: string, receiveCount = 1): SQSRecord => ({
  messageId: body,
  receiptHandle: `receipt of ${body}`,
  body,
  attributes: {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: '0',
    SenderId: 'events',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:observations',
  awsRegion: 'us-east-1',
});

const read = (body: string) => {
  if (body.startsWith('garbage')) throw new UnreadableError(`${body} is no event`);
  return [`signal of ${body}`];
};

const setup = (more: { handle?: Handle; retries?: Partial<Retries> } = {}) => {
  const handled: unknown[] = [];
  const postponed: [string, number][] = [];
  const deadLettered: [string, string][] = [];
  const retries: Retries = {
    postpone: async (receiptHandle, seconds) => void postponed.push([receiptHandle, seconds]),
    deadLetter: async (body, reason) => void deadLettered.push([body, reason]),
    ...more.retries,
  };
  const handle: Handle = async (messages) => {
    handled.push(...messages);
    return (await more.handle?.(messages)) ?? new Map();
  };
  const meter = countingMeter();
  const log = memoryLog();
  const batch = partialBatch({ read, handle, retries, log, meter });
  const receive = async (...Records: SQSRecord[]) => {
    const { batchItemFailures } = await batch({ Records });
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  return { receive, handled, postponed, deadLettered, meter, log };
};

const lost = () => Promise.reject(new UnavailableError('SQS did not answer'));
const failing =
  (...ids: string[]): Handle =>
  async () =>
    new Map(ids.map((id) => [id, new UnavailableError('throttled')]));

describe('partial batch', () => {
  it('is done with what is handled', async () => {
    const { receive, handled, postponed, meter, log } = setup();

    const failures = await receive(record('a'), record('b', 3));

    expect(failures).toEqual([]);
    expect(handled).toEqual([
      { messageId: 'a', isRetry: false, resourceMessages: ['signal of a'] },
      { messageId: 'b', isRetry: true, resourceMessages: ['signal of b'] },
    ]);
    expect([postponed, meter.counts, log.lines]).toEqual([[], { received: 2 }, []]);
  });

  it('buries at once what cannot be read, with the reason, and handles the others', async () => {
    const { receive, handled, postponed, deadLettered, meter, log } = setup();

    const failures = await receive(record('garbage'), record('a'));

    expect([failures, postponed]).toEqual([[], []]);
    expect(deadLettered).toEqual([['garbage', 'garbage is no event']]);
    expect(handled).toMatchObject([{ messageId: 'a' }]);
    expect(meter.counts).toEqual({ received: 2, unreadable: 1 });
    expect(log.lines).toEqual([expect.stringMatching(/^error: a message cannot be read/)]);
  });

  it('handles nothing where nothing can be read', async () => {
    const { receive, handled, deadLettered } = setup({ handle: lost });

    const failures = await receive(record('garbage 1'), record('garbage 2'));

    expect([failures, handled, deadLettered.length]).toEqual([[], [], 2]);
  });

  it('has a message come again that could not be buried', async () => {
    const { receive, postponed } = setup({ retries: { deadLetter: lost } });

    const failures = await receive(record('garbage'), record('a'));

    expect(failures).toEqual(['garbage']);
    expect(postponed).toEqual([['receipt of garbage', 1]]);
  });

  it('has only those come again that are not done', async () => {
    const { receive, postponed, log } = setup({ handle: failing('b') });

    const failures = await receive(record('a'), record('b'), record('c'));

    expect(failures).toEqual(['b']);
    expect(postponed).toEqual([['receipt of b', 1]]);
    expect(log.lines).toEqual([expect.stringMatching(/^warn: a message is not done/)]);
  });

  it('has a message come again that a mistake of ours kept from being done, as an error in the log', async () => {
    const { receive, postponed, deadLettered, log } = setup({
      handle: () => Promise.reject(new TypeError('x is not a function')),
    });

    expect(await receive(record('a'))).toEqual(['a']);
    expect([postponed, deadLettered]).toEqual([[['receipt of a', 1]], []]);
    expect(log.lines).toEqual([expect.stringMatching(/^error: a message is not done/)]);
  });

  it('has all of them come again where handling throws, but for those that cannot be read', async () => {
    const { receive, postponed, deadLettered } = setup({ handle: lost });

    const failures = await receive(record('a'), record('garbage'), record('b'));

    expect(failures).toEqual(['a', 'b']);
    expect(postponed).toHaveLength(2);
    expect(deadLettered).toHaveLength(1);
  });

  it('waits longer each time, and never longer than a minute', async () => {
    const { receive, postponed } = setup({ handle: lost });

    await receive(...[1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((count) => record(String(count), count)));

    expect(postponed.map(([, seconds]) => seconds)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('has a message come again also where it could not be postponed', async () => {
    const { receive, log } = setup({ handle: failing('a', 'b'), retries: { postpone: lost } });

    const failures = await receive(record('a'), record('b'));

    expect(failures).toEqual(['a', 'b']);
    expect(log.lines).toContain(
      'warn: a message could not be postponed; it comes again after its visibility timeout',
    );
  });

  it('does not hide a mistake of ours: what fails otherwise than unreadable, fails the batch', async () => {
    const batch = partialBatch({
      read: () => {
        throw new TypeError('x is not a function');
      },
      handle: async () => new Map(),
      retries: { postpone: lost, deadLetter: lost },
      log: memoryLog(),
      meter: countingMeter(),
    });

    await expect(batch({ Records: [record('a')] })).rejects.toThrow(TypeError);
  });
});
