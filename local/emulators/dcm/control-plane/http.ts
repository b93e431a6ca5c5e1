import { type Context, Hono } from 'hono';
import * as z from 'zod';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  PermissionDeniedError,
  UnavailableError,
  UnprocessableError,
  UpstreamError,
} from '../../../../shared/core/errors.ts';
import { lenientPageToken, nextPageToken, problem, resourceIdPattern } from '../api-conventions.ts';
import { events, type History } from '../status-history.ts';
import { AgentHealth, AgentRegistration, type Agents, agentResource, Heartbeat } from './agents.ts';
import { type Catalog, CatalogItem, CatalogItemInstance, PlacementError, serviceTypes } from './catalog.ts';
import type { Documents, Stored } from './documents.ts';
import type { Instances } from './instances.ts';
import { Policy } from './policies.ts';
import { instanceResource, type Rows } from './rows.ts';

type Parts = {
  readonly agents: Agents;
  readonly rows: Rows;
  readonly instances: Instances;
  readonly catalog: Catalog;
  readonly documents: {
    readonly policies: Documents<Policy>;
    readonly items: Documents<CatalogItem>;
    readonly instances: Documents<CatalogItemInstance>;
  };
  readonly history: History;
  /** Each rejects where the database or NATS does not answer. */
  readonly checks: Readonly<Record<'database' | 'nats', () => Promise<unknown>>>;
};

const prefix = '/api/v1alpha1';
const ownId = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The HTTP API of today's control plane: agents, policies, the catalog and the service-type instances; `/providers` no longer exists.
 * Requests that violate DCM's OpenAPI document get the plain text of its validator. `/events` is not in DCM.
 * @see https://github.com/dcm-project/control-plane (internal/app/run.go)
 */
export const controlPlaneApi = (parts: Parts): Hono => {
  const api = new Hono()
    .route('/agents', agentRoutes(parts))
    .route('/policies', policyRoutes(parts.documents.policies))
    .route('/catalog-items', itemRoutes(parts))
    .route('/catalog-item-instances', orderRoutes(parts))
    .route('/service-type-instances', instanceRoutes(parts))
    .get('/service-types', ({ json }) =>
      json({
        results: Object.entries(serviceTypes).map(([name, spec]) => ({
          ...{ uid: name, path: `service-types/${name}`, api_version: 'v1alpha1', service_type: name, spec },
        })),
      }),
    )
    .get('/health', () => health(parts.checks));
  return new Hono()
    .route(prefix, api)
    .route('/events', events(parts.history))
    .notFound(({ req }) =>
      plain(req.path.startsWith(prefix) ? 'no matching operation was found' : '404 page not found', 404),
    )
    .onError((error) => errorResponse(error));
};

const health = async (checks: Parts['checks']): Promise<Response> => {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const isOk = await check().then(
        () => true,
        () => false,
      );
      return [name, isOk ? 'ok' : 'unavailable'] as const;
    }),
  );
  const isOk = results.every(([, result]) => result === 'ok');
  const body = {
    status: isOk ? 'ok' : 'unhealthy',
    path: `${prefix}/health`,
    checks: Object.fromEntries(results),
  };
  return Response.json(body, { status: isOk ? 200 : 503 });
};

const agentRoutes = ({ agents }: Parts): Hono =>
  new Hono()
    .get('/', async ({ req, json }) => {
      const { health_status: wanted, max_page_size: limit, page_token: token } = queryOf(AgentListing, req);
      const offset = offsetIn(token);
      if (offset === undefined)
        return problem('validation-error', 'Invalid request', 400, 'invalid page_token');
      return json({ ...page('agents', (await agents.list(wanted)).map(agentResource), offset, limit) });
    })
    .post('/', async (context) => {
      const registration = await bodyOf(AgentRegistration, 'AgentRegistrationRequest', context);
      const { agent, isNew } = await agents.register(registration);
      return context.json(agentResource(agent), isNew ? 201 : 200);
    })
    .get('/:id', async ({ req, json }) => {
      const agent = await agents.get(req.param('id'));
      if (agent === undefined) throw new NotFoundError('agent not found');
      return json(agentResource(agent));
    })
    .put('/:id/heartbeat', async (context) => {
      const heartbeat = await bodyOf(Heartbeat, 'HeartbeatRequest', context);
      return context.json(agentResource(await agents.beat(context.req.param('id'), heartbeat)));
    })
    .onError((error) => {
      if (error instanceof NotFoundError) return problem('not-found', 'Agent not found', 404, error.message);
      if (error instanceof FailedPreconditionError)
        return problem('conflict', 'Agent already registered', 409, error.message);
      return errorResponse(error);
    });

