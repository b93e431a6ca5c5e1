import * as z from 'zod';
import { must } from '../outcome.ts';
import type { Answer, Provider } from '../provider.ts';

const Page = z.looseObject({
  results: z.array(z.looseObject({ id: z.string() })),
  next_page_token: z.string().nullish(),
});

/** More pages than this are a provider that does not end. */
const mostPages = 1_000;

/** @throws NotConforming where the answer is not a page of a list. */
export const pageOf = ({ status, json, text }: Answer): z.infer<typeof Page> => {
  must(status === 200, `the list was answered ${status}: ${text.slice(0, 200)}`);
  const page = Page.safeParse(json);
  must(page.success, `a page must be {"results": […], "next_page_token"?}: ${text.slice(0, 100)}`);
  return page.data;
};

/** The ids that each page of a list shows. */
export async function* pages(provider: Provider, size: number): AsyncGenerator<readonly string[]> {
  let token = '';
  for (let count = 0; count < mostPages; count += 1) {
    const path = `?max_page_size=${size}${token && `&page_token=${encodeURIComponent(token)}`}`;
    const { results, next_page_token } = pageOf(await provider.call('GET', { path }));
    yield results.map(({ id }) => id);
    token = next_page_token ?? '';
    if (token === '') return;
  }
  must(false, `the list does not end within ${mostPages} pages`);
}

/** The ids that a list shows on all its pages. */
export const allIds = async (provider: Provider, size = 100): Promise<string[]> => {
  const ids: string[] = [];
  for await (const page of pages(provider, size)) ids.push(...page);
  return ids;
};
