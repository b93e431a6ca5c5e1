import { chmod } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { _InstanceType } from '@aws-sdk/client-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The program `ec2sp` as one file, which needs Node.js alone. */
export const cliFile = `${root}dist/cli/ec2sp.mjs`;

/**
 * Writes that file and returns esbuild's metafile. It is not split: what is behind an `import()` is in the file, and is evaluated when it is
 * needed.
 */
export const bundleCli = async (): Promise<Metafile> => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['cli/ec2sp/main.ts'],
    outfile: cliFile,
    bundle: true,
    minify: true,
    legalComments: 'none',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    banner: {
      js: "#!/usr/bin/env node\nimport{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);",
    },
    metafile: true,
    plugins: [dataOfLibraries, lazyBuiltins],
    logLevel: 'warning',
  });
  await chmod(cliFile, 0o755);
  return metafile;
};

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

/** Loads Node's own modules when they are first used: the imports of a file with all commands would all be loaded at its start. */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, namespace }) =>
      namespace === 'lazy-builtins' ? { path, external: true } : { path, namespace: 'lazy-builtins' },
    );
    onLoad({ filter: /.*/, namespace: 'lazy-builtins' }, ({ path }) => ({
      contents: `module.exports = require('${path}')`,
    }));
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleCli();
