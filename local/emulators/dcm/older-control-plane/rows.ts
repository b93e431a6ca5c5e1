import type { Database } from '../database.ts';

/** One service-type instance as DCM remembers it. */
export type Row = {
  /** DCM's instance id, at most 63 characters. */
  readonly id: string;
  readonly status: string;
  readonly message: string;
  /** `metadata.name` of the spec, or nothing. */
  readonly instanceName: string;
  /** These three are null where the row came from a status event and not from a create. */
  readonly providerName: string | null;
  readonly serviceType: string | null;
  readonly spec: Spec | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** What a caller asked for: DCM looks at nothing in it but `service_type`. */
export type Spec = Readonly<Record<string, unknown>>;

type Status = Pick<Row, 'id' | 'status' | 'message'>;
type Asked = Pick<Row, 'id' | 'instanceName'> & {
  readonly providerName: string;
  readonly serviceType: string;
  readonly spec: Spec;
};

type Selection = {
  readonly offset?: number;
  /** Left out: all from the offset on. */
  readonly limit?: number;
  readonly provider?: string | undefined;
};

/** The status of a row whose create the provider has not answered. */
const pending = 'PENDING';

/** The control plane's table. Every method throws what Postgres says, such as of a NUL in a text. */
export type Rows = {
  /** Of a create, before it is dispatched: PENDING. @throws where the id is taken. */
  add(asked: Asked): Promise<Row>;
  /** What the provider answered to the create; without effect where an event was faster. */
  settle(id: string, status: string): Promise<void>;
  /** Unconditional: whatever comes last stays. False where there is no such row. */
  update(status: Status): Promise<boolean>;
  /** The same, but adds the row where there is none, and never was one that was deleted: then `unknown`. */
  upsert(status: Status): Promise<'added' | 'applied' | 'unknown'>;
  get(id: string): Promise<Row | undefined>;
  /** By age, oldest first. */
  list(selection?: Selection): Promise<Row[]>;
  /** For good. False where there is no such row. */
  remove(id: string): Promise<boolean>;
};

const columns = `id, status, status_message as message, instance_name as "instanceName", provider_name as "providerName",
  service_type as "serviceType", spec, create_time as "createdAt", update_time as "updatedAt"`;

export const rowsIn = (database: Database): Rows => {
  const rowsOf = async (sql: string, values: unknown[]) => (await database.query<Row>(sql, values)).rows;
  const changes = async (sql: string, values: unknown[]) =>
    (await database.query(sql, values)).affectedRows === 1;
  return {
    add: async ({ id, instanceName, providerName, serviceType, spec }) => {
      await database.query('delete from deleted_instances where id = $1', [id]);
      const [row] = await rowsOf(insert, [id, pending, instanceName, providerName, serviceType, spec]);
      if (row === undefined) throw new Error(`The row ${id} was not added.`);
      return row;
    },
    settle: async (id, status) => void (await changes(settle, [id, pending, status])),
    update: ({ id, status, message }) => changes(update, [id, status, message]),
    upsert: async ({ id, status, message }) => {
      const { rows } = await database.query<{ added: boolean }>(upsert, [id, status, message]);
      if (rows[0] === undefined) return 'unknown';
      return rows[0].added ? 'added' : 'applied';
    },
    get: async (id) => (await rowsOf(`select ${columns} from service_type_instances where id = $1`, [id]))[0],
    list: ({ offset = 0, limit, provider } = {}) => rowsOf(list, [offset, limit ?? null, provider ?? null]),
    remove: async (id) => {
      await database.query('insert into deleted_instances values ($1) on conflict do nothing', [id]);
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

/** A version that an insert wrote has replaced none. */
const upsert = `
  insert into service_type_instances (id, status, status_message)
  select $1::text, $2::text, $3::text where not exists (select from deleted_instances where id = $1::text)
  on conflict (id) do update set status = $2::text, status_message = $3::text, update_time = now()
  returning xmax = 0 as added`;

const list = `
  select ${columns} from service_type_instances where $3::text is null or provider_name = $3
  order by create_time, id offset $1 limit $2`;
