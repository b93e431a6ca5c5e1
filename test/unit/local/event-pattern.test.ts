import { describe, expect, it } from 'vitest';
import { eventPattern } from '../../../local/emulators/event-bus/event-pattern.ts';
import { eventPatternsOf } from '../../../shared/service-types/vm/events/registry.ts';

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
    path: 'a/b*c\\d.png',
    none: [],
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
    ['a prefix', { region: [{ prefix: 'eu-' }] }],
    ['a prefix in any case', { region: [{ prefix: { 'equals-ignore-case': 'EU-' } }] }],
    ['a suffix', { detail: { path: [{ suffix: '.png' }] } }],
    ['a suffix in any case', { detail: { path: [{ suffix: { 'equals-ignore-case': '.PNG' } }] } }],
    ['a text in any case', { detail: { tags: { 'managed-by': [{ 'equals-ignore-case': 'dcm' }] } } }],
    ['a wildcard', { resources: [{ wildcard: 'arn:*:instance/*' }] }],
    ['a wildcard and the characters * and \\', { detail: { path: [{ wildcard: 'a*b\\*c\\\\d.*' }] } }],
    ['anything but a value', { detail: { state: [{ 'anything-but': 'running' }] } }],
    ['anything but several values', { detail: { count: [{ 'anything-but': [1, 2] }] } }],
    ['anything but a prefix', { region: [{ 'anything-but': { prefix: 'us-' } }] }],
    ['anything but a suffix', { region: [{ 'anything-but': { suffix: ['-2', '-3'] } }] }],
    [
      'anything but a text in any case',
      { region: [{ 'anything-but': { 'equals-ignore-case': 'US-EAST-1' } }] },
    ],
    ['anything but a wildcard', { region: [{ 'anything-but': { wildcard: '*-east-*' } }] }],
    ['a number that equals', { detail: { count: [{ numeric: ['=', 3] }] } }],
    ['a number above', { detail: { count: [{ numeric: ['>', 2.5] }] } }],
    ['a number within', { detail: { count: [{ numeric: ['>', 0, '<=', 3] }] } }],
    ['a field that exists', { detail: { reason: [{ exists: true }] } }],
    ['a field that does not exist', { detail: { owner: [{ exists: false }] } }],
    ['an empty array, which is no value', { detail: { none: [{ exists: false }] } }],
    ['an object, which is no value', { detail: { tags: [{ exists: false }] } }],
    ['either of two fields', { $or: [{ source: ['aws.health'] }, { region: ['eu-west-1'] }] }],
    [
      'a field, and either of two others',
      { source: ['aws.ec2'], $or: [{ detail: { count: [3] } }, { a: [1] }] },
    ],
    [
      'either of two nested fields',
      { detail: { $or: [{ state: ['running'] }, { count: [{ numeric: ['<', 9] }] }] } },
    ],
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
    ['another prefix', { region: [{ prefix: 'us-' }] }],
    ['a prefix of a number', { detail: { count: [{ prefix: '3' }] } }],
    ['another suffix', { region: [{ suffix: '-2' }] }],
    ['half a wildcard', { source: [{ wildcard: '*.e' }] }],
    ['a wildcard whose dot is a dot', { source: [{ wildcard: 'awsxec*' }] }],
    ['a star that is no wildcard', { source: [{ wildcard: 'aws\\*' }] }],
    ['the one value that is excluded', { detail: { state: [{ 'anything-but': ['stopped', 'running'] }] } }],
    ['an excluded prefix', { region: [{ 'anything-but': { prefix: 'eu-' } }] }],
    ['an absent field by anything-but', { owner: [{ 'anything-but': 'me' }] }],
    ['a number outside', { detail: { count: [{ numeric: ['>', 3, '<', 10] }] } }],
    ['a text by numeric', { region: [{ numeric: ['>=', 0] }] }],
    ['an absent field by exists', { owner: [{ exists: true }] }],
    ['a present field by exists: false', { source: [{ exists: false }] }],
    ['neither of two fields', { $or: [{ source: ['aws.health'] }, { region: ['us-east-1'] }] }],
    ['a nested pattern for a plain value', { source: { name: ['ec2'] } }],
  ])('does not match %s', (_, pattern) => {
    expect(eventPattern(pattern)(event)).toBe(false);
  });

  it.each<[string, unknown]>([
    ['no object', ['aws.ec2']],
    ['a value without a list', { source: 'aws.ec2' }],
    ['an empty list', { source: [] }],
    ['an unknown operator', { source: [{ contains: 'ec2' }] }],
    ['two operators in one', { source: [{ prefix: 'a', suffix: 'b' }] }],
    ['a numeric without a number', { detail: { count: [{ numeric: ['>'] }] } }],
    ['a numeric range upside down', { detail: { count: [{ numeric: ['<', 3, '>', 1] }] } }],
    ['two stars in a row', { source: [{ wildcard: 'a**' }] }],
    ['an escape of nothing special', { source: [{ wildcard: 'a\\b' }] }],
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
