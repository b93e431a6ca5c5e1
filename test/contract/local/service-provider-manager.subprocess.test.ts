import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findServiceProviderManager,
  whyNoDcm,
} from '../../../local/emulators/dcm/service-provider-manager/start.ts';

const folderWith = async (commands: Record<string, string>) => {
  const path = await mkdtemp(join(tmpdir(), 'dcm-'));
  for (const [name, script] of Object.entries(commands)) {
    await writeFile(join(path, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(path, name), 0o755);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
};
const compiler = { gcc: '' };
const building = { ...compiler, go: `echo "$1 with $GOFLAGS"; /bin/ls; echo > "$3"; /bin/chmod 755 "$3"` };

const search = async (commands: Record<string, string>, times = 1) => {
  await using bin = await folderWith(commands);
  await using cache = await folderWith({});
  const lines: string[] = [];
  const options = {
    environment: { PATH: bin.path },
    cache: cache.path,
    log: (line: string) => lines.push(line),
  };
  const found = await Promise.all(
    Array.from({ length: times }, () => findServiceProviderManager(options).catch((error) => String(error))),
  );
  return { found: found.map((path) => path.replace(cache.path, '<cache>')), lines };
};

describe("finding DCM's service provider manager", () => {
  it('builds the pinned version with Go, once for all who ask at the same time', async () => {
    const { found, lines } = await search(building, 3);

    expect(found[0]).toMatch(/^<cache>\/[0-9a-f]{12}\/service-provider-manager$/);
    expect(new Set(found).size).toBe(1);
    expect(lines).toEqual([
      expect.stringContaining('only the first time'),
      'build with -mod=readonly',
      'go.mod',
      'go.sum',
    ]);
  });

  it('takes the one that DCM_BIN names', async () => {
    const environment = { DCM_BIN: '/somewhere/dcm' };

    expect(await findServiceProviderManager({ environment, log: () => undefined })).toBe('/somewhere/dcm');
    expect(await whyNoDcm(environment)).toBeUndefined();
  });

  it.each([
    { what: 'Go', commands: compiler, reason: 'install Go' },
    { what: 'a C compiler', commands: { go: '' }, reason: 'install gcc or clang' },
  ])('says in one line that $what is missing', async ({ commands, reason }) => {
    const { found } = await search(commands);

    expect(found[0]).toContain(reason);
    expect(found[0]).not.toContain('\n');
  });

  it('says that the build failed, and leaves nothing half done', async () => {
    const { found, lines } = await search({ ...compiler, go: 'echo "no network" >&2; exit 1' }, 2);

    expect(found).toEqual([
      expect.stringContaining('could not be built'),
      expect.stringContaining('could not be built'),
    ]);
    expect(lines).toContain('no network');
  });
});
