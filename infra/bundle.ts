import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type OutputFile, type Plugin } from 'esbuild';
import { type BuiltConsole, consoleBundle } from './console-page.ts';
import { type FunctionName, functionNames } from './function-names.ts';
import { literalKeys } from './literal-keys.ts';
import { bundleFolder, projectFolder as root } from './project-folder.ts';

/** Writes the bundle of one function and returns esbuild's metafile. */
export const bundle = async (name: FunctionName): Promise<Metafile> => {
  const { metafile, outputFiles } = await build({
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
    plugins: [literalKeys, withoutBigIntegers],
    write: false,
    logLevel: 'warning',
  });
  await replace(bundleFolder(name), outputFiles);
  return metafile;
};

/**
 * Omits `json-bigint`, 24 KiB: `cloudevents` parses JSON with it only if CE_USE_BIG_INT is `true`, which no function sets.
 */
const withoutBigIntegers: Plugin = {
  name: 'without-big-integers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^json-bigint$/ }, ({ path }) => ({ path, namespace: 'without-big-integers' }));
    onLoad({ filter: /.*/, namespace: 'without-big-integers' }, () => ({
      contents: 'module.exports = () => JSON;',
    }));
  },
};

/** Writes the script and the style of the console (console/src), which `consolePage` (console-page.ts) makes the page of. */
export const bundleConsole = async (): Promise<void> => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { page: 'console/src/main.tsx' },
    outdir: dirname(consoleBundle),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  });
  const textOf = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text.trim() ?? '';
  const built: BuiltConsole = {
    script: textOf('.js').replaceAll('</script', '<\\/script'),
    style: textOf('.css'),
  };
  await replace(dirname(consoleBundle), [
    { path: consoleBundle, contents: Buffer.from(JSON.stringify(built)) },
  ]);
};

/** Keeps unchanged files, and replaces each other file atomically: another process may be using this folder. */
const replace = async (
  folder: string,
  files: readonly Pick<OutputFile, 'path' | 'contents'>[],
): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const { path, contents } of files) {
    const known = await readFile(path).catch(() => undefined);
    if (known?.equals(contents)) continue;
    const unfinished = join(folder, `.${process.pid}-${basename(path)}`);
    await writeFile(unfinished, contents);
    await rename(unfinished, path);
  }
  const wanted = new Set(files.map(({ path }) => basename(path)));
  const stale = (await readdir(folder)).filter((file) => !wanted.has(file) && !file.startsWith('.'));
  await Promise.all(stale.map((file) => rm(join(folder, file), { force: true })));
};

export const bundleAll = async (): Promise<void> => {
  await bundleConsole();
  for (const name of functionNames) await bundle(name);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleAll();
