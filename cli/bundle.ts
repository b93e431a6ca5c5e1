import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { _InstanceType } from '@aws-sdk/client-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The program `ec2sp` as one file, which needs Node.js alone. */
export const cliFile = `${root}dist/cli/ec2sp.mjs`;

/**
 * Writes that file and returns its size in bytes. The parser of the command line is in it as it is. What a command needs is in it compressed,
 * because Node.js reads a file whole before it runs its first line: uncompressed, `--help` would take twice as long.
 */
export const bundleCli = async (): Promise<number> => {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ['cli/ec2sp/main.ts'],
    outfile: cliFile,
    format: 'esm',
    banner: {
      js: "#!/usr/bin/env node\nimport{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);",
    },
    plugins: [compressed(await bundleCommands())],
    write: false,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild wrote nothing.');
  await mkdir(dirname(cliFile), { recursive: true });
  await writeFile(cliFile, file.contents);
  await chmod(cliFile, 0o755);
  return file.contents.byteLength;
};

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  legalComments: 'none',
  platform: 'node',
  target: 'node20.19',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
} as const satisfies BuildOptions;

const sources = `${root}cli/ec2sp`;

/** What is imported only when a command runs, each module by its path, evaluated at its first use. */
const bundleCommands = async (): Promise<string> => {
  const files = (await readdir(`${sources}/commands`)).map((file) => `./commands/${file}`);
  const modules = ['./context.ts', ...files].map((path) => `'${path}': () => require('${path}')`);
  const { outputFiles } = await build({
    ...common,
    stdin: { contents: `module.exports = { ${modules.join(', ')} };`, resolveDir: sources },
    format: 'cjs',
    supported: { 'dynamic-import': false },
    plugins: [dataOfLibraries],
    write: false,
  });
  return outputFiles[0]?.text ?? '';
};

/** Resolves the modules that are imported when a command runs to the compressed text. */
const compressed = (commands: string): Plugin => ({
  name: 'compressed',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/(context|commands\/[\w-]+)\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'compressed' } : undefined,
    );
    onResolve({ filter: /^compressed-commands$/ }, ({ path }) => ({ path, namespace: 'compressed' }));
    onLoad({ filter: /^compressed-commands$/, namespace: 'compressed' }, () => ({
      contents: `
        const { compileFunction } = require('node:vm');
        const { brotliDecompressSync } = require('node:zlib');
        const code = brotliDecompressSync(Buffer.from('${brotliCompressSync(commands).toString('base64')}', 'base64'));
        const loaded = { exports: {} };
        compileFunction(code.toString(), ['module', 'exports', 'require'])(loaded, loaded.exports, require);
        module.exports = loaded.exports;`,
    }));
    onLoad({ filter: /\.ts$/, namespace: 'compressed' }, ({ path }) => ({
      contents: `module.exports = require('compressed-commands')['${path}']();`,
    }));
  },
});

/** What the settings' schemas use of large libraries, as data: with the libraries, the file would be six times as large. */
const data: Readonly<Record<string, string>> = {
  '@aws-sdk/client-ec2': `export const _InstanceType = ${JSON.stringify(_InstanceType)}`,
  'aws-cdk-lib/aws-logs': `export const RetentionDays = ${JSON.stringify(RetentionDays)}`,
  'aws-cdk-lib/region-info': `export const RegionInfo = ${JSON.stringify({
    regions: RegionInfo.regions.map(({ name }) => ({ name })),
  })}`,
};

const dataOfLibraries: Plugin = {
  name: 'data-of-libraries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(@aws-sdk\/client-ec2|aws-cdk-lib\/.*)$/ }, ({ path }) => ({
      path,
      namespace: 'data-of-libraries',
    }));
    onLoad({ filter: /.*/, namespace: 'data-of-libraries' }, ({ path }) => ({ contents: data[path] ?? '' }));
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleCli();
