import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { UnreadableError } from '../../../shared/core/errors.ts';
import { republicationRequestedEvent } from '../../../shared/wire/own-messages.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { eventBridgeEvent } from '../../fixtures/eventbridge.ts';
import { halfPastTen, identity, observed, resourceId } from '../../fixtures/resource-messages.ts';

const regions = ['us-east-1', 'eu-west-1'];

const reader = (nowSeconds = halfPastTen) => {
  const meter = countingMeter();
  const log = memoryLog();
  return {
    meter,
    log,
    read: readMessage({ ...identity, regions, now: () => nowSeconds * 1000, meter, log }),
  };
};
const running = eventBridgeEvent('state-change-running');

describe('reading a message', () => {
  it('gives what the event tells, without a word in the log', () => {
    const { read, meter, log } = reader();

    const resourceMessages = read(JSON.stringify(running));

    expect(resourceMessages).toEqual([observed('running', 0, { eventId: running.id })]);
    expect([meter.counts, log.lines]).toEqual([{}, []]);
  });

  it('does not depend on the order of the keys, nor on blanks (C40)', () => {
    const { read } = reader();
    const { detail, ...rest } = running;
    const reversed = Object.fromEntries(
      Object.entries({ ...rest, detail: { state: detail.state, 'instance-id': resourceId } }).toReversed(),
    );

    expect(read(JSON.stringify(reversed, null, 4))).toEqual([
      observed('running', 0, { eventId: running.id }),
    ]);
  });

  it('drops an event of another account, counts it and warns of it', () => {
    const { meter, log } = reader();
    const read = readMessage({
      ...identity,
      regions,
      account: running.account,
      now: () => halfPastTen * 1000,
      meter,
      log,
    });

    expect(read(JSON.stringify(running))).toEqual([observed('running', 0, { eventId: running.id })]);
    expect(read(JSON.stringify({ ...running, account: '999999999999' }))).toEqual([]);
    expect(meter.counts).toEqual({ foreignAccount: 1 });
    expect(log.lines).toEqual(['warn: dropped an event of another AWS account']);
  });

  it('does without the version', () => {
    const { version: _, ...withoutVersion } = running;

    expect(reader().read(JSON.stringify(withoutVersion))).toEqual([
      observed('running', 0, { eventId: running.id }),
    ]);
  });

  it.each([
    { what: 'nothing', body: '' },
    { what: 'no JSON', body: 'state=running' },
    { what: 'JSON that was cut off', body: JSON.stringify(running).slice(0, -1) },
    { what: 'null', body: 'null' },
    { what: 'a list', body: JSON.stringify([running]) },
    { what: 'an object that is no event', body: '{"Records":[]}' },
    { what: 'an event without a time', body: JSON.stringify({ ...running, time: undefined }) },
  ])('refuses $what, and says so', ({ body }) => {
    const { read } = reader();

    expect(() => read(body)).toThrow(UnreadableError);
    expect(() => read(body)).toThrow('is no EventBridge event');
  });

  it('refuses an event about what is no instance, and names the event', () => {
    const { read } = reader();
    const body = JSON.stringify({ ...running, detail: { 'instance-id': 'i-nonsense', state: 'running' } });

    expect(() => read(body)).toThrow(UnreadableError);
    expect(() => read(body)).toThrow(running.id);
    expect(() => read(body)).toThrow('expected an EC2 instance id');
  });

  it('drops an event of a kind that nobody handles, counts it and warns of it', () => {
    const { read, meter, log } = reader();

    const resourceMessages = read(JSON.stringify({ ...running, 'detail-type': 'EBS Volume Notification' }));

    expect(resourceMessages).toEqual([]);
    expect(meter.counts).toEqual({ unknownEvent: 1 });
    expect(log.lines).toEqual([expect.stringMatching(/^warn: dropped an event/)]);
  });

  it('takes a state that is not known as the nearest, counts it and warns of it (C19)', () => {
    const { read, meter, log } = reader();

    const resourceMessages = read(
      JSON.stringify({ ...running, detail: { 'instance-id': resourceId, state: 'rebooting' } }),
    );

    expect(resourceMessages).toEqual([
      observed('running', 0, { unrecognised: 'rebooting', eventId: running.id }),
    ]);
    expect(meter.counts).toEqual({ unknownState: 1 });
    expect(log.lines).toEqual([expect.stringMatching(/^warn: an unknown state was reported/)]);
  });

  it.each([
    { secondsAgo: 0, at: halfPastTen },
    { secondsAgo: -60, at: halfPastTen },
    { secondsAgo: -61, at: halfPastTen - 61 },
    { secondsAgo: 86_400, at: halfPastTen },
  ])('believes a time unless it is over a minute in the future: $secondsAgo s ago', ({ secondsAgo, at }) => {
    const { read } = reader(halfPastTen + secondsAgo);

    expect(read(JSON.stringify(running))).toMatchObject([{ at }]);
  });

  it.each(['state-change-running', 'spot-interruption', 'tag-change'] as const)(
    'drops at once, and counts, an event about a region that is not reported: %s',
    (name) => {
      const { read, meter } = reader();

      const resourceMessages = read(JSON.stringify(eventBridgeEvent(name, { region: 'sa-east-1' })));

      expect(resourceMessages).toEqual([]);
      expect(meter.counts).toEqual({ unreportedRegion: 1 });
    },
  );

  it('drops a health event about a region that is not reported, also where it comes to one that is', () => {
    const { read, meter } = reader();
    const { detail, ...event } = eventBridgeEvent('health-scheduled-change');
    const about = (eventRegion: string) => JSON.stringify({ ...event, detail: { ...detail, eventRegion } });

    expect(read(about('sa-east-1'))).toEqual([]);
    expect(meter.counts).toEqual({ unreportedRegion: 1 });
    expect(read(about('eu-west-1'))).toMatchObject([{ resourceId, region: 'eu-west-1' }]);
  });

  it('keeps our own messages about a region that is not reported any more', () => {
    const about = {
      'instance-id': resourceId,
      region: 'sa-east-1',
      account: '123456789012',
      at: halfPastTen,
    };

    expect(reader().read(JSON.stringify(republicationRequestedEvent(about)))).toMatchObject([
      { kind: 'status-wanted' },
    ]);
  });
});