const policyRoutes = (policies: Documents<Policy>): Hono =>
  new Hono()
    .get('/', async ({ req, json }) => {
      const stored = await policies.list();
      return json(listed('policies', stored.map(policyResource), queryOf(listing(50), req)));
    })
    .post('/', async (context) => {
      const policy = await bodyOf(Policy, 'Policy', context);
      const id = ownIdIn(context);
      return context.json(policyResource(await policies.add(policy, id)), 201);
    })
    .get('/:id', async (context) => {
      const policy = await policies.get(pathIdIn(context, 'policyId'));
      if (policy === undefined) throw new NotFoundError('policy not found');
      return context.json(policyResource(policy));
    })
    .delete('/:id', async (context) => {
      if (!(await policies.remove(pathIdIn(context, 'policyId'))))
        throw new NotFoundError('policy not found');
      return context.body(null, 204);
    })
    .onError(catalogErrorResponse);

const itemRoutes = ({ catalog, documents: { items } }: Parts): Hono =>
  new Hono()
    .get('/', async ({ req, json }) =>
      json(listed('results', (await items.list()).map(itemResource), queryOf(listing(100), req))),
    )
    .post('/', async (context) => {
      const item = await bodyOf(CatalogItem, 'CatalogItem', context);
      return context.json(itemResource(await catalog.addItem(item, ownIdIn(context))), 201);
    })
    .get('/:id', async (context) => {
      const item = await items.get(pathIdIn(context, 'catalogItemId'));
      if (item === undefined) throw new NotFoundError('catalog item not found');
      return context.json(itemResource(item));
    })
    .delete('/:id', async (context) => {
      await catalog.removeItem(pathIdIn(context, 'catalogItemId'));
      return context.body(null, 204);
    })
    .onError(catalogErrorResponse);

const orderRoutes = ({ catalog, documents: { instances } }: Parts): Hono =>
  new Hono()
    .get('/', async ({ req, json }) => {
      const wanted = req.query('catalog_item_id');
      const found = (await instances.list()).filter(
        ({ document }) => wanted === undefined || document.spec.catalog_item_id === wanted,
      );
      return json(listed('results', found.map(orderResource), queryOf(listing(100), req)));
    })
    .post('/', async (context) => {
      const wanted = await bodyOf(CatalogItemInstance, 'CatalogItemInstance', context);
      return context.json(orderResource(await catalog.order(wanted, ownIdIn(context))), 201);
    })
    .get('/:id', async (context) => {
      const instance = await instances.get(pathIdIn(context, 'catalogItemInstanceId'));
      if (instance === undefined) throw new NotFoundError('catalog item instance not found');
      return context.json(orderResource(instance));
    })
    .post('/:action{[^/]+:rehydrate}', async ({ req, json }) => {
      const [id = ''] = req.param('action').split(':');
      return json(orderResource(await catalog.rehydrate(id)));
    })
    .delete('/:id', async (context) => {
      await catalog.cancel(pathIdIn(context, 'catalogItemInstanceId'));
      return context.body(null, 204);
    })
    .onError(catalogErrorResponse);

