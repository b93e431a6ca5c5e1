import { Hono, type MiddlewareHandler } from 'hono';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Log } from '../../../shared/ports/log.ts';
import { type ProblemCode, problemKinds, problemOf, problemResponse } from '../../../shared/wire/problem.ts';
import { type AnswerParts, answer, type Environment } from './answer.ts';
import { challenge } from './authenticate.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations/registry.ts';
import { pathOf, prefixes, routeOf, uriPathOf } from './paths.ts';
import { requestIdOf } from './request-id.ts';

type Parts = AnswerParts & { readonly log: Log; readonly now: Clock };

/** The provider's HTTP API: every operation below `/` for the home region and below `/{region}` for the others. */
export const api = (parts: Parts): Hono<Environment> => {
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

const byPath = (all: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> =>
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
  ({ correlate, log, now }: Parts): MiddlewareHandler<Environment> =>
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
