import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import * as z from 'zod';
import { FailedPreconditionError, NotFoundError, reasonOf } from '../../../../shared/core/errors.ts';
import { nextPageToken, PageSize, parsed, problem, problemOf, strictPageToken } from '../api-conventions.ts';
import type { Database } from '../database.ts';
import type { Health } from './health-monitor.ts';

/** What DCM allows as an id, of a provider and of a service-type instance. */
export const ResourceId = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

/**
 * What a provider registers with. An `id` in the body wins over the one in the query; everything else that is read-only, and what is
 * unknown, is ignored.
 * @see https://github.com/dcm-project/control-plane (api/sp/v1alpha1/provider/openapi.yaml)
 */
export const Registration = z.object({
  id: ResourceId.optional(),
  name: z.string(),
  endpoint: z.url(),
  service_type: z.string(),
  schema_version: z.string().regex(/^v[0-9]+(alpha|beta)?[0-9]*$/),
  display_name: z.string().optional(),
  operations: z.array(z.string()).optional(),
  metadata: z
    .looseObject({
      region_code: z.string().optional(),
      zone: z.string().optional(),
      status: z.string().optional(),
      resources: z
        .object({
          total_cpu: z.int().optional(),
          total_memory: z.string().optional(),
          total_storage: z.string().optional(),
          total_node: z.int().optional(),
        })
        .optional(),
    })
    .optional(),
});
export type Registration = z.infer<typeof Registration>;

