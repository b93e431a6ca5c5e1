import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** A string constant, as the SDK's generator writes all of them. */
const constant = /^const (_\w+) = ("[^"\\]*");$/gm;

/** `{ [_name]: 1 }` becomes `{ "name": 1 }` where `_name` is a string constant of the same file: the same object. */
export const withLiteralKeys = (source: string): string => {
  const values = new Map([...source.matchAll(constant)].map(([, name, value]) => [name, value]));
  return source.replace(/\[(_\w+)\]:/g, (key, name: string) =>
    values.has(name) ? `${values.get(name)}:` : key,
  );
};

/**
 * Lets esbuild leave out the schemas of AWS operations that a function does not use. It keeps every object with a computed key, for
 * computing one could have an effect, and of EC2's eight hundred operations' schemas each has some. Measured: EC2's client in a function
 * 538 KiB, with this 63; all of the provider-api 1,440 KiB, more than it may be, with this 915. Where the SDK comes to write its schemas
 * differently nothing matches, the bundles are right and merely large, and a test says so.
 */
export const literalKeys: Plugin = {
  name: 'literal-keys',
  setup({ onLoad }) {
    const schemas = /@aws-sdk[\\/]client-[^\\/]+[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/;
    onLoad({ filter: schemas }, async ({ path }) => ({
      contents: withLiteralKeys(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
};
