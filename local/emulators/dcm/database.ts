import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import * as z from 'zod';

/** Queries of a control plane's database. Every method throws Postgres's errors, such as for a NUL in a text. */
export type Database = {
  all<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  one<Row>(sql: string, values?: readonly unknown[]): Promise<Row | undefined>;
  /** How many rows an update or a delete has changed. */
  change(sql: string, values: readonly unknown[]): Promise<number>;
  /** Empties every table, as a restore of an empty backup does. */
  forget(): Promise<void>;
};

/**
 * Opens a Postgres in this process, with the tables of `schema`. The database is in memory, or in the folder `dataDir`, which only one
 * process may use at a time. Disposing closes it.
 */
export const openDatabase = async (schema: string, dataDir?: string): Promise<Database & AsyncDisposable> => {
  const postgres = dataDir === undefined ? await createInMemory() : await PGlite.create({ dataDir });
  await postgres.exec(schema);
  const tables = Array.from(schema.matchAll(/create table if not exists (\w+)/g), ([, name]) => name);
  const all = async <Row>(sql: string, values: readonly unknown[] = []) =>
    (await postgres.query<Row>(sql, [...values])).rows;
  return {
    all,
    one: async <Row>(sql: string, values?: readonly unknown[]) => (await all<Row>(sql, values))[0],
    change: async (sql, values) => (await postgres.query(sql, [...values])).affectedRows ?? 0,
    forget: async () => {
      await postgres.exec(`truncate ${tables.join(', ')}`);
    },
    [Symbol.asyncDispose]: () => postgres.close(),
  };
};

const project = new URL('../../../', import.meta.url);
const cache = fileURLToPath(new URL('.cache/pglite', project));
const Manifest = z.object({ devDependencies: z.object({ '@electric-sql/pglite': z.string() }) });

/**
 * Loads an empty database from the project's cache. PGlite takes several seconds of CPU time to create one, so the first one of each
 * version of PGlite is stored there.
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
  await rename(partial, join(cache, name)); // atomic: another process may be reading the file
  return postgres;
};
