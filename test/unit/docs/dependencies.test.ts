import { readFile } from 'node:fs/promises';
import { minVersion, satisfies } from 'semver';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

const read = (path: string): Promise<string> =>
  readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

const Versions = z.record(z.string(), z.string());
const Package = z.object({
  engines: z.object({ node: z.string() }),
  dependencies: Versions,
  devDependencies: Versions,
});
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      /** A few old packages have a list here, which npm ignores. */
      engines: z.union([z.object({ node: z.string().optional() }), z.array(z.unknown())]).optional(),
      deprecated: z.string().optional(),
    }),
  ),
});

const { engines, dependencies, devDependencies } = Package.parse(JSON.parse(await read('package.json')));
const { '': root, ...installed } = Lock.parse(JSON.parse(await read('package-lock.json'))).packages;
const oldestNode = minVersion(engines.node)?.version ?? '';
const direct = { ...dependencies, ...devDependencies };

/** Packages about which `npm ci` warns, and why they are used. */
const allowed = {
  excludingOldestNode: {
    'node_modules/aws-local-stepfunctions':
      'no version accepts Node 20; local/emulators/step-functions adds Promise.withResolvers, the only function that Node 20 lacks',
  },
  deprecated: {},
};

const nodesOf = ({ engines }: (typeof installed)[string]): string =>
  engines === undefined || Array.isArray(engines) ? '*' : (engines.node ?? '*');

describe('the installed packages', () => {
  it('accept the oldest Node that the README names', async () => {
    const excluding = Object.entries(installed).filter(([, one]) => !satisfies(oldestNode, nodesOf(one)));

    expect(await read('README.md')).toContain(`Node.js ${oldestNode.replace(/\.0$/, '')} or newer`);
    expect(excluding.map(([path]) => path)).toEqual(Object.keys(allowed.excludingOldestNode));
  });

  it('are not deprecated', () => {
    const deprecated = Object.entries(installed).filter(([, one]) => one.deprecated !== undefined);

    expect(deprecated.map(([path]) => path)).toEqual(Object.keys(allowed.deprecated));
  });

  it('are pinned exactly where we name them', () => {
    const ranges = Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));

    expect(ranges).toEqual([]);
  });

  it('are tested by the workflow on every even Node version from the oldest', async () => {
    const workflow = await read('.github/workflows/ci.yml');

    expect(workflow).toContain(`node: [${Number.parseInt(oldestNode, 10)}, 22, 24]`);
  });

  it('are exactly those listed in docs/dependencies.md', async () => {
    const [npm = ''] = (await read('docs/dependencies.md')).split('## For the acceptance test');
    const firstCells = [...npm.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell);
    const named = firstCells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));

    expect(named.toSorted()).toEqual(Object.keys(direct).toSorted());
  });
});
