import { describe, expect, it } from 'vitest';
import { eventPattern } from '../../../local/emulators/event-bus/event-pattern.ts';
import { eventPatternsOf } from '../../../shared/service-types/events.ts';

const event = {
  source: 'aws.ec2',
  'detail-type': 'EC2 Instance State-change Notification',
  region: 'eu-west-1',
  resources: ['arn:aws:ec2:eu-west-1:123456789012:instance/i-1', 'arn:aws:ec2:::other'],
  detail: {
    state: 'stopped',
    count: 3,
    spot: false,
    reason: null,
    tags: { 'managed-by': 'DCM' },
    entities: [
      { kind: 'instance', id: 'i-1' },
      { kind: 'volume', id: 'v-1' },
    ],
  },
};

describe('event pattern', () => {
  it.each<[string, unknown]>([
    ['one of the values listed', { source: ['aws.ec2', 'aws.health'] }],
    ['every field', { source: ['aws.ec2'], region: ['eu-west-1'] }],
    ['a nested field', { detail: { tags: { 'managed-by': ['DCM'] } } }],
    ['any element of an array', { resources: ['arn:aws:ec2:::other'] }],
    ['one object of an array', { detail: { entities: { kind: ['volume'], id: ['v-1'] } } }],
    ['a number', { detail: { count: [3.0] } }],
    ['a boolean', { detail: { spot: [false] } }],
    ['null', { detail: { reason: [null] } }],
    ['a prefix', { source: [{ prefix: 'aws.' }] }],
    ['a value beside a prefix that does not match', { source: [{ prefix: 'com.' }, 'aws.ec2'] }],
    ['the prefix of any element of an array', { resources: [{ prefix: 'arn:aws:ec2:::' }] }],
  ])('matches %s', (_, pattern) => {
    expect(eventPattern(pattern)(event)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['another value', { source: ['aws.health'] }],
    ['one field that differs', { source: ['aws.ec2'], region: ['us-east-1'] }],
    ['a field that is absent', { owner: ['me'] }],
    ['a value in another case', { detail: { tags: { 'managed-by': ['dcm'] } } }],
    ['a text that looks like the number', { detail: { count: ['3'] } }],
    ['two objects of an array together', { detail: { entities: { kind: ['volume'], id: ['i-1'] } } }],
    ['a nested pattern for a plain value', { source: { name: ['ec2'] } }],
    ['another prefix', { source: [{ prefix: 'ec2' }] }],
    ['a prefix in another case', { source: [{ prefix: 'AWS.' }] }],
    ['a prefix of a number', { detail: { count: [{ prefix: '3' }] } }],
  ])('does not match %s', (_, pattern) => {
    expect(eventPattern(pattern)(event)).toBe(false);
  });

  it.each<[string, unknown]>([
    ['no object', ['aws.ec2']],
    ['a value without a list', { source: 'aws.ec2' }],
    ['an empty list', { source: [] }],
    ['an operator, which no rule of ours uses', { source: [{ suffix: '.ec2' }] }],
    ['a prefix that is no text', { source: [{ prefix: 3 }] }],
    ['alternatives, which no rule of ours uses', { $or: [{ source: ['aws.ec2'] }, { source: ['aws.tag'] }] }],
  ])('refuses %s', (_, pattern) => {
    expect(() => eventPattern(pattern)).toThrow();
  });

  it('reads the patterns that the rules are deployed with', () => {
    const account = '123456789012';
    const matching = eventPatternsOf(account).filter((pattern) =>
      eventPattern(pattern)({ ...event, account }),
    );

    expect(matching).toHaveLength(1);
  });
});
