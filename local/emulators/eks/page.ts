import * as z from 'zod';
import { positionIn, tokenFor } from '../page-token.ts';
import { invalidParameter } from './rest-json.ts';

/** The paging parameters of a list action. */
export const Paging = z.object({
  maxResults: z.coerce.number().int().min(1).max(100).default(100),
  nextToken: z.string().optional(),
});

/** One page of items, sorted by name. */
export const page = <Item>(
  all: Iterable<Item>,
  { maxResults, nextToken }: z.infer<typeof Paging>,
  nameOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly nextToken: string | undefined } => {
  const start = nextToken === undefined ? '' : positionIn(nextToken);
  if (start === undefined) throw invalidParameter('The nextToken is not valid.');
  const ahead = [...all]
    .filter((item) => nameOf(item) > start)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const items = ahead.slice(0, maxResults);
  const last = items.at(-1);
  const hasMore = last !== undefined && items.length < ahead.length;
  return { items, nextToken: hasMore ? tokenFor(nameOf(last)) : undefined };
};
