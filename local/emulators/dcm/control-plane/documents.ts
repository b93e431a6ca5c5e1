import { randomUUID } from 'node:crypto';
import { FailedPreconditionError } from '../../../../shared/core/errors.ts';
import type { Database } from '../database.ts';

export type Stored<Document> = {
  readonly id: string;
  readonly document: Document;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** The documents of one kind, which DCM stores and answers as they were posted. */
export type Documents<Document> = {
  /** @throws FailedPreconditionError where the id is taken. */
  add(document: Document, id?: string): Promise<Stored<Document>>;
  get(id: string): Promise<Stored<Document> | undefined>;
  /** Oldest first. */
  list(): Promise<Stored<Document>[]>;
  replace(id: string, document: Document): Promise<void>;
  /** False where there is no such document. */
  remove(id: string): Promise<boolean>;
};

const columns = `id, document, create_time as "createdAt", update_time as "updatedAt"`;

export const documentsIn = <Document>(database: Database, kind: string): Documents<Document> => {
  const get = (id: string) =>
    database.one<Stored<Document>>(`select ${columns} from documents where kind = $1 and id = $2`, [
      kind,
      id,
    ]);
  return {
    get,
    add: async (document, id = randomUUID()) => {
      const insert = `insert into documents (kind, id, document) values ($1, $2, $3) on conflict do nothing returning ${columns}`;
      const stored = await database.one<Stored<Document>>(insert, [kind, id, document]);
      if (stored === undefined) throw new FailedPreconditionError(`${kind} ID already exists`);
      return stored;
    },
    list: () =>
      database.all<Stored<Document>>(
        `select ${columns} from documents where kind = $1 order by create_time, id`,
        [kind],
      ),
    replace: async (id, document) => {
      const update = 'update documents set document = $3, update_time = now() where kind = $1 and id = $2';
      await database.change(update, [kind, id, document]);
    },
    remove: async (id) =>
      (await database.change('delete from documents where kind = $1 and id = $2', [kind, id])) > 0,
  };
};
