import { fileURLToPath } from 'node:url';
import type { FunctionName } from './function-names.ts';

/** The folder of the repository, or of the npm package, whose compiled files are as deep: it ends with a slash. */
export const projectFolder = fileURLToPath(new URL('..', import.meta.url));

/** The folder of a function's bundle: `index.mjs`, and the chunks that it loads only when it needs them. */
export const bundleFolder = (name: FunctionName): string => `${projectFolder}dist/functions/${name}`;
