import type { Database } from '../database.ts';
import type { Health } from './health.ts';
import type { Provider, Registration } from './provider.ts';

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
