import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { NotFoundError } from '../core/errors.ts';
import { type Accounts, type NamedTarget, targetName, targetOfAlias } from '../core/target.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/telemetry.ts';
import type { Authentication } from './authentication.ts';
import { jsonBody, type Operation, parseId } from './operation.ts';
import { type ProblemCode, problemKinds, problemOf, problemResponse } from './problem.ts';

type Parts<UseCases> = {
  readonly operations: readonly Operation<UseCases>[];
  /** What the operations call for the resources of a target. @throws NotFoundError where the API has nothing there. */
  readonly useCasesIn: (target: NamedTarget) => UseCases;
  readonly authentication: Authentication;
  /** The region of the paths that name none. */
  readonly homeRegion: string;
  /** The accounts of the paths that name one, besides the home account. */
  readonly accounts: Accounts;
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
 * An HTTP API: every operation below `/` for the home region, below `/{region}` for the other regions of the home account, and below
 * `/{alias}/{region}` for those of other accounts. The target follows from the path alone. Where two paths match, the operation that is
 * listed first answers.
 */
export const router = <UseCases>(parts: Parts<UseCases>): Hono<Environment> => {
  const { operations, authentication, log } = parts;
  const app = new Hono<Environment>({ getPath: normalizedPath });
  app.use(logAnswer(parts));
  for (const prefix of prefixes) {
    for (const [path, methods] of byPath(operations)) {
      const route = `${prefix}${honoRoute(path)}`;
      for (const operation of methods) app.on(operation.method, route, runOperation(operation, parts));
      const allow = methods.map(({ method }) => method).join(', ');
      app.all(route, (context) => problem(context, 'method-not-allowed', `expected ${allow}`, { allow }));
    }
  }
  app.notFound((context) => problem(context, 'not-found', 'the API has no such path'));
  app.onError((error, context) => {
    const { code, detail } = problemOf(error);
    if (concernsOperator(code)) log.error('a request failed', { error });
    const challenge = { 'www-authenticate': authentication.challenge };
    return problem(context, code, detail, code === 'unauthenticated' ? challenge : undefined);
  });
  return app;
};

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
    const { ids, status } = operation;
    const { useCasesIn, authentication, correlate } = parts;
    context.set('route', operation.path);
    const target = targetIn(context, parts);
    context.set('target', targetName(target));
    if (!operation.isPublic) await authentication.check(req.header('authorization'), { target });
    const logResource = (id: string) => correlate({ [ids.logField]: id });
    const resourceId = resourceIdIn(context, operation);
    if (resourceId !== '') logResource(resourceId);
    const answer = await operation.run(useCasesIn(target), {
      target,
      resourceId,
      query: new URL(req.url).searchParams,
      header: (name) => req.header(name),
      body: () => jsonBody(req.raw),
      requestId: context.get('requestId'),
      logResource,
    });
    if (answer instanceof Response) return answer;
    return status === 204 ? new Response(undefined, { status }) : Response.json(answer, { status });
  };

/** @throws NotFoundError for an alias without an account, or a region in which the account has nothing. */
const targetIn = (
  { req }: Context<Environment>,
  { homeRegion, accounts }: Pick<Parts<never>, 'homeRegion' | 'accounts'>,
): NamedTarget => {
  const region = req.param('region') ?? homeRegion;
  const alias = req.param('alias');
  const target = alias === undefined ? { region } : targetOfAlias(accounts, alias, region);
  if (target === undefined) throw new NotFoundError(`the API has no target ${alias}/${region}`);
  return target;
};

/** The id in the request's path; empty where the operation's path has none. @throws InvalidArgumentError */
const resourceIdIn = ({ req }: Context<Environment>, { path, ids }: Operation<never>): string => {
  const name = /\{(\w+)\}/.exec(path)?.[1];
  const segment = name === undefined ? undefined : req.param(name);
  if (name === undefined || segment === undefined) return '';
  return parseId(ids.id, segment.slice(0, segment.length - verbOf(path).length), name);
};

/** The verb of a custom method, with its colon: `:start` of `/vms/{vm_id}:start`. */
const verbOf = (path: string): string => /\}(:[a-z]+)$/.exec(path)?.[1] ?? '';

/** The shape of every AWS region's name. Hono's router accepts no capturing groups. */
const regionPattern = '[a-z]+(?:-[a-z]+)+-[0-9]+';

/** The shape of every alias of an account. No region has it. */
const aliasPattern = '[a-z][a-z0-9]{1,15}';

/** Of the home region, of a region of the home account, and of a region of another account. */
const prefixes = [
  '',
  `/:region{${regionPattern}}`,
  `/:alias{${aliasPattern}}/:region{${regionPattern}}`,
] as const;

/** An operation's path as a route of Hono. An id ends at a colon, which begins the verb of a custom method. */
const honoRoute = (path: string): string =>
  path.replace(/\{(\w+)\}(:[a-z]+)?/, (_, name, verb = '') => `:${name}{[^/:]+${verb}}`);

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
