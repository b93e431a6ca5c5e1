import { PGlite } from '@electric-sql/pglite';

export type Database = Pick<PGlite, 'query' | 'exec' | 'close'>;

const schema = `
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
  create table if not exists deleted_instances (id varchar(63) primary key);
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
  )`;

/** Postgres in this process: in memory, or kept in a folder that only one process may use at a time. `tables` is the SQL that makes them. */
export const openDatabase = async (dataDir?: string, tables = schema): Promise<Database> => {
  const postgres = await PGlite.create(dataDir === undefined ? {} : { dataDir });
  await postgres.exec(tables);
  return postgres;
};

/** What a control plane is left with that was restored from nothing. */
export const forgetAll = async (database: Database): Promise<void> => {
  await database.exec('truncate service_type_instances, deleted_instances, providers');
};
