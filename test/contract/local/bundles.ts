import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of function bundles as infra/bundle.ts would write them, gone after use. */
export const bundles = async () => {
  const root = await mkdtemp(join(tmpdir(), 'bundles-'));
  return {
    write: async (name: string, source: string): Promise<string> => {
      const folder = join(root, name);
      await mkdir(folder);
      await writeFile(join(folder, 'index.mjs'), source);
      return folder;
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
};
