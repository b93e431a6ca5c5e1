import * as z from 'zod';
import { Ec2Error, invalidValue } from './query-protocol.ts';

export const Filters = z
  .array(z.object({ Name: z.string(), Value: z.array(z.string()).default([]) }))
  .default([]);
export type Filters = z.infer<typeof Filters>;

/**
 * The filters that a Describe call supports, each with the values of an item that it compares. `tag:` stands for every filter `tag:KEY` and
 * receives the key.
 */
export type Fields<Item> = Readonly<Record<string, Field<Item>>>;
type Field<Item> = (item: Item, key: string) => readonly (string | undefined)[];

const maximumValues = 200;

export const applyFilters = <Item>(
  all: readonly Item[],
  filters: Filters,
  fields: Fields<Item>,
): readonly Item[] => all.filter(filterFor(filters, fields));

/**
 * A function that tells whether an item matches every filter, each by any of its values. `*` stands for any characters, `?` for one, and
 * `\` makes the next character literal; names and values are case-sensitive.
 * @throws Ec2Error
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 */
export const filterFor = <Item>(filters: Filters, fields: Fields<Item>): ((item: Item) => boolean) => {
  if (filters.flatMap(({ Value }) => Value).length > maximumValues) {
    throw new Ec2Error(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${maximumValues}`,
    );
  }
  const tests = filters.map(({ Name, Value }) => {
    const field = fieldOf(Name, fields);
    const matches = matching(Value);
    return (item: Item) => field(item).some((text) => text !== undefined && matches(text));
  });
  return (item) => tests.every((passes) => passes(item));
};

const fieldOf = <Item>(
  name: string,
  fields: Fields<Item>,
): ((item: Item) => readonly (string | undefined)[]) => {
  const key = /^tag:(.*)$/s.exec(name)?.[1];
  const known = key === undefined ? name : 'tag:';
  const field = Object.hasOwn(fields, known) ? fields[known] : undefined;
  if (field === undefined) throw invalidValue(`The filter '${name}' is invalid`);
  return (item) => field(item, key ?? '');
};

/** Looks literal values up in a set, because a call can have 200 of them for each of many instances. */
const matching = (values: readonly string[]): ((text: string) => boolean) => {
  const literals = new Set(values.filter(isLiteral));
  const patterns = values.filter((value) => !literals.has(value)).map(wildcard);
  return (text) => literals.has(text) || patterns.some((pattern) => pattern.test(text));
};

export const isLiteral = (value: string): boolean => !/[*?\\]/.test(value);

const wildcard = (pattern: string): RegExp => {
  const source = pattern.replace(/\\(.)|[*]|[?]|[.+^${}()|[\]\\/-]/gsu, (found, literal?: string) => {
    if (found === '*') return '[^]*';
    if (found === '?') return '[^]';
    return (literal ?? found).replace(/[^\w\s]/gu, '\\$&');
  });
  return new RegExp(`^${source}$`);
};
