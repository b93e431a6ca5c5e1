import { type Context, Hono } from 'hono';
import {
  FailedPreconditionError,
  NotFoundError,
  UnauthenticatedError,
  UnprocessableError,
} from '../../../../shared/core/errors.ts';
import type { HealthMonitor } from './health.ts';
import { type Provider, type Providers, Registration } from './providers.ts';

type Parts = {
  readonly providers: Providers;
  readonly monitor: Pick<HealthMonitor, 'status' | 'lastCheckTime' | 'track'>;
  /** Whether a bearer token is valid; undefined: the API needs no token. */
  readonly isTrusted?: ((token: string) => Promise<boolean>) | undefined;
  readonly isConnected: () => boolean;
  /** Called after each successful registration. */
  readonly onRegistered: () => void;
};

/**
 * The agent's API: health, and registration of providers. There is no de-registration.
 * @see https://github.com/dcm-project/environment-agent (api/v1alpha1/openapi.yaml; internal/handler/handler.go)
 */
export const agentApi = ({ providers, monitor, isTrusted, isConnected, onRegistered }: Parts): Hono => {
  const resource = (provider: Provider) => {
    const lastCheckTime = monitor.lastCheckTime(provider.id);
    return {
      ...{ ...provider, path: `providers/${provider.id}`, status: monitor.status(provider.id) },
      ...(lastCheckTime !== undefined && { last_check_time: lastCheckTime }),
    };
  };
  const api = new Hono()
    .get('/health', ({ json }) => json({ status: isConnected() ? 'healthy' : 'unhealthy', path: 'health' }))
    .use(async ({ req }, next) => {
      const [, token = ''] = /^Bearer (.+)$/i.exec(req.header('authorization') ?? '') ?? [];
      if (isTrusted !== undefined && !(await isTrusted(token)))
        throw new UnauthenticatedError('invalid Bearer token');
      await next();
    })
    .get('/providers', ({ json }) => json({ results: providers.list().map(resource) }))
    .get('/providers/:id', ({ req, json }) => {
      const provider = providers.get(req.param('id'));
      if (provider === undefined) throw new NotFoundError(`provider '${req.param('id')}' not found`);
      return json(resource(provider));
    })
    .post('/providers', async (context) => {
      const registration = await registrationIn(context);
      const { provider, isNew, isMoved } = await providers.register(registration, context.req.query('id'));
      if (isMoved) await monitor.track(provider); // the health check runs before the answer, as in the agent
      onRegistered();
      return context.json(resource(provider), isNew ? 201 : 200);
    });
  return new Hono()
    .route('/api/v1alpha1', api)
    .notFound((context) =>
      answer(context, 400, 'INVALID_ARGUMENT', 'Bad Request', 'no matching operation was found'),
    )
    .onError((error, context) => errorResponse(context, error));
};

/** A request that violates the OpenAPI document. */
class InvalidRequestError extends Error {
  override name = 'InvalidRequestError' as const;
}

const registrationIn = async ({ req }: Context): Promise<Registration> => {
  const given: unknown = await req.json().catch(() => {
    throw new InvalidRequestError('request body has an error: failed to decode request body');
  });
  const result = Registration.safeParse(given);
  if (result.success) return result.data;
  const [{ path, message } = { path: [], message: '' }] = result.error.issues;
  const where = path.map((step) => `/${String(step)}`).join('');
  throw new InvalidRequestError(
    `request body has an error: doesn't match schema #/components/schemas/Provider: Error at "${where}": ${message}`,
  );
};

const errorResponse = (context: Context, error: Error): Response => {
  const { message } = error;
  if (error instanceof InvalidRequestError)
    return answer(context, 400, 'INVALID_ARGUMENT', 'Bad Request', message);
  if (error instanceof NotFoundError) return answer(context, 404, 'NOT_FOUND', 'Provider Not Found', message);
  if (error instanceof FailedPreconditionError) return answer(context, 409, 'CONFLICT', 'Conflict', message);
  if (error instanceof UnprocessableError)
    return answer(context, 422, 'UNPROCESSABLE_ENTITY', 'Validation Failed', message);
  if (error instanceof UnauthenticatedError) {
    context.header('www-authenticate', 'Bearer');
    return answer(context, 401, 'UNAUTHORIZED', 'Unauthorized', message);
  }
  return answer(context, 500, 'INTERNAL', 'Internal Server Error', 'An unexpected internal error occurred');
};

const answer = (
  { req, body }: Context,
  status: 400 | 401 | 404 | 409 | 422 | 500,
  type: string,
  title: string,
  detail: string,
): Response => {
  const { pathname, search } = new URL(req.url);
  const problem = { type, title, status, detail, instance: `${pathname}${search}` };
  return body(JSON.stringify(problem), status, { 'content-type': 'application/problem+json' });
};
