import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type OutputFile, type Plugin } from 'esbuild';
import * as z from 'zod';
import { type BuiltConsole, consoleBundle } from './console-page.ts';
import { type FunctionName, functionNames } from './function-names.ts';
import { literalKeys } from './literal-keys.ts';
import { bundleFolder, projectFolder as root } from './project-folder.ts';

/** Writes the bundle of one function and returns esbuild's metafile. */
export const bundle = async (name: FunctionName): Promise<Metafile> => {
  const startedAtMs = Date.now();
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
    plugins: [literalKeys, withReplacements],
    write: false,
    logLevel: 'warning',
  });
  await replace(bundleFolder(name), outputFiles);
  await noteSources(name, [...Object.keys(metafile.inputs), ...Object.keys(metafile.outputs)], startedAtMs);
  return metafile;
};

/** Modules that the functions do not need as they are: who imports them, and what takes their place. */
const replacements: readonly {
  readonly module: string;
  readonly importer: RegExp;
  readonly contents: string;
}[] = [
  // 24 KiB. It is used only where the environment variable CE_USE_BIG_INT is `true`, and no function sets it.
  { module: 'json-bigint', importer: /\/cloudevents\//, contents: 'module.exports = () => JSON;' },
  // 5 KiB, for the ids of events that have none. RFC 9562, version 4, as well.
  {
    ...{ module: 'uuid', importer: /\/cloudevents\// },
    contents: "exports.v4 = require('node:crypto').randomUUID;",
  },
  // 7 KiB, for endpoint discovery, which no function switches on.
  {
    ...{ module: 'mnemonist/lru-cache', importer: /\/@aws-sdk\/endpoint-cache\// },
    contents:
      'module.exports = class extends Map { constructor() { super(); } peek(key) { return this.get(key); } };',
  },
];

const PackageJson = z.object({ version: z.string() });

const withReplacements: Plugin = {
  name: 'with-replacements',
  setup({ onResolve, onLoad }) {
    // A callback for every import would take longer than bundling does.
    const filter = new RegExp(`^(${replacements.map(({ module }) => module).join('|')})$`);
    onResolve({ filter }, ({ path, importer }) => {
      const found = replacements.find((one) => one.module === path && one.importer.test(importer));
      return found && { path, namespace: 'replacement', pluginData: found.contents };
    });
    onLoad({ filter: /./, namespace: 'replacement' }, ({ pluginData }) => ({ contents: String(pluginData) }));
    // 2 KiB for each client, which needs its version alone.
    onLoad({ filter: /\/@aws-sdk\/client-[\w-]+\/package\.json$/ }, async ({ path }) => {
      const { version } = PackageJson.parse(JSON.parse(await readFile(path, 'utf8')));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
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
    await writeAtomically(path, contents);
  }
  const wanted = new Set(files.map(({ path }) => basename(path)));
  const stale = (await readdir(folder)).filter((file) => !wanted.has(file) && !file.startsWith('.'));
  await Promise.all(stale.map((file) => rm(join(folder, file), { force: true })));
};

const writeAtomically = async (path: string, contents: Uint8Array): Promise<void> => {
  const unfinished = join(dirname(path), `.${process.pid}-${basename(path)}`);
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
};

/** Besides the modules, what a bundle depends on. */
const ofAllBundles = ['infra/bundle.ts', 'infra/literal-keys.ts', 'package-lock.json'];
const Sources = z.record(z.string(), z.string());
const sourcesFile = (name: FunctionName): string => `${root}dist/sources/${name}.json`;

type Version = { readonly text: string; readonly changedAtMs: number };

/** A file's version, by its time and size; undefined where it is missing. */
const versionOf = async (path: string): Promise<Version | undefined> => {
  const found = await stat(join(root, path)).catch(() => undefined);
  return found && { text: `${found.mtimeMs} ${found.size}`, changedAtMs: found.mtimeMs };
};

/** Keeps from which files a bundle was made, unless one of its sources was changed meanwhile. */
const noteSources = async (
  name: FunctionName,
  paths: readonly string[],
  startedAtMs: number,
): Promise<void> => {
  const files = [...paths, ...ofAllBundles].filter((path) => !path.startsWith('replacement:'));
  const versions = await Promise.all(files.map(async (path) => [path, await versionOf(path)] as const));
  const isChanged = versions.some(
    ([path, version]) => !path.startsWith('dist/') && (version?.changedAtMs ?? 0) >= startedAtMs,
  );
  if (isChanged) return;
  const sources = Object.fromEntries(versions.map(([path, version]) => [path, version?.text ?? '']));
  await mkdir(dirname(sourcesFile(name)), { recursive: true });
  await writeAtomically(sourcesFile(name), Buffer.from(JSON.stringify(sources)));
};

/** The functions whose sources have changed since they were bundled. A file is in several bundles, and is looked at once. */
const changedFunctions = async (): Promise<FunctionName[]> => {
  const versions = new Map<string, ReturnType<typeof versionOf>>();
  const isUnchanged = async ([path, version]: readonly [string, string]) => {
    const found = versions.get(path) ?? versionOf(path);
    versions.set(path, found);
    return (await found)?.text === version;
  };
  const isCurrent = async (name: FunctionName) => {
    const text = await readFile(sourcesFile(name), 'utf8').catch(() => '{}');
    const same = await Promise.all(Object.entries(Sources.parse(JSON.parse(text))).map(isUnchanged));
    return same.length > 0 && same.every(Boolean);
  };
  const current = await Promise.all(functionNames.map(isCurrent));
  return functionNames.filter((_, at) => !current[at]);
};

/** Writes all bundles whose sources have changed since they were written. */
export const bundleAll = async (): Promise<void> => {
  const [changed] = await Promise.all([changedFunctions(), bundleConsole()]);
  for (const name of changed) await bundle(name);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleAll();
