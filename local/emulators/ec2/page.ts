import * as z from 'zod';
import { positionIn, tokenFor } from '../page-token.ts';
import { Ec2Error, Integer, invalidValue } from './query-protocol.ts';

/** The paging parameters of a Describe call. */
export const Paging = z.object({ MaxResults: Integer.optional(), NextToken: z.string().optional() });
export type Paging = z.infer<typeof Paging>;

const minimumPageSize = 5;
const maximumPageSize = 1000;

/**
 * One page of items that are sorted by position, or all items where neither a page size nor a token is given. Because a token names a
 * position, items that are added or removed between two pages do not move other items to another page.
 */
export const pageOf = <Item>(
  sorted: readonly Item[],
  paging: Paging,
  positionOf: (item: Item) => string,
): Page<Item> =>
  pageFrom(
    { itemsAfter: (position) => sorted.filter((item) => positionOf(item) > position), positionOf },
    paging,
  );

type Page<Item> = { readonly page: readonly Item[]; readonly nextToken: string | undefined };

/** The source of the items of a page. */
type Source<Item> = {
  /** The items after a position; after '' come all. */
  readonly itemsAfter: (position: string) => Iterable<Item>;
  readonly positionOf: (item: Item) => string;
  /** How many items to show of a page of this length; the others come on the next page. */
  readonly shorten?: ((length: number) => number) | undefined;
};

/** The same, reading only as many items as the page needs. */
export const pageFrom = <Item>(
  { itemsAfter, positionOf, shorten }: Source<Item>,
  { MaxResults, NextToken }: Paging,
): Page<Item> => {
  const size = pageSize(MaxResults, NextToken);
  const start = NextToken === undefined ? '' : startOf(NextToken);
  const ahead = firstOf(size + 1, itemsAfter(start));
  const full = ahead.slice(0, size);
  const isShortened = shorten !== undefined && size < Number.POSITIVE_INFINITY;
  const page = isShortened ? full.slice(0, shorten(full.length)) : full;
  const last = page.at(-1);
  const hasMore = isShortened ? full.length > 0 : full.length < ahead.length;
  return { page, nextToken: hasMore ? tokenFor(last === undefined ? start : positionOf(last)) : undefined };
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

const startOf = (token: string): string => {
  const position = positionIn(token);
  if (position !== undefined) return position;
  throw new Ec2Error('InvalidNextToken', 'The specified NextToken is not valid.');
};
