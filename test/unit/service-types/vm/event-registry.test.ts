import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventPattern } from '../../../../local/emulators/event-bus/event-pattern.ts';
import { eventKindOf, eventPatternsOf } from '../../../../shared/service-types/events.ts';
import { vmEvents } from '../../../../shared/service-types/vm/events/registry.ts';
import { InstanceState } from '../../../../shared/service-types/vm/kind.ts';
import { type EventFixture, eventBridgeEvent } from '../../../fixtures/eventbridge.ts';

const fixtures: readonly EventFixture[] = [
  ...InstanceState.options.map((state) => `state-change-${state}` as const),
  'spot-interruption',
  'rebalance-recommendation',
  'tag-change',
  'tag-change-other-dcm-id',
  'health-scheduled-change',
];
const eventPatterns = eventPatternsOf('123456789012');
const matchers = eventPatterns.map(eventPattern);
const matching = (event: unknown) =>
  eventPatterns.filter((_, index) => matchers[index]?.(event)).map(({ source }) => source);

describe('the kinds of event', () => {
  it('have a sample each', () => {
    const files = readdirSync(new URL('../../../fixtures/eventbridge', import.meta.url));

    expect(files.toSorted()).toEqual(fixtures.map((name) => `${name}.json`).toSorted());
    expect(new Set(fixtures.map((name) => eventKindOf(eventBridgeEvent(name))))).toEqual(new Set(vmEvents));
  });

  it.each(fixtures)('let EventBridge send %s by exactly one pattern', (name) => {
    const event = eventBridgeEvent(name);

    expect(matching(event)).toEqual([[event.source]]);
  });

  it('do not differ only in what EventBridge cannot tell apart', () => {
    expect(new Set(vmEvents.map(({ source, detailType }) => `${source}/${detailType}`)).size).toBe(
      vmEvents.length,
    );
  });

  it.each([
    {
      what: 'tags of a volume',
      event: eventBridgeEvent('tag-change', { detail: { service: 'ec2', 'resource-type': 'volume' } }),
    },
    {
      what: 'tags of another service',
      event: eventBridgeEvent('tag-change', { detail: { service: 'rds', 'resource-type': 'instance' } }),
    },
    {
      what: 'the health of another service',
      event: eventBridgeEvent('health-scheduled-change', {
        detail: { service: 'RDS', eventTypeCategory: 'scheduledChange' },
      }),
    },
    {
      what: 'an EC2 issue that is nothing scheduled',
      event: eventBridgeEvent('health-scheduled-change', {
        detail: { service: 'EC2', eventTypeCategory: 'issue' },
      }),
    },
    {
      what: 'another event of EC2',
      event: eventBridgeEvent('spot-interruption', { 'detail-type': 'EBS Volume Notification' }),
    },
    {
      what: 'the same event of another account',
      event: eventBridgeEvent('state-change-running', { account: '999999999999' }),
    },
    {
      what: 'somebody else’s event of the same name',
      event: eventBridgeEvent('state-change-running', { source: 'acme.ec2' }),
    },
  ])('keep out $what', ({ event }) => {
    expect(matching(event)).toEqual([]);
  });

  it('stay below EventBridge’s limit of 2,048 characters a pattern', () => {
    for (const pattern of eventPatterns) expect(JSON.stringify(pattern).length).toBeLessThan(2048);
  });
});
