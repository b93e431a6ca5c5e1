import { describe, expect, it } from 'vitest';
import { eventKindOf, eventPatternsOf } from '../../../shared/service-types/events.ts';
import { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import {
  checkRequestedEvent,
  instanceNoticedEvent,
  instanceObservedEvent,
  republicationRequestedEvent,
  statusSettledEvent,
} from '../../../shared/wire/own-messages.ts';
import { halfPastTen, identity, ourTags, resourceId } from '../../fixtures/resource-messages.ts';

const about = { 'instance-id': resourceId, region: 'us-east-1', account: '123456789012', at: halfPastTen };
const from = { resourceId, region: 'us-east-1', account: '123456789012', at: halfPastTen };
const key = '17873946002';

const kinds = [
  {
    event: instanceObservedEvent({ ...about, state: 'running', publicAddress: '203.0.113.7', tags: ourTags }),
    signals: [
      { kind: 'tag-change', ...from, tags: ourTags },
      { kind: 'observation', ...from, state: 'running', seenBy: 'listing', publicAddress: '203.0.113.7' },
    ],
  },
  {
    event: instanceObservedEvent({
      ...about,
      state: 'stopped',
      'state-reason': { code: 'Server.ScheduledStop' },
    }),
    signals: [
      {
        kind: 'observation',
        ...from,
        state: 'stopped',
        seenBy: 'listing',
        reason: { code: 'Server.ScheduledStop' },
      },
    ],
  },
  {
    event: instanceObservedEvent({ ...about, state: 'stopping', 'request-id': 'r-1' }),
    signals: [{ kind: 'observation', ...from, state: 'stopping', seenBy: 'api', requestId: 'r-1' }],
  },
  {
    event: instanceNoticedEvent({ ...about, notice: 'stuck-launch', text: 'stuck' }),
    signals: [{ kind: 'notice', ...from, notice: 'stuck-launch', text: 'stuck' }],
  },
  { event: republicationRequestedEvent(about), signals: [{ kind: 'status-wanted', ...from }] },
  { event: statusSettledEvent({ ...about, key }), signals: [{ kind: 'status-settled', ...from, key }] },
  {
    event: checkRequestedEvent({ ...about, key, turn: 2 }),
    signals: [{ kind: 'check-wanted', ...from, key, attempt: 2 }],
  },
];

describe('an event of our own', () => {
  it.each(kinds)('tells the normaliser what it was made of: $event.detail-type', ({ event, signals }) => {
    const received = EventBridgeEvent.parse(JSON.parse(JSON.stringify(event)));

    expect(eventKindOf(received)?.toMessages(received, identity)).toEqual(signals);
  });

  it.each(kinds)('is let through by no rule: $event.detail-type', ({ event }) => {
    expect(eventPatternsOf('123456789012').flatMap(({ source }) => source)).not.toContain(event.source);
  });

  it('has an id of its own for each kind, instance and second', () => {
    const ids = kinds.map(({ event }) => `${event['detail-type']} ${event.id}`);

    expect(new Set(ids.map((id) => id.split(' ').at(-1))).size).toBe(5);
    expect(ids[0]).toContain(`${resourceId}:${halfPastTen}:`);
  });

  it.each([
    ['no instance id', statusSettledEvent({ ...about, 'instance-id': 'vol-1', key })],
    ['no turn', checkRequestedEvent({ ...about, key, turn: 1.5 })],
  ])('is refused with %s', (_, event) => {
    expect(() => eventKindOf(event)?.toMessages(event, identity)).toThrow();
  });
});