/** A create is always refused, because a request cannot name an agent; users create through the catalog. */
const instanceRoutes = ({ rows, instances }: Parts): Hono =>
  new Hono()
    .get('/', async ({ req, json }) => {
      const { max_page_size: limit, page_token: offset, ...wanted } = queryOf(InstanceListing, req);
      const found = await rows.list({
        ...{
          serviceType: wanted.service_type,
          agentName: wanted.agent_name,
          showDeleted: wanted.show_deleted,
        },
        ...{ offset, limit: limit + 1 },
      });
      return json({
        instances: found.slice(0, limit).map(instanceResource),
        ...nextPageToken(found.length, { offset, limit }),
      });
    })
    .post('/', async (context) => {
      const { spec } = await bodyOf(InstanceCreation, 'ServiceTypeInstance', context);
      const row = await instances.create({ id: instanceIdIn(context), agentName: '', spec });
      return context.json(instanceResource(row), 201);
    })
    .get('/:id', async (context) => {
      const id = pathIdIn(context, 'instanceId');
      const row = await rows.get(id);
      if (row === undefined || (row.deletionStatus !== null && context.req.query('show_deleted') !== 'true'))
        throw new NotFoundError(`instance ${id} not found`);
      return context.json(instanceResource(row));
    })
    .delete('/:id', async (context) => {
      const id = pathIdIn(context, 'instanceId');
      await (context.req.query('deferred') === 'true' ? instances.deleteDeferred(id) : instances.delete(id));
      return context.body(null, 204);
    })
    .onError((error) => {
      const { message } = error;
      if (error instanceof InvalidArgumentError)
        return problem('validation-error', 'Validation failed', 400, message);
      if (error instanceof NotFoundError) return problem('not-found', 'Instance not found', 404, message);
      if (error instanceof FailedPreconditionError)
        return problem('conflict', 'Resource conflict', 409, message);
      if (error instanceof UnprocessableError)
        return problem('provisioning-error', 'Provisioning error', 422, message);
      if (error instanceof UnavailableError)
        return problem('unavailable', 'Service unavailable', 503, 'service temporarily unavailable');
      return errorResponse(error);
    });

/** The catalog's and the policies' answer to errors: JSON with their own types. */
const catalogErrorResponse = (error: Error): Response => {
  const { message } = error;
  if (error instanceof InvalidArgumentError) return json('INVALID_ARGUMENT', 400, 'Bad Request', message);
  if (error instanceof NotFoundError) return json('NOT_FOUND', 404, 'Not Found', message);
  if (error instanceof FailedPreconditionError) return json('ALREADY_EXISTS', 409, 'Conflict', message);
  if (!(error instanceof PlacementError)) return errorResponse(error);
  const { cause } = error;
  const why = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof PermissionDeniedError)
    return json('FAILED_PRECONDITION', 406, 'Policy Rejected', `request rejected by policy engine: ${why}`);
  if (cause instanceof UnprocessableError)
    return json('FAILED_PRECONDITION', 422, 'Provider Error', `provider error: ${why}`);
  if (cause instanceof UpstreamError)
    return json('FAILED_PRECONDITION', 424, 'Policy Dependency', `policy dependency not satisfied: ${why}`);
  return json('INTERNAL', 500, 'Placement Manager Error', `${message}: ${why}`);
};

const json = (type: string, status: number, title: string, detail: string): Response =>
  Response.json({ type, status, title, detail }, { status });

/** A request that violates the OpenAPI document. */
class InvalidRequestError extends Error {
  override name = 'InvalidRequestError' as const;
}

const errorResponse = (error: Error): Response =>
  error instanceof InvalidRequestError
    ? plain(error.message, 400)
    : problem('internal-error', 'Internal error', 500, 'an internal error occurred');

const plain = (text: string, status: number): Response =>
  new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });

/** @throws InvalidRequestError with the message of DCM's validator. */
const bodyOf = async <Output>(schema: z.ZodType<Output>, name: string, { req }: Context): Promise<Output> => {
  const text = await req.text();
  const given = ((): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      throw new InvalidRequestError('request body has an error: failed to decode request body');
    }
  })();
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [{ path, message } = { path: [], message: '' }] = result.error.issues;
  const where = path.map((step) => `/${String(step)}`).join('');
  throw new InvalidRequestError(
    `request body has an error: doesn't match schema #/components/schemas/${name}: Error at "${where}": ${message}`,
  );
};

