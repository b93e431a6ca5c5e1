import * as z from 'zod';
import { JsonApiError } from '../json-api.ts';
import { positionIn, tokenFor } from '../page-token.ts';
import { ecsLimits } from './limits.ts';

/** The paging parameters of a List operation. */
export const ListPage = z.object({
  maxResults: z.int().min(1).max(ecsLimits.pageSize).default(ecsLimits.pageSize),
  nextToken: z.string().optional(),
});

/**
 * One page of items that are sorted by position. Because a token names a position, items that are added or removed between two pages do not
 * move others to another page.
 */
export const pageOf = <Item>(
  sorted: readonly Item[],
  { maxResults, nextToken }: z.infer<typeof ListPage>,
  positionOf: (item: Item) => string,
): { readonly page: readonly Item[]; readonly nextToken: string | undefined } => {
  const start = nextToken === undefined ? '' : positionOfToken(nextToken);
  const ahead = sorted.filter((item) => positionOf(item) > start);
  const page = ahead.slice(0, maxResults);
  const last = page.at(-1);
  const hasMore = last !== undefined && page.length < ahead.length;
  return { page, nextToken: hasMore ? tokenFor(positionOf(last)) : undefined };
};

const positionOfToken = (token: string): string => {
  const position = positionIn(token);
  if (position !== undefined) return position;
  throw new JsonApiError('InvalidParameterException', 'Invalid token.');
};
