import { PGlite } from '@electric-sql/pglite';

/** One service-type instance as DCM remembers it. */
export type Row = {
  /** DCM's instance id, at most 63 characters. */
  readonly id: string;
  readonly status: string;
  readonly message: string;
  /** null where the row came from a status event and not from a create. */
  readonly providerName: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

type Status = Pick<Row, 'id' | 'status' | 'message'>;

/** The control plane's table. Every method throws what Postgres says, such as of a NUL in a text. */
export type Rows = {
  /** Unconditional: whatever comes last stays. False where there is no such row. */
  update(status: Status): Promise<boolean>;
  /** The same, but adds the row where there is none. */
  upsert(status: Status): Promise<'added' | 'applied'>;
  get(id: string): Promise<Row | undefined>;
  /** By age, oldest first. Without a limit: all from the offset on. */
  list(page?: { readonly offset: number; readonly limit: number }): Promise<Row[]>;
  close(): Promise<void>;
};

const schema = `
  create table if not exists service_type_instances (
    id             varchar(63) primary key,
    status         text        not null,
    status_message text        not null,
    provider_name  text,
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now()
  )`;

const columns = `id, status, status_message as message, provider_name as "providerName",
  create_time as "createdAt", update_time as "updatedAt"`;

/** Postgres in this process: in memory, or kept in a folder that only one process may use at a time. */
export const openRows = async (dataDir?: string): Promise<Rows> => {
  const postgres = await PGlite.create(dataDir === undefined ? {} : { dataDir });
  await postgres.exec(schema);
  return {
    update: async ({ id, status, message }) => {
      const { affectedRows } = await postgres.query(
        'update service_type_instances set status = $2, status_message = $3, update_time = now() where id = $1',
        [id, status, message],
      );
      return affectedRows === 1;
    },
    upsert: async ({ id, status, message }) => {
      const { rows } = await postgres.query<{ added: boolean }>(
        `insert into service_type_instances (id, status, status_message) values ($1, $2, $3)
         on conflict (id) do update set status = $2, status_message = $3, update_time = now()
         returning xmax = 0 as added`, // a version that an insert wrote has replaced none
        [id, status, message],
      );
      return rows[0]?.added ? 'added' : 'applied';
    },
    get: async (id) => {
      const sql = `select ${columns} from service_type_instances where id = $1`;
      return (await postgres.query<Row>(sql, [id])).rows[0];
    },
    list: async (page) => {
      const sql = `select ${columns} from service_type_instances order by create_time, id offset $1 limit $2`;
      return (await postgres.query<Row>(sql, [page?.offset ?? 0, page?.limit ?? null])).rows;
    },
    close: () => postgres.close(),
  };
};
