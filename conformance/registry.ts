export type Registration = {
  readonly method: string;
  readonly path: string;
  readonly id: string | undefined;
  readonly contentType: string;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** The body; undefined where it is not a JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** Status code of the answer. */
  readonly status: number;
};

/** An emulator of an environment agent's registry, which records the requests. */
export type Registry = {
  readonly fetch: (request: Request) => Promise<Response>;
  /** All requests except GET, DELETE and requests for a token, in order. */
  readonly registrations: readonly Registration[];
  /** Paths of DELETE requests, each of which is answered 405. */
  readonly deletions: readonly string[];
  /** The required bearer token; undefined where none is required. */
  readonly token: string | undefined;
};

type Options = {
  /** Bearer token that each request must have. POST /token answers any client credentials with it. */
  readonly token?: string | undefined;
};

/**
 * Refuses the provider that registers first several times, as agents can: with 503, like an agent that is starting; where a token is
 * required, with 401 until the token is sent and once after that, like for an expired token; with 409, like while another provider has the
 * service type. After that it accepts this provider. It accepts any other provider as soon as that sends the token.
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

/** The answers to the provider that registers first: each refusal once, except for requests without the token. */
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
