import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { NotFoundError } from '../core/errors.ts';
import { type Accounts, type NamedTarget, targetName, targetOfAlias } from '../core/target.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/telemetry.ts';
import { type Authentication, InsufficientScopeError } from './authentication.ts';
import { jsonBody, type Operation, parseId } from './operation.ts';
import { type ProblemCode, problemKinds, problemOf, problemResponse } from './problem.ts';

/** The targets of an API, as its paths name them. */
export type TargetPaths = {
  /** What paths begin with, as routes of Hono with named parameters; the empty one for paths that name no target. Those listed first win. */
  readonly prefixes: readonly string[];
  /**
   * The target for the parameters of a prefix.
   * @throws NotServedError for a target that the API does not have.
   */
  readonly targetOf: (parameter: (name: string) => string | undefined) => NamedTarget;
};

type Parts<UseCases> = {
  readonly operations: readonly Operation<UseCases>[];
  /** What the operations call for the resources of a target. @throws NotFoundError where the API has nothing there. */
  readonly useCasesIn: (target: NamedTarget) => UseCases;
  readonly authentication: Authentication;
  readonly targets: TargetPaths;
  /** The origins of web pages that may read the answers; `*`: all. @default none */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Adds these fields to all later log lines of the request. */
  readonly correlate: (fields: Readonly<Record<string, string>>) => void;
  readonly log: Log;
  readonly now: Clock;
};

/** What Hono carries along with a request. */
type Environment = {
  /** From API Gateway: the id that it gave the request. */
  readonly Bindings: { readonly requestId: string };
  readonly Variables: { requestId: string; route: string | undefined; target: string | undefined };
};

/**
 * An HTTP API: every operation below each prefix of its targets. The target follows from the path alone. Where two paths match, the operation
 * that is listed first answers.
 */
export const router = <UseCases>(parts: Parts<UseCases>): Hono<Environment> => {
  const { operations, authentication, targets, corsOrigins = [], log } = parts;
  const app = new Hono<Environment>({ getPath: normalizedPath });
  app.use(logAnswer(parts));
  if (corsOrigins.length > 0) app.use(crossOrigin(corsOrigins));
  const once = operations.filter(({ isOfNoTarget }) => isOfNoTarget);
  const everywhere = operations.filter(({ isOfNoTarget }) => !isOfNoTarget);
  const known: Segment[][] = [];
  for (const [prefix, below] of [
    ['', once] as const,
    ...targets.prefixes.map((one) => [one, everywhere] as const),
  ]) {
    for (const [path, methods] of byPath(below)) {
      const route = `${prefix}${honoRoute(path)}`;
      known.push([...prefix.split('/').slice(1).map(ofPrefix), ...path.split('/').slice(1).map(ofPath)]);
      for (const operation of methods) app.on(operation.method, route, runOperation(operation, parts));
      const allow = methods
        .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
        .join(', ');
      app.all(route, (context) => problem(context, 'method-not-allowed', `expected ${allow}`, { allow }));
    }
  }
  app.notFound((context) =>
    problem(context, 'not-found', `the API has no such path${hint(known, normalizedPath(context.req.raw))}`),
  );
  app.onError((error, context) => {
    const { code, detail } = problemOf(error);
    const isInsufficient = error instanceof InsufficientScopeError;
    if (concernsOperator(code) && !isInsufficient) log.error('a request failed', { error });
    const isUnknownPath = error instanceof NotServedError && error.isUnknownPath;
    const path = normalizedPath(context.req.raw);
    const what = isUnknownPath ? hint(known, path.slice(0, path.lastIndexOf('/'))) : '';
    return problem(context, code, `${detail}${what}`, {
      ...(code === 'unauthenticated' && { 'www-authenticate': authentication.challenge }),
      ...(isInsufficient && { 'www-authenticate': authentication.insufficientScope }),
      ...(error instanceof NotServedError && { 'x-reason': error.reason }),
    });
  });
  return app;
};

/** The path names something that the API does not have at all, such as a target: HTTP 404, with the header `X-Reason`. */
export class NotServedError extends NotFoundError {
  readonly reason: string;
  /** Whether it is the last segment of the path that there is not. */
  readonly isUnknownPath: boolean;
  constructor(reason: string, message: string, isUnknownPath = false) {
    super(message);
    this.reason = reason;
    this.isUnknownPath = isUnknownPath;
  }
}

/** A segment of the API's paths: as OpenAPI writes it, and what it matches. */
type Segment = { readonly shown: string; readonly matches: (segment: string) => boolean };

