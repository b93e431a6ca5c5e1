import type { Spec } from '../api-conventions.ts';
import type { Database } from '../database.ts';

/** One service-type instance in DCM's database. */
export type Row = {
  /** DCM's instance id, at most 63 characters. */
  readonly id: string;
  readonly status: string;
  readonly message: string;
  /** `metadata.name` of the spec, or empty. */
  readonly instanceName: string;
  /** This field and the next two are null where a status event added the row. */
  readonly providerName: string | null;
  readonly serviceType: string | null;
  readonly spec: Spec | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

type Status = Pick<Row, 'id' | 'status' | 'message'>;
type NewInstance = Pick<Row, 'id' | 'instanceName'> & {
  readonly providerName: string;
  readonly serviceType: string;
  readonly spec: Spec;
};

type Selection = {
  readonly offset?: number;
  /** @default no limit */
  readonly limit?: number;
  readonly provider?: string | undefined;
};

/** Status of a row until the provider has answered the create. */
const pending = 'PENDING';

/** The control plane's table of instances. Every method throws Postgres's errors, such as for a NUL in a text. */
export type Rows = {
  /** Adds the PENDING row of a create that is about to be dispatched. @throws where the id is taken. */
  add(instance: NewInstance): Promise<Row>;
  /** Stores the status that the provider answered. No effect where a status event has changed the row before. */
  settle(id: string, status: string): Promise<void>;
  /** Unconditional: the last update wins. False where there is no such row. */
  update(status: Status): Promise<boolean>;
  /** The same, but adds a missing row, unless a row with this id was deleted: then `unknown`. */
  upsert(status: Status): Promise<'added' | 'applied' | 'unknown'>;
  get(id: string): Promise<Row | undefined>;
  /** Oldest first. */
  list(selection?: Selection): Promise<Row[]>;
  /** Permanently; status events do not add the row again. False where there is no such row. */
  remove(id: string): Promise<boolean>;
};

export const rowsSchema = `
  create table if not exists service_type_instances (
    id             varchar(63) primary key,
    status         text        not null,
    status_message text        not null,
    instance_name  text        not null default '',
    provider_name  text,
    service_type   text,
    spec           jsonb,
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now()
  );
  create table if not exists deleted_instances (id varchar(63) primary key);`;

const columns = `id, status, status_message as message, instance_name as "instanceName", provider_name as "providerName",
  service_type as "serviceType", spec, create_time as "createdAt", update_time as "updatedAt"`;

export const rowsIn = (database: Database): Rows => {
  const changes = async (sql: string, values: unknown[]) => (await database.change(sql, values)) === 1;
  return {
    add: async ({ id, instanceName, providerName, serviceType, spec }) => {
      await database.change('delete from deleted_instances where id = $1', [id]);
      const row = await database.one<Row>(insert, [
        id,
        pending,
        instanceName,
        providerName,
        serviceType,
        spec,
      ]);
      if (row === undefined) throw new Error(`the row ${id} was not added`);
      return row;
    },
    settle: async (id, status) => void (await changes(settle, [id, pending, status])),
    update: ({ id, status, message }) => changes(update, [id, status, message]),
    upsert: async ({ id, status, message }) => {
      const row = await database.one<{ added: boolean }>(upsert, [id, status, message]);
      if (row === undefined) return 'unknown';
      return row.added ? 'added' : 'applied';
    },
    get: (id) => database.one<Row>(`select ${columns} from service_type_instances where id = $1`, [id]),
    list: ({ offset = 0, limit, provider } = {}) =>
      database.all<Row>(list, [offset, limit ?? null, provider ?? null]),
    remove: async (id) => {
      await database.change('insert into deleted_instances values ($1) on conflict do nothing', [id]);
      return changes('delete from service_type_instances where id = $1', [id]);
    },
  };
};

const insert = `
  insert into service_type_instances (id, status, status_message, instance_name, provider_name, service_type, spec)
  values ($1, $2, '', $3, $4, $5, $6) returning ${columns}`;

const settle = `
  update service_type_instances set status = $3, update_time = now() where id = $1 and status = $2`;

const update = `
  update service_type_instances set status = $2, status_message = $3, update_time = now() where id = $1`;

/** `xmax` is 0 for a row that was inserted, because its version has replaced none. */
const upsert = `
  insert into service_type_instances (id, status, status_message)
  select $1::text, $2::text, $3::text where not exists (select from deleted_instances where id = $1::text)
  on conflict (id) do update set status = $2::text, status_message = $3::text, update_time = now()
  returning xmax = 0 as added`;

const list = `
  select ${columns} from service_type_instances where $3::text is null or provider_name = $3
  order by create_time, id offset $1 limit $2`;
