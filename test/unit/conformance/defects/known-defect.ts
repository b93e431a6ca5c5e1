import type { Defect } from '../defect.ts';

/** A defect, and what the check that finds it says. */
export type KnownDefect = { readonly what: string; readonly because: RegExp; readonly defect: Defect };

type Rewrite = (response: Response, request: Request) => Promise<Response> | Response;

export const isHealth = (request: Request) => new URL(request.url).pathname.endsWith('/health');
export const isList = (request: Request) =>
  request.method === 'GET' && new URL(request.url).pathname.endsWith('/vms');
export const isOne = (request: Request) => request.method === 'GET' && !isList(request) && !isHealth(request);
export const isCreate = (request: Request) => request.method === 'POST';
export const isDelete = (request: Request) => request.method === 'DELETE';

export const rewriting =
  (isMeant: (request: Request) => boolean, rewrite: Rewrite): NonNullable<Defect['answer']> =>
  async (request, next) => {
    const response = await next(request);
    return isMeant(request) ? rewrite(response, request) : response;
  };

/** Answers with other JSON, or another status or type. */
export const json =
  (change: (body: Record<string, unknown>) => unknown, status?: number): Rewrite =>
  async (response) => {
    if (!response.ok) return response;
    const body: Record<string, unknown> = Object(await response.json());
    return Response.json(change(body), { status: status ?? response.status });
  };

export const refusals = (
  change: (response: Response) => Promise<Response> | Response,
  status = 400,
): Defect => ({
  answer: rewriting(
    () => true,
    (response) => (response.status === status ? change(response) : response),
  ),
});

export const asPlainText = (response: Response) => new Response('no', { status: response.status });

/** Found by the checks that count the created resources in the list. */
export const listsNone: KnownDefect = {
  what: 'lists none of them',
  because: /0 times/,
  defect: {
    answer: rewriting(
      isList,
      json(() => ({ results: [] })),
    ),
  },
};

export type KnownDefects = Readonly<Record<string, readonly KnownDefect[]>>;