const ofPrefix = (segment: string): Segment => {
  const [, name, pattern = '.+'] = /^:(\w+)(?:\{(.*)\})?$/.exec(segment) ?? [];
  if (name === undefined) return { shown: segment, matches: (given) => given === segment };
  const whole = new RegExp(`^(?:${pattern})$`);
  return { shown: `{${name}}`, matches: (given) => whole.test(given) };
};

const ofPath = (segment: string): Segment => {
  const [, verb] = /^\{\w+\}(:[a-z]+)?$/.exec(segment) ?? [];
  const isId = segment.startsWith('{');
  const whole = new RegExp(`^[^:]+${verb ?? ''}$`);
  return { shown: segment, matches: (given) => (isId ? whole.test(given) : given === segment) };
};

/** What the API has below the longest part of a path that it has; segments that are names rather than parameters, where there are any. */
const hint = (known: readonly (readonly Segment[])[], path: string): string => {
  const given = path.split('/').filter((segment) => segment !== '');
  for (let length = given.length; length >= 0; length -= 1) {
    const below = known.flatMap((segments) => {
      const fits = given.slice(0, length).every((one, place) => segments[place]?.matches(one));
      return fits ? (segments[length]?.shown ?? []) : [];
    });
    const names = below.filter((one) => !one.startsWith('{'));
    const shown = [...new Set(names.length > 0 ? names : below)];
    const there = `/${given.slice(0, length).join('/')}`.slice(0, longestUriPath);
    if (shown.length > 0) return `; below ${there} it has ${shown.join(', ')}`;
  }
  return '';
};

/** Browsers keep the answer to a preflight request for so long. */
const preflightSeconds = 12 * 60 * 60;

/** @see https://fetch.spec.whatwg.org/#http-cors-protocol */
const crossOrigin = (origins: readonly string[]): MiddlewareHandler =>
  cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD'],
    allowHeaders: ['Authorization', 'If-None-Match', 'Last-Event-ID', 'X-Request-Id'],
    exposeHeaders: [
      ...['ETag', 'Link', 'Retry-After', 'WWW-Authenticate', 'X-Generation', 'X-Listed-At', 'X-Reason'],
      ...['X-Request-Id', 'X-Truncated', 'pollAfterMs'],
    ],
    maxAge: preflightSeconds,
  });

const byPath = <UseCases>(
  all: readonly Operation<UseCases>[],
): ReadonlyMap<string, readonly Operation<UseCases>[]> =>
  new Map(all.map(({ path }) => [path, all.filter((one) => one.path === path)]));

/** Problems that the caller cannot solve, and of which the answer does not say everything. */
const concernsOperator = (code: ProblemCode): boolean =>
  problemKinds[code].status >= 500 || code === 'permission-denied';

const problem = (
  { req, get }: Context<Environment>,
  code: ProblemCode,
  detail: string,
  headers?: Readonly<Record<string, string>>,
): Response => problemResponse({ code, detail }, `${uriPath(req.raw)}#${get('requestId')}`, headers);

/** Gives every answer and log line the request's id, and logs one line a request, without its query, headers and body. */
const logAnswer =
  ({
    correlate,
    log,
    now,
  }: Pick<Parts<never>, 'correlate' | 'log' | 'now'>): MiddlewareHandler<Environment> =>
  async (context, next) => {
    const { req, env } = context;
    const startedAtMs = now();
    const requestId = requestIdOf(req.header('x-request-id'), env.requestId);
    context.set('requestId', requestId);
    correlate({ requestId });
    await next();
    context.header('x-request-id', requestId);
    context.header('cache-control', 'no-store');
    const route = context.get('route') ?? 'none';
    const target = context.get('target');
    log.info('answered', {
      ...{ method: req.method, route, ...(target !== undefined && { target }) },
      ...{ status: context.res.status, ms: now() - startedAtMs },
    });
  };

/** Ids that can be put into headers, log lines, tags and events unchanged. */
const acceptableId = /^[\w.:=+/@-]{1,128}$/;

/** The caller's id of the request where it is acceptable, else the one that API Gateway gave. */
const requestIdOf = (fromCaller: string | undefined, fromGateway: string): string =>
  fromCaller !== undefined && acceptableId.test(fromCaller) ? fromCaller : fromGateway;

