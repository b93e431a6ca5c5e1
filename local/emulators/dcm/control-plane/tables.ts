import { type Database, openDatabase } from '../database.ts';

/**
 * The tables of today's DCM, as far as a laptop needs them. `documents` holds what DCM only stores and answers: policies, catalog items and
 * their instances. `resources` are placement's view of a run, `service_type_instances` the instance service's view of the same ids.
 */
const schema = `
  create table if not exists agents (
    id             varchar(63) primary key,
    name           text        not null unique,
    environment    text        not null,
    service_types  jsonb       not null,
    cost           text        not null,
    topic_name     text        not null unique,
    health_status  text        not null default 'ready',
    last_heartbeat timestamptz not null default now(),
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now()
  );
  create table if not exists documents (
    kind        text        not null,
    id          varchar(63) not null,
    document    jsonb       not null,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    primary key (kind, id)
  );
  create table if not exists resources (
    id                       varchar(63) primary key,
    run_id                   text        not null,
    catalog_item_instance_id text        not null,
    name                     text        not null,
    spec                     jsonb       not null,
    requires_resources       jsonb       not null,
    dag_level                integer     not null,
    status                   text        not null default 'PENDING',
    agent_name               text        not null
  );
  create table if not exists service_type_instances (
    id                    varchar(63) primary key,
    service_type          text,
    status                text        not null,
    status_message        text        not null default '',
    spec                  jsonb,
    output_spec           jsonb,
    agent_name            text,
    pending_started_at    timestamptz not null default now(),
    retry_count           integer     not null default 0,
    deletion_status       text,
    deletion_requested_at timestamptz,
    create_time           timestamptz not null default now(),
    update_time           timestamptz not null default now()
  );
  create table if not exists deleted_instances (id varchar(63) primary key)`;

/** Queries of the control plane's database. Every method throws what Postgres says, such as of a NUL in a text. */
export type Tables = {
  all<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  one<Row>(sql: string, values?: readonly unknown[]): Promise<Row | undefined>;
  /** How many rows an update or a delete has changed. */
  change(sql: string, values: readonly unknown[]): Promise<number>;
  /** Loses everything, as a restore of an empty backup does. */
  forget(): Promise<void>;
};

/** Opens the tables: in memory, or kept in a folder that only one process may use at a time. Disposing closes them. */
export const openTables = async (dataDir?: string): Promise<Tables & AsyncDisposable> => {
  const database = await openDatabase(dataDir, schema);
  return { ...tablesOf(database), [Symbol.asyncDispose]: () => database.close() };
};

const tablesOf = (database: Database): Tables => {
  const all = async <Row>(sql: string, values: readonly unknown[] = []) =>
    (await database.query<Row>(sql, [...values])).rows;
  return {
    all,
    one: async <Row>(sql: string, values?: readonly unknown[]) => (await all<Row>(sql, values))[0],
    change: async (sql, values) => (await database.query(sql, [...values])).affectedRows ?? 0,
    forget: async () => {
      await database.exec('truncate agents, documents, resources, service_type_instances, deleted_instances');
    },
  };
};
