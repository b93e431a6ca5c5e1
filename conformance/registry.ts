export type Registration = {
  readonly method: string;
  readonly path: string;
  readonly id: string | undefined;
  readonly contentType: string;
  /** What was sent as Authorization. */
  readonly authorization: string | undefined;
  /** The body, where it is a JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** What it was answered. */
  readonly status: number;
};

/** Stands in for an environment agent's registry, and records what it is sent. */
export type Registry = {
  readonly fetch: (request: Request) => Promise<Response>;
  /** All requests but GET, DELETE and those for a token, in their order. */
  readonly registrations: readonly Registration[];
  /** Paths of DELETE requests, each of which is answered 405. */
  readonly deletions: readonly string[];
  /** The bearer token that is asked for; undefined where none is. */
  readonly token: string | undefined;
};

type Options = {
  /** Asked for as a bearer token in each request. POST /token answers any client credentials with it. */
  readonly token?: string | undefined;
};

/**
 * Refuses the provider that registers first as agents do from time to time: by 503, as an agent that is starting; where a token is asked
 * for, by 401 until the token is sent, and once more then, as for a token that has expired; by 409, as while another provider holds the
 * service type. It accepts that provider after that, and any other one as soon as it sends the token.
 * @see https://github.com/dcm-project/environment-agent (api/v1alpha1/openapi.yaml)
 */
export const registry = ({ token }: Options = {}): Registry => {
  const registrations: Registration[] = [];
  const deletions: string[] = [];
  const accepted = new Map<string, object>();
  const bearer = token === undefined ? undefined : `Bearer ${token}`;

  const register = async (request: Request, { pathname, searchParams }: URL): Promise<Response> => {
    const id = searchParams.get('id') ?? undefined;
    const authorization = request.headers.get('authorization') ?? undefined;
    const body = objectOf(await request.json().catch(() => undefined));
    const [first] = registrations;
    const isFirst = first === undefined || first.body?.name === body?.name;
    const status = isFirst
      ? firstStatus(registrations, authorization, bearer)
      : statusFor(authorization, bearer);
    const contentType = request.headers.get('content-type') ?? '';
    registrations.push({
      method: request.method,
      path: pathname,
      id,
      contentType,
      authorization,
      body,
      status,
    });
    const refusal = refusals[status];
    if (refusal) return refusal();
    const provider = {
      ...body,
      id: id ?? 'generated',
      path: `providers/${id ?? 'generated'}`,
      status: 'Ready',
    };
    accepted.set(provider.id, provider);
    return Response.json(provider, { status });
  };

  const read = (request: Request, { pathname }: URL): Response => {
    if (bearer !== undefined && request.headers.get('authorization') !== bearer) return unauthorized();
    const [, id] = /\/providers\/([^/]+)$/.exec(pathname) ?? [];
    if (id === undefined) return Response.json({ results: [...accepted.values()] });
    const provider = accepted.get(id);
    return provider ? Response.json(provider) : problem(404, 'NOT_FOUND', `there is no provider ${id}`);
  };

  return {
    registrations,
    deletions,
    token,
    async fetch(request) {
      const url = new URL(request.url);
      if (token !== undefined && url.pathname === '/token')
        return Response.json({ access_token: token, token_type: 'Bearer', expires_in: 300 });
      if (request.method === 'GET') return read(request, url);
      if (request.method !== 'DELETE') return register(request, url);
      deletions.push(url.pathname);
      return problem(405, 'METHOD_NOT_ALLOWED', 'an agent has no DELETE for providers');
    },
  };
};

const statusFor = (authorization: string | undefined, bearer: string | undefined): number =>
  bearer !== undefined && authorization !== bearer ? 401 : 201;

/** What the provider that registers first is answered: each refusal once, but for requests without the token. */
const firstStatus = (
  registrations: readonly Registration[],
  authorization: string | undefined,
  bearer: string | undefined,
): number => {
  const name = registrations[0]?.body?.name;
  const before = registrations.filter(({ body }) => body?.name === name);
  const had = (status: number) => before.some((one) => one.status === status);
  const isExpired = !before.some((one) => one.status === 401 && one.authorization === bearer);
  if (!had(503)) return 503;
  if (bearer !== undefined && (authorization !== bearer || isExpired)) return 401;
  return had(409) ? 201 : 409;
};

const problem = (status: number, type: string, detail: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ type, title: type, status, detail }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });

const unauthorized = () =>
  problem(401, 'UNAUTHORIZED', 'invalid Bearer token', { 'www-authenticate': 'Bearer' });

const refusals: Readonly<Record<number, () => Response>> = {
  401: unauthorized,
  409: () => problem(409, 'CONFLICT', 'this service type is already served by provider another'),
  503: () => problem(503, 'UNAVAILABLE', 'the agent is starting'),
};

const objectOf = (json: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
