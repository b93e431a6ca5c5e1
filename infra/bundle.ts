import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One folder in functions/ each: what `cdk deploy` ships and `npm start` runs. */
export const functionNames = ['normaliser', 'nats-bridge', 'poller'] as const;
export type FunctionName = (typeof functionNames)[number];

/** Where a function's bundle is: `index.mjs`, and the chunks that it loads only when it needs them. */
export const bundleFolder = (name: FunctionName): string => `${root}dist/functions/${name}`;

/** Writes the bundle of one function and tells what is in it. */
export const bundle = async (name: FunctionName): Promise<Metafile> => {
  await rm(bundleFolder(name), { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { index: `functions/${name}/handler.ts` },
    outdir: bundleFolder(name),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true, // a dynamic import() becomes a chunk of its own
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    banner: { js: "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);" },
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
};

export const bundleAll = async (): Promise<void> => {
  for (const name of functionNames) await bundle(name);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleAll();