/** One row of the registry. */
export type Provider = Health & {
  readonly id: string;
  readonly name: string;
  readonly endpoint: string;
  readonly serviceType: string;
  readonly schemaVersion: string;
  readonly displayName: string | null;
  readonly operations: readonly string[] | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** As DCM answers it; what was not registered is left out. */
const toResource = (provider: Provider) => ({
  id: provider.id,
  path: `providers/${provider.id}`,
  name: provider.name,
  endpoint: provider.endpoint,
  service_type: provider.serviceType,
  schema_version: provider.schemaVersion,
  ...(provider.displayName !== null && { display_name: provider.displayName }),
  ...(provider.operations !== null && { operations: provider.operations }),
  ...(provider.metadata !== null && { metadata: provider.metadata }),
  health_status: provider.status,
  create_time: provider.createdAt.toISOString(),
  update_time: provider.updatedAt.toISOString(),
});

type Selection = {
  readonly serviceType?: string | undefined;
  readonly offset?: number;
  readonly limit?: number;
};

/** The control plane's table of providers. Every method throws what Postgres says. */
export type Registry = {
  /** Ready until a health check finds otherwise. @throws where the id or the name is taken. */
  add(id: string, registration: Registration): Promise<Provider>;
  /** Replaces all that was registered; what is left out is cleared. Its failures are forgotten, and it is checked at once. */
  update(id: string, registration: Registration): Promise<Provider>;
  get(id: string): Promise<Provider | undefined>;
  byName(name: string): Promise<Provider | undefined>;
  /** By age, oldest first. */
  list(selection?: Selection): Promise<Provider[]>;
  /** False where there is none. */
  remove(id: string): Promise<boolean>;
  /** Those whose health is to be checked. */
  due(now: Date): Promise<Provider[]>;
  judged(id: string, health: Health, next: Date): Promise<void>;
};

const columns = `id, name, endpoint, service_type as "serviceType", schema_version as "schemaVersion",
  display_name as "displayName", operations, metadata, health_status as status, consecutive_failures as failures,
  create_time as "createdAt", update_time as "updatedAt"`;

export const registryIn = (database: Database): Registry => {
  const providersOf = async (sql: string, values: unknown[]) =>
    (await database.query<Provider>(sql, values)).rows;
  const written = async (sql: string, id: string, registration: Registration) => {
    const [provider] = await providersOf(sql, [id, ...valuesOf(registration)]);
    if (provider === undefined) throw new Error(`There is no provider ${id}.`);
    return provider;
  };
  return {
    add: (id, registration) => written(insert, id, registration),
    update: (id, registration) => written(update, id, registration),
    get: async (id) => (await providersOf(`select ${columns} from providers where id = $1`, [id]))[0],
    byName: async (name) =>
      (await providersOf(`select ${columns} from providers where name = $1`, [name]))[0],
    list: ({ serviceType, offset = 0, limit } = {}) =>
      providersOf(list, [offset, limit ?? null, serviceType ?? null]),
    remove: async (id) =>
      (await database.query('delete from providers where id = $1', [id])).affectedRows === 1,
    due: (now) => providersOf(due, [now]),
    judged: async (id, { status, failures }, next) => {
      await database.query(judged, [id, status, failures, next]);
    },
  };
};

const valuesOf = (registration: Registration): unknown[] => [
  registration.name,
  registration.service_type,
  registration.schema_version,
  registration.endpoint,
  registration.display_name ?? null,
  registration.operations === undefined ? null : JSON.stringify(registration.operations),
  registration.metadata ?? null,
];

const insert = `
  insert into providers (id, name, service_type, schema_version, endpoint, display_name, operations, metadata)
  values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`;

const update = `
  update providers set name = $2, service_type = $3, schema_version = $4, endpoint = $5, display_name = $6,
    operations = $7, metadata = $8, consecutive_failures = 0, next_health_check = null, update_time = now()
  where id = $1 returning ${columns}`;

const list = `
  select ${columns} from providers where $3::text is null or service_type = $3
  order by create_time, id offset $1 limit $2`;

const due = `select ${columns} from providers where next_health_check is null or next_health_check <= $1`;

const judged = `
  update providers set health_status = $2, consecutive_failures = $3, next_health_check = $4 where id = $1`;

/**
 * Registers a provider, or brings its row up to date: the name says which one it is, its id stays.
 * @throws FailedPreconditionError where the name has another id, or the id another name.
 */
const registerProvider =
  (registry: Registry) =>
  async (registration: Registration, id?: string): Promise<{ provider: Provider; isNew: boolean }> => {
    const wanted = registration.id ?? id;
    const known = await registry.byName(registration.name);
    if (known !== undefined) {
      if (wanted !== undefined && wanted !== known.id)
        throw new FailedPreconditionError(
          `name '${registration.name}' already exists with a different provider ID`,
        );
      return { provider: await registry.update(known.id, registration), isNew: false };
    }
    if (wanted !== undefined && (await registry.get(wanted)) !== undefined)
      throw new FailedPreconditionError(`provider with ID '${wanted}' already exists`);
    return { provider: await registry.add(wanted ?? randomUUID(), registration), isNew: true };
  };

const Listing = z.object({
  type: z.string().optional(),
  max_page_size: PageSize,
  page_token: strictPageToken,
});
const Id = z.object({ id: ResourceId.optional() });

/**
 * DCM's registry: `{providers, next_page_token}`, single ones, registration and its end.
 * @see https://github.com/dcm-project/control-plane (internal/sp/handlers/provider/handler.go)
 */
export const providers = (registry: Registry): Hono => {
  const register = registerProvider(registry);
  const found = async (id: string) => {
    const provider = await registry.get(id);
    if (provider === undefined) throw new NotFoundError(`provider ${id} not found`);
    return provider;
  };
  return new Hono()
    .post('/', async ({ req, json }) => {
      const { id } = parsed(Id, req.query());
      const registration = parsed(Registration, await req.json().catch(() => undefined));
      const { provider, isNew } = await register(registration, id);
      return json(toResource(provider), isNew ? 201 : 200);
    })
    .get('/', async ({ req, json }) => {
      const { type, max_page_size: limit, page_token: offset } = parsed(Listing, req.query());
      const rows = await registry.list({ serviceType: type, offset, limit: limit + 1 });
      return json({
        providers: rows.slice(0, limit).map(toResource),
        ...nextPageToken(rows.length, { offset, limit }),
      });
    })
    .get('/:id', async ({ req, json }) => json(toResource(await found(req.param('id')))))
    .delete('/:id', async ({ req, body }) => {
      await found(req.param('id'));
      await registry.remove(req.param('id'));
      return body(null, 204);
    })
    .onError(
      (error) =>
        problemOf(error, 'Provider') ??
        problem('create-error', 'Failed to create provider', 400, reasonOf(error)),
    );
};
