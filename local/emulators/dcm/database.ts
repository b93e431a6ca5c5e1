import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import * as z from 'zod';

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
  const postgres = dataDir === undefined ? await createInMemory() : await PGlite.create({ dataDir });
  await postgres.exec(tables);
  return postgres;
};

const project = new URL('../../../', import.meta.url);
const cache = fileURLToPath(new URL('.cache/pglite', project));
const Manifest = z.object({ devDependencies: z.object({ '@electric-sql/pglite': z.string() }) });

/**
 * An empty database as PGlite makes it takes several seconds of CPU time. The first one of each version of PGlite is kept in the project's
 * cache, and loaded from there afterwards.
 */
const createInMemory = async (): Promise<PGlite> => {
  const manifest = Manifest.parse(JSON.parse(await readFile(new URL('package.json', project), 'utf8')));
  const name = `${manifest.devDependencies['@electric-sql/pglite']}.tar`;
  await mkdir(cache, { recursive: true });
  if ((await readdir(cache)).includes(name)) {
    const empty = await readFile(join(cache, name));
    return PGlite.create({ loadDataDir: new Blob([empty], { type: 'application/x-tar' }) });
  }
  const postgres = await PGlite.create();
  const empty = await postgres.dumpDataDir('none');
  const partial = join(cache, randomUUID());
  await writeFile(partial, new Uint8Array(await empty.arrayBuffer()));
  await rename(partial, join(cache, name)); // at once: another process may be reading it
  return postgres;
};

/** What a control plane is left with that was restored from nothing. */
export const forgetAll = async (database: Database): Promise<void> => {
  await database.exec('truncate service_type_instances, deleted_instances, providers');
};
