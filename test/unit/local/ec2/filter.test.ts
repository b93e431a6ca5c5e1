import { describe, expect, it } from 'vitest';
import { applyFilters, type Fields } from '../../../../local/emulators/ec2/filter.ts';
import { Ec2Error } from '../../../../local/emulators/ec2/query-protocol.ts';

type Item = { readonly name: string; readonly colour?: string };
const fields: Fields<Item> = {
  name: ({ name }) => [name],
  colour: ({ colour }) => [colour],
  'tag:': ({ name, colour }, key) => (key === name ? [colour] : []),
};
const names = (items: readonly Item[], ...filters: { Name: string; Value: string[] }[]) =>
  applyFilters(items, filters, fields).map(({ name }) => name);

describe('EC2 simulator, filtering', () => {
  it.each([
    { pattern: 'web*', matches: ['web', 'web-1', 'web-22'] },
    { pattern: 'web-?', matches: ['web-1'] },
    { pattern: '*', matches: ['web', 'web-1', 'web-22', 'Web-1', 'w*b', 'a.b\\c'] },
    { pattern: 'w\\*b', matches: ['w*b'] },
    { pattern: 'a.b\\\\c', matches: ['a.b\\c'] },
    { pattern: 'a?b*', matches: ['a.b\\c'] },
    { pattern: 'web-', matches: [] },
    { pattern: 'web|db', matches: [] },
  ])('matches $pattern as EC2 does', ({ pattern, matches }) => {
    const items = ['web', 'web-1', 'web-22', 'Web-1', 'w*b', 'a.b\\c'].map((name) => ({ name }));

    expect(names(items, { Name: 'name', Value: [pattern] })).toEqual(matches);
  });

  it('matches every filter, by any of its values', () => {
    const items = [
      { name: 'a', colour: 'red' },
      { name: 'b', colour: 'red' },
      { name: 'c', colour: 'blue' },
    ];

    const found = names(items, { Name: 'name', Value: ['a', 'c'] }, { Name: 'colour', Value: ['red'] });

    expect(found).toEqual(['a']);
  });

  it('finds nothing where the value is absent', () => {
    expect(names([{ name: 'a' }], { Name: 'colour', Value: ['*'] })).toEqual([]);
  });

  it('takes all after tag: as the key', () => {
    const items = [{ name: 'a:b', colour: 'red' }];

    expect(names(items, { Name: 'tag:a:b', Value: ['red'] })).toEqual(['a:b']);
  });

  it.each(['size', 'constructor', 'tag'])('refuses the unknown filter %s', (name) => {
    const filtering = () => names([], { Name: name, Value: ['x'] });

    expect(filtering).toThrow(new Ec2Error('InvalidParameterValue', `The filter '${name}' is invalid`));
  });

  it('takes 200 values in all filters together, and no more', () => {
    const values = (count: number) => Array.from({ length: count }, String);
    const filtering = (more: number) =>
      names([], { Name: 'name', Value: values(150) }, { Name: 'colour', Value: values(more) });

    expect(filtering(50)).toEqual([]);
    expect(() => filtering(51)).toThrow('200');
  });
});
