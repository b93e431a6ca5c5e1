import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { Ec2Error, Integer, invalidValue } from './query-protocol.ts';

/** How a Describe is asked for one page of its answer. */
export const Paging = z.object({ MaxResults: Integer.optional(), NextToken: z.string().optional() });
export type Paging = z.infer<typeof Paging>;

const minimumPageSize = 5;
const maximumPageSize = 1000;

/**
 * One page of items that are sorted by their place: an item that goes or comes between two pages moves no other over the edge.
 * Everything, where neither a page size nor a token is given.
 */
export const pageOf = <Item>(
  sorted: readonly Item[],
  paging: Paging,
  positionOf: (item: Item) => string,
): Page<Item> =>
  pageFrom({ itemsAfter: (place) => sorted.filter((item) => positionOf(item) > place), positionOf }, paging);

type Page<Item> = { readonly page: readonly Item[]; readonly nextToken: string | undefined };

/** Where the items of a page come from. */
type Source<Item> = {
  /** Those behind a place; behind '' are all. */
  readonly itemsAfter: (place: string) => Iterable<Item>;
  readonly positionOf: (item: Item) => string;
  /** How many are shown of a page of so many items; the rest is left to the next page. */
  readonly shorten?: ((length: number) => number) | undefined;
};

/** The same, of items that are read only as far as the page needs. */
export const pageFrom = <Item>(
  { itemsAfter, positionOf, shorten }: Source<Item>,
  { MaxResults, NextToken }: Paging,
): Page<Item> => {
  const size = pageSize(MaxResults, NextToken);
  const start = NextToken === undefined ? '' : positionIn(NextToken);
  const ahead = firstOf(size + 1, itemsAfter(start));
  const full = ahead.slice(0, size);
  const isShortened = shorten !== undefined && size < Number.POSITIVE_INFINITY;
  const page = isShortened ? full.slice(0, shorten(full.length)) : full;
  const last = page.at(-1);
  const goesOn = isShortened ? full.length > 0 : full.length < ahead.length;
  return { page, nextToken: goesOn ? tokenFor(last === undefined ? start : positionOf(last)) : undefined };
};

const firstOf = <Item>(count: number, items: Iterable<Item>): readonly Item[] => {
  const first: Item[] = [];
  for (const item of items) {
    first.push(item);
    if (first.length === count) break;
  }
  return first;
};

const pageSize = (asked: number | undefined, token: string | undefined): number => {
  if (asked === undefined) return token === undefined ? Number.POSITIVE_INFINITY : maximumPageSize;
  const refusal = `Value ( ${asked} ) for parameter maxResults is invalid. Expecting a value`;
  if (asked < minimumPageSize) throw invalidValue(`${refusal} greater than ${minimumPageSize}.`);
  if (asked > maximumPageSize) throw invalidValue(`${refusal} smaller than or equal to ${maximumPageSize}.`);
  return asked;
};

const tokenPrefix = 'after ';

/** As with EC2, no two tokens are the same: an empty page is not where its caller has been before. */
const tokenFor = (place: string): string =>
  Buffer.from(`${tokenPrefix}${place}\0${randomUUID()}`).toString('base64url');

const positionIn = (token: string): string => {
  const text = Buffer.from(token, 'base64url').toString();
  const [place = ''] = text.slice(tokenPrefix.length).split('\0');
  if (text.startsWith(tokenPrefix)) return place;
  throw new Ec2Error('InvalidNextToken', 'The specified NextToken is not valid.');
};
