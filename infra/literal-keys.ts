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
 * Has esbuild omit the schemas of AWS operations that a function does not use. esbuild keeps every object with a computed key, because
 * computing the key could have a side effect, and each schema of EC2's eight hundred operations has such keys. Measured: EC2's client in a
 * function 538 KiB, with this 63; the whole provider-api 1,440 KiB, which exceeds its limit, with this 915. If a version of the SDK writes
 * its schemas differently, nothing matches: the bundles are correct but large, and a test fails.
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
