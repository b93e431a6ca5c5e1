import { describe, expect, it } from 'vitest';
import { EventBridgeEvent, secondOf } from '../../../shared/wire/eventbridge.ts';
import { eventBridgeEvent } from '../../fixtures/eventbridge.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

const event = eventBridgeEvent('state-change-running');

describe('EventBridge envelope', () => {
  it('may leave out the version, as EC2’s documentation does', () => {
    const { version, ...withoutVersion } = event;

    expect(version).toBe('0');
    expect(EventBridgeEvent.parse(withoutVersion)).toEqual(withoutVersion);
  });

  it('may leave out the resources', () => {
    expect(EventBridgeEvent.parse({ ...event, resources: undefined }).resources).toEqual([]);
  });

  it('drops the fields that nobody reads', () => {
    expect(EventBridgeEvent.parse({ ...event, 'replay-name': 'april' })).toEqual(event);
  });

  it.each(['id', 'detail-type', 'source', 'account', 'time', 'region', 'detail'])('needs %s', (field) => {
    expect(EventBridgeEvent.safeParse({ ...event, [field]: undefined }).success).toBe(false);
    expect(EventBridgeEvent.safeParse({ ...event, [field]: 7 }).success).toBe(false);
  });

  it.each(['yesterday', '', '2026-08-22', '2026-08-22T10:30:00', '2026-02-30T10:30:00Z'])(
    'has no time such as "%s"',
    (time) => {
      expect(EventBridgeEvent.safeParse({ ...event, time }).success).toBe(false);
    },
  );

  it.each(['2026-08-22T10:30:00Z', '2026-08-22T12:30:00+02:00', '2026-08-22T10:30:00.999Z'])(
    'tells the second of %s',
    (time) => {
      expect(secondOf(EventBridgeEvent.parse({ ...event, time }))).toBe(halfPastTen);
    },
  );
});