const queryOf = <Output>(schema: z.ZodType<Output>, req: Context['req']): Output => {
  const result = schema.safeParse(req.query());
  if (result.success) return result.data;
  const [{ path, message } = { path: [], message: '' }] = result.error.issues;
  throw new InvalidRequestError(`parameter "${String(path[0])}" in query has an error: ${message}`);
};

const pathIdIn = ({ req }: Context, name: string): string => {
  const id = req.param('id') ?? '';
  if (!resourceIdPattern.test(id)) throw mismatch(name, 'path', resourceIdPattern);
  return id;
};

const ownIdIn = (context: Context): string | undefined => queryIdIn(context, ownId);
const instanceIdIn = (context: Context): string | undefined => queryIdIn(context, resourceIdPattern);
const queryIdIn = ({ req }: Context, pattern: RegExp): string | undefined => {
  const id = req.query('id');
  if (id !== undefined && !pattern.test(id)) throw mismatch('id', 'query', pattern);
  return id;
};

const mismatch = (name: string, place: 'path' | 'query', { source }: RegExp) =>
  new InvalidRequestError(
    `parameter "${name}" in ${place} has an error: string doesn't match the regular expression "${source}"`,
  );

const size = (largest: number, defaults: number) =>
  z.coerce.number().int().min(1).max(largest).default(defaults);
const listing = (defaults: number) =>
  z.object({ max_page_size: size(1000, defaults), page_token: z.string().default('') });
const AgentListing = z.object({
  health_status: AgentHealth.optional(),
  max_page_size: size(100, 100),
  page_token: z.string().default(''),
});
const InstanceListing = z.object({
  service_type: z.string().optional(),
  agent_name: z.string().optional(),
  show_deleted: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  max_page_size: size(100, 50),
  page_token: lenientPageToken,
});
const InstanceCreation = z.object({ spec: z.record(z.string(), z.unknown()) });

const Offset = z.object({ offset: z.int().min(0) });

/** The offset in a page token; undefined for an invalid token. */
const offsetIn = (token: string): number | undefined => {
  if (token === '') return 0;
  try {
    return Offset.parse(JSON.parse(Buffer.from(token, 'base64').toString())).offset;
  } catch {
    return undefined;
  }
};

const page = (key: string, all: readonly object[], offset: number, limit: number) => ({
  [key]: all.slice(offset, offset + limit),
  ...(all.length > offset + limit && { next_page_token: btoa(JSON.stringify({ offset: offset + limit })) }),
});

/** @throws InvalidArgumentError for an invalid page token. */
const listed = (
  key: string,
  all: readonly object[],
  { max_page_size: limit, page_token: token }: z.infer<ReturnType<typeof listing>>,
) => {
  const offset = offsetIn(token);
  if (offset === undefined) throw new InvalidArgumentError('store: invalid page_token');
  return page(key, all, offset, limit);
};

const times = ({ createdAt, updatedAt }: Stored<unknown>) => ({
  create_time: createdAt.toISOString(),
  update_time: updatedAt.toISOString(),
});

const policyResource = (stored: Stored<Policy>) => ({
  ...{ id: stored.id, path: `policies/${stored.id}`, ...stored.document, ...times(stored) },
});

const itemResource = (stored: Stored<CatalogItem>) => ({
  ...{ uid: stored.id, path: `catalog-items/${stored.id}`, ...stored.document, ...times(stored) },
});

const orderResource = (stored: Stored<CatalogItemInstance>) => {
  const { runId, resourceIds, ...document } = stored.document;
  return {
    ...{ uid: stored.id, path: `catalog-item-instances/${stored.id}`, ...document },
    ...{ run_id: runId, resource_ids: resourceIds, ...times(stored) },
  };
};
