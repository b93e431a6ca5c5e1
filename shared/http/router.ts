import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/telemetry.ts';
import { challenge } from './authentication.ts';
import { jsonBody, type Operation } from './operation.ts';
import { type ProblemCode, problemKinds, problemOf, problemResponse } from './problem.ts';

type Parts<UseCases> = {
  readonly operations: readonly Operation<UseCases>[];
  readonly useCases: UseCases;
  /** @throws UnauthenticatedError where the caller is not allowed in. */
  readonly authenticate: (authorization: string | undefined) => Promise<void>;
  readonly homeRegion: string;
  /** The field of log lines that holds the id in the path, such as `vmId`. */
  readonly idField: string;
  /** @throws InvalidArgumentError, NotFoundError where it is no id of a resource. */
  readonly checkId: (id: string, what: string) => string;
  /** Gives all later log lines of the request these fields. */
  readonly correlate: (fields: Readonly<Record<string, string>>) => void;
  readonly log: Log;
  readonly now: Clock;
};

/** What Hono carries along with a request. */
export type Environment = {
  /** From what received the request: the id that it has been given. */
  readonly Bindings: { readonly requestId: string };
  readonly Variables: { requestId: string; route: string | undefined };
};

/** An HTTP API: every operation below `/` for the home region and below `/{region}` for the others. */
export const api = <UseCases>(parts: Parts<UseCases>): Hono<Environment> => {
  const { operations } = parts;
  const app = new Hono<Environment>({ getPath: pathOf });
  app.use(accounted(parts));
  for (const prefix of prefixes) {
    for (const [path, methods] of byPath(operations)) {
      const route = `${prefix}${routeOf(path)}`;
      for (const operation of methods) app.on(operation.method, route, answer(operation, parts));
      const allow = methods.map(({ method }) => method).join(', ');
      app.all(route, ({ req, get }) =>
        problem(req.raw, get('requestId'), 'method-not-allowed', `expected ${allow}`, { allow }),
      );
    }
  }
  app.notFound(({ req, get }) => problem(req.raw, get('requestId'), 'not-found', 'the API has no such path'));
  app.onError((error, { req, get }) => {
    const { code, detail } = problemOf(error);
    if (isOperators(code)) parts.log.error('a request failed', { error });
    const headers = code === 'unauthenticated' ? { 'www-authenticate': challenge } : undefined;
    return problem(req.raw, get('requestId'), code, detail, headers);
  });
  return app;
};

/** Callers can do nothing about it, and are not told all of it. */
const isOperators = (code: ProblemCode): boolean =>
  problemKinds[code].status >= 500 || code === 'permission-denied';

const byPath = <UseCases>(
  all: readonly Operation<UseCases>[],
): ReadonlyMap<string, readonly Operation<UseCases>[]> =>
  new Map(all.map(({ path }) => [path, all.filter((one) => one.path === path)]));

const problem = (
  request: Request,
  requestId: string,
  code: ProblemCode,
  detail: string,
  headers?: Readonly<Record<string, string>>,
): Response => problemResponse({ code, detail }, `${uriPathOf(request)}#${requestId}`, headers);

/** Gives every answer and log line the request's id, and each request one line: never a query, a header or a body. */
const accounted =
  ({
    correlate,
    log,
    now,
  }: Pick<Parts<never>, 'correlate' | 'log' | 'now'>): MiddlewareHandler<Environment> =>
  async (context, next) => {
    const { req, env } = context;
    const startedAtMs = now();
    const requestId = requestIdOf(req.header('x-request-id') ?? null, env.requestId);
    context.set('requestId', requestId);
    correlate({ requestId });
    await next();
    context.header('x-request-id', requestId);
    context.header('cache-control', 'no-store');
    const { status } = context.res;
    log.info('answered', {
      method: req.method,
      route: context.get('route') ?? 'none',
      status,
      ms: now() - startedAtMs,
    });
  };

/** One operation as a handler of its route. */
const answer =
  <UseCases>(
    operation: Operation<UseCases>,
    { useCases, authenticate, homeRegion, correlate, idField, checkId }: Parts<UseCases>,
  ) =>
  async (context: Context<Environment>): Promise<Response> => {
    const { req } = context;
    context.set('route', operation.path);
    if (!operation.isPublic) await authenticate(req.header('authorization'));
    const concerns = (id: string) => correlate({ [idField]: id });
    const parameter = idParameter(operation.path);
    const given = parameter && req.param(parameter);
    const resourceId =
      parameter && given !== undefined
        ? checkId(given.slice(0, given.length - verbOf(operation.path).length), parameter)
        : '';
    if (resourceId !== '') concerns(resourceId);
    const answered = await operation.run(useCases, {
      region: req.param('region') ?? homeRegion,
      resourceId,
      query: new URL(req.url).searchParams,
      header: (name) => req.header(name),
      body: () => jsonBody(req.raw),
      requestId: context.get('requestId'),
      concerns,
    });
    const { status } = operation;
    return status === 204 ? new Response(undefined, { status }) : Response.json(answered, { status });
  };

/** The name of the parameter in a path such as `/vms/{vm_id}`. */
const idParameter = (template: string): string | undefined => /\{(\w+)\}/.exec(template)?.[1];

/** The shape of every AWS region's name, without capturing groups, as Hono's router wants it. */
const regionPattern = '[a-z]+(?:-[a-z]+)+-[0-9]+';

/** The VMs of the home region, and of the region that a path begins with. */
const prefixes = ['', `/:region{${regionPattern}}`] as const;

/**
 * The path that is routed by: one slash for many, none at the end, and the colon of custom methods as itself. DCM's pollers join URLs in
 * different ways.
 */
const pathOf = (request: Request): string =>
  new URL(request.url).pathname
    .replace(/\/{2,}/g, '/')
    .replace(/(?<=.)\/$/, '')
    .replace(/%3a/gi, ':');

const longestUriPath = 200;

/**
 * The path as part of a URI reference, cut to 200 characters and never within a percent escape. URLs of browsers and Fetch may have
 * characters in a path that RFC 3986 allows only as escapes.
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-3.3
 */
const uriPathOf = (request: Request): string =>
  pathOf(request)
    .replace(/%(?![0-9a-f]{2})/gi, '%25')
    .replace(/[^\w.~!$&'()*+,;=:@/%-]/g, encodeURIComponent)
    .slice(0, longestUriPath)
    .replace(/%[0-9a-f]?$/i, '');

/** What stands behind the `{vm_id}` of a custom method: a colon and its verb. */
const verbOf = (template: string): string => /\}(:[a-z]+)$/.exec(template)?.[1] ?? '';

/** A path of the API in Hono's words. Ids end at a colon, which begins the verb of a custom method. */
const routeOf = (template: string): string =>
  template.replace(/\{(\w+)\}(:[a-z]+)?/, (_, name, verb = '') => `:${name}{[^/:]+${verb}}`);

/** What goes into headers, log lines, tags and events as it came. */
const acceptable = /^[\w.:=+/@-]{1,128}$/;

/** The id that a request has everywhere: its caller's, where there is an acceptable one, or else the one it was given on the way. */
const requestIdOf = (header: string | null, given: string): string =>
  header !== null && acceptable.test(header) ? header : given;
