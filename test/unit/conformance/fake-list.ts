import type { FakeKind } from './fake-kinds.ts';
import { problem } from './fake-problem.ts';

export type ListedVm = { readonly id: string; readonly status: string };

/**
 * A page of the resources, ordered by id; the token is the last id of the page before. DCM's container and cluster providers name the list
 * after the collection.
 */
export const listPage = (
  vms: readonly ListedVm[],
  query: Readonly<Record<string, string>>,
  { collection, listed, serviceType }: FakeKind,
): Response => {
  const size = query.max_page_size ?? '50';
  if (!/^\d+$/.test(size) || Number(size) < 1 || Number(size) > 100) return problem(400, 'no such page size');
  const after = afterOf(query.page_token);
  if (after === undefined) return problem(400, 'no such page token');
  const rest = vms.filter(({ id }) => id > after).sort((one, other) => (one.id < other.id ? -1 : 1));
  const results = rest
    .slice(0, Number(size))
    .map(({ id, status }) => ({ id, path: `${collection}/${id}`, status, ...listed }));
  const last = rest.length > results.length ? results.at(-1)?.id : undefined;
  const named = serviceType === 'vm' ? {} : { [collection]: results };
  return Response.json({ results, ...named, ...(last && { next_page_token: tokenOf(last) }) });
};

const tokenOf = (id: string): string => Buffer.from(`after ${id}`).toString('base64url');

const afterOf = (token: string | undefined): string | undefined => {
  if (token === undefined) return '';
  return /^after (.+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
};