/** Runs an operation as the Hono handler of its route. */
const runOperation =
  <UseCases>(operation: Operation<UseCases>, parts: Parts<UseCases>) =>
  async (context: Context<Environment>): Promise<Response> => {
    const { req } = context;
    const { ids, status, scope } = operation;
    const { useCasesIn, authentication, targets, correlate } = parts;
    context.set('route', operation.path || '/');
    const target = targets.targetOf((name) => req.param(name));
    const base = baseOf(context, operation);
    const named = isOfOneTarget(operation, base) ? target : undefined;
    if (named !== undefined) context.set('target', targetName(named));
    const asked = { target: named, scope, isWrite: operation.method !== 'GET' };
    const permits = operation.isPublic
      ? nothing
      : await authentication.check(req.header('authorization'), asked);
    const logResource = (id: string) => correlate({ [ids.logField]: id });
    const given = idsIn(context, operation);
    const resourceId = Object.values(given).at(-1) ?? '';
    if (resourceId !== '') logResource(resourceId);
    const url = new URL(req.url);
    const answer = await operation.run(useCasesIn(target), {
      target,
      base,
      resourceId,
      ids: given,
      url,
      permits,
      query: url.searchParams,
      header: (name) => req.header(name),
      body: () => jsonBody(req.raw),
      requestId: context.get('requestId'),
      logResource,
    });
    return answer instanceof Response ? answer : responseOf(answer, status);
  };

const responseOf = (answer: unknown, status: Operation<never>['status']): Response =>
  status === 204 ? new Response(undefined, { status }) : Response.json(answer, { status });

const nothing = () => false;

const isOfOneTarget = ({ isOfNoTarget, isOfAllTargets }: Operation<never>, base: string): boolean =>
  !isOfNoTarget && !(isOfAllTargets && base === '');

/** The ids in the request's path, in its order. @throws InvalidArgumentError */
const idsIn = (
  { req }: Context<Environment>,
  { path, ids }: Operation<never>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...path.matchAll(/\{(\w+)\}(:[a-z]+)?/g)].map(([, name = '', verb = '']) => {
      const segment = req.param(name) ?? '';
      return [name, parseId(ids.id, segment.slice(0, segment.length - verb.length), name)];
    }),
  );

/** What stands before the operation's own path. */
const baseOf = ({ req }: Context<Environment>, { path }: Operation<never>): string => {
  const segments = normalizedPath(req.raw).split('/');
  return segments.slice(0, segments.length - path.split('/').length + 1).join('/');
};

/** The shape of every AWS region's name. Hono's router accepts no capturing groups. */
const regionPattern = '[a-z]+(?:-[a-z]+)+-[0-9]+';

/** The shape of every alias of an account. No region has it. */
const aliasPattern = '[a-z][a-z0-9]{1,15}';

/** Below `/` the home region, below `/{region}` the other regions of the home account, and below `/{alias}/{region}` those of other accounts. */
export const targetPaths = ({
  homeRegion,
  accounts,
}: {
  /** The region of the paths that name none. */
  readonly homeRegion: string;
  /** The accounts of the paths that name one, besides the home account. */
  readonly accounts: Accounts;
}): TargetPaths => ({
  prefixes: ['', `/:region{${regionPattern}}`, `/:alias{${aliasPattern}}/:region{${regionPattern}}`],
  targetOf: (parameter) => {
    const region = parameter('region') ?? homeRegion;
    const alias = parameter('alias');
    const target = alias === undefined ? { region } : targetOfAlias(accounts, alias, region);
    if (target === undefined) throw new NotServedError('target', `the API has no target ${alias}/${region}`);
    return target;
  },
});

/** An operation's path as a route of Hono. An id ends at a colon, which begins the verb of a custom method. */
const honoRoute = (path: string): string =>
  path.replace(/\{(\w+)\}(:[a-z]+)?/g, (_, name, verb = '') => `:${name}{[^/:]+${verb}}`);

/**
 * The path that requests are routed by: repeated slashes as one, no slash at the end, `%3A` as the colon of custom methods. DCM's clients
 * join URLs in different ways.
 */
const normalizedPath = (request: Request): string =>
  new URL(request.url).pathname
    .replace(/\/{2,}/g, '/')
    .replace(/(?<=.)\/$/, '')
    .replace(/%3a/gi, ':');

const longestUriPath = 200;

/**
 * The path as part of a URI reference: at most 200 characters, never cut within a percent escape. Fetch's URLs may have characters in
 * their paths that RFC 3986 allows only as escapes.
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-3.3
 */
const uriPath = (request: Request): string =>
  normalizedPath(request)
    .replace(/%(?![0-9a-f]{2})/gi, '%25')
    .replace(/[^\w.~!$&'()*+,;=:@/%-]/g, encodeURIComponent)
    .slice(0, longestUriPath)
    .replace(/%[0-9a-f]?$/i, '');
