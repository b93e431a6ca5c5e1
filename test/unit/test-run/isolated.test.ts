import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const unitTests = fileURLToPath(new URL('..', import.meta.url));

/** What only tests with modules of their own may do: the modules of all others were perhaps loaded by another file before. */
const loadsModulesAnew = /\bvi\.(?:mock|doMock|resetModules)\(|\bawait import\(/;

it('names every unit test that loads modules anew *.isolated.test.ts, so that it does not share them', () => {
  const files = readdirSync(unitTests, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.test.ts'),
  );
  const thatLoad = files.filter((path) => loadsModulesAnew.test(readFileSync(join(unitTests, path), 'utf8')));

  expect(thatLoad).toEqual(files.filter((path) => path.endsWith('.isolated.test.ts')));
});
