import * as z from 'zod';
import { must } from '../outcome.ts';
import type { Answer, Provider } from '../provider.ts';

const Resources = z.array(z.looseObject({ id: z.string() }));
const Page = z.looseObject({ results: Resources.optional(), next_page_token: z.string().nullish() });

type Page = { readonly ids: readonly string[]; readonly nextToken: string };

/** A list with more pages than this does not end. */
const mostPages = 1_000;

/**
 * Reads a page of a list. AEP-132 calls its resources `results`; DCM's own container and cluster providers use the collection's name, here
 * `collection`. @throws NotConforming where the answer is no page, or gives both and they differ.
 */
const pageOf = ({ status, json, text }: Answer, collection: string): Page => {
  must(status === 200, `the list was answered ${status}: ${text.slice(0, 200)}`);
  const page = Page.safeParse(json).data;
  const own = Resources.safeParse(page?.[collection]).data;
  const resources = page?.results ?? own;
  must(
    resources !== undefined,
    `a page must be {"results": […], "next_page_token"?}, or have "${collection}" for "results": ${text.slice(0, 100)}`,
  );
  const ids = resources.map(({ id }) => id);
  must(
    own === undefined || own.map(({ id }) => id).join() === ids.join(),
    `"results" and "${collection}" list different resources: ${text.slice(0, 200)}`,
  );
  return { ids, nextToken: page?.next_page_token ?? '' };
};

/** The ids on each page of a list. */
export async function* pages(provider: Provider, size: number): AsyncGenerator<readonly string[]> {
  const collection = provider.collection.pathname.split('/').at(-1) ?? '';
  let token = '';
  for (let count = 0; count < mostPages; count += 1) {
    const path = `?max_page_size=${size}${token && `&page_token=${encodeURIComponent(token)}`}`;
    const { ids, nextToken } = pageOf(await provider.call('GET', { path }), collection);
    yield ids;
    token = nextToken;
    if (token === '') return;
  }
  must(false, `the list does not end within ${mostPages} pages`);
}

/** The ids on all pages of a list. */
export const allIds = async (provider: Provider, size = 100): Promise<string[]> => {
  const ids: string[] = [];
  for await (const page of pages(provider, size)) ids.push(...page);
  return ids;
};
