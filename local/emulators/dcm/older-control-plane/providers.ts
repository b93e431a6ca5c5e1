import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import * as z from 'zod';
import { FailedPreconditionError, NotFoundError, reasonOf } from '../../../../shared/core/errors.ts';
import {
  nextPageToken,
  PageSize,
  parse,
  problem,
  problemOf,
  ResourceId,
  strictPageToken,
} from '../api-conventions.ts';
import type { Database } from '../database.ts';
import type { Health } from './health-monitor.ts';

/**
 * A provider's registration. An `id` in the body takes precedence over the one in the query; all other read-only fields, and unknown ones,
 * are ignored.
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

/** A provider as DCM's API answers it; fields that were not registered are left out. */
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

/** The control plane's table of providers. Every method throws Postgres's errors. */
export type Registry = {
  /** The provider is ready until a health check fails. @throws where the id or the name is taken. */
  add(id: string, registration: Registration): Promise<Provider>;
  /** Replaces the registration; fields that are left out are cleared. Resets the failures, and makes the next health check due. */
  update(id: string, registration: Registration): Promise<Provider>;
  get(id: string): Promise<Provider | undefined>;
  byName(name: string): Promise<Provider | undefined>;
  /** Oldest first. */
  list(selection?: Selection): Promise<Provider[]>;
  /** False where there is no such provider. */
  remove(id: string): Promise<boolean>;
  /** The providers whose next health check is due. */
  due(now: Date): Promise<Provider[]>;
  recordHealth(id: string, health: Health, nextCheck: Date): Promise<void>;
};

export const providersSchema = `
  create table if not exists providers (
    id                   varchar(63) primary key,
    name                 text        not null unique,
    service_type         text        not null,
    schema_version       text        not null,
    endpoint             text        not null,
    display_name         text,
    operations           jsonb,
    metadata             jsonb,
    health_status        text        not null default 'ready',
    consecutive_failures integer     not null default 0,
    next_health_check    timestamptz,
    create_time          timestamptz not null default now(),
    update_time          timestamptz not null default now()
  );`;

const columns = `id, name, endpoint, service_type as "serviceType", schema_version as "schemaVersion",
  display_name as "displayName", operations, metadata, health_status as status, consecutive_failures as failures,
  create_time as "createdAt", update_time as "updatedAt"`;

export const registryIn = (database: Database): Registry => {
  const select = (sql: string, values: unknown[]) => database.all<Provider>(sql, values);
  const written = async (sql: string, id: string, registration: Registration) => {
    const [provider] = await select(sql, [id, ...valuesOf(registration)]);
    if (provider === undefined) throw new Error(`there is no provider ${id}`);
    return provider;
  };
  return {
    add: (id, registration) => written(insert, id, registration),
    update: (id, registration) => written(update, id, registration),
    get: async (id) => (await select(`select ${columns} from providers where id = $1`, [id]))[0],
    byName: async (name) => (await select(`select ${columns} from providers where name = $1`, [name]))[0],
    list: ({ serviceType, offset = 0, limit } = {}) =>
      select(list, [offset, limit ?? null, serviceType ?? null]),
    remove: async (id) => (await database.change('delete from providers where id = $1', [id])) === 1,
    due: (now) => select(due, [now]),
    recordHealth: async (id, { status, failures }, nextCheck) => {
      await database.change(recordHealth, [id, status, failures, nextCheck]);
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

const recordHealth = `
  update providers set health_status = $2, consecutive_failures = $3, next_health_check = $4 where id = $1`;

/**
 * Registers a provider, or updates its row. A provider is identified by its name, and its id does not change.
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
 * DCM's registry over HTTP: lists, returns, registers and removes providers.
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
      const { id } = parse(Id, req.query());
      const registration = parse(Registration, await req.json().catch(() => undefined));
      const { provider, isNew } = await register(registration, id);
      return json(toResource(provider), isNew ? 201 : 200);
    })
    .get('/', async ({ req, json }) => {
      const { type, max_page_size: limit, page_token: offset } = parse(Listing, req.query());
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
