/**
 * `npm start`: makes one file of local/main.ts and what it imports of this repository, and runs it. Loading the same files one by one with tsx
 * takes three times as long.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const folder = new URL('../dist/local/', import.meta.url);
const bundle = new URL('main.mjs', folder);

/** In the bundle, as before, each module's `import.meta.url` is that of its own file: paths of other files begin there. */
const ownUrls = {
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      return {
        contents: `const importMetaUrl = ${JSON.stringify(pathToFileURL(path))};${source}`,
        loader: 'ts',
      };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
  outfile: fileURLToPath(bundle),
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  define: { 'import.meta.url': 'importMetaUrl' },
  plugins: [ownUrls],
  write: false,
  logLevel: 'warning',
});
const unfinished = new URL(`.${process.pid}-main.mjs`, folder);
await mkdir(folder, { recursive: true });
await writeFile(unfinished, outputFiles[0].contents);
await rename(unfinished, bundle); // at once, because another start may be reading it
await import(bundle);
