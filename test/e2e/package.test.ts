import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { packageFolder, writePackage } from '../../tools/package.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'package-'));
const installed = join(folder, 'node_modules/dcm-ec2-service-provider');
const settings = {
  homeRegion: 'eu-west-1',
  streamingRegions: ['us-east-1'],
  nats: { urls: ['tls://nats.test:4222'] },
};

const Packed = z.tuple([z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })]);
const Versions = z.record(z.string(), z.string());
const Manifest = z.object({ dependencies: Versions, peerDependencies: Versions });
const Printed = z.tuple([z.string(), z.unknown()]);
let packed: string[] = [];

/**
 * Installs the packed package into an empty folder, as `npm install` does without the network: its own files are there, and of other packages
 * only those that it names, so that it fails here if it needs one that it does not name.
 */
beforeAll(async () => {
  await writePackage();
  const json = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: packageFolder,
    encoding: 'utf8',
  });
  const [{ filename, files }] = Packed.parse(JSON.parse(json));
  packed = files.map(({ path }) => path);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1']);
  const { dependencies, peerDependencies } = Manifest.parse(readJson(join(installed, 'package.json')));
  for (const name of Object.keys({ ...dependencies, ...peerDependencies }))
    symlinkSync(join(repository, 'node_modules', name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Without the tools of the repository on the path, and without AWS credentials. */
const environment = { PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(':'), HOME: folder };

const node = (...args: string[]) =>
  spawnSync(process.execPath, args, { cwd: folder, env: environment, encoding: 'utf8' });

const ec2sp = (...args: string[]) => node(join(installed, 'dist/cli/ec2sp.mjs'), ...args);

describe('the npm package', () => {
  it('has compiled code only, and what messages refer to', () => {
    expect(packed.filter((path) => /(?<!\.d)\.ts$|^test\/|^local\//.test(path))).toEqual([]);
    expect(packed).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'dist/cli/ec2sp.mjs',
        'dist/functions/normaliser/index.mjs',
        'docs/deploy.md',
      ]),
    );
  });

  it('deploys without tsx and development dependencies, up to the call of AWS', () => {
    const { status, stdout, stderr } = ec2sp('deploy', '--dry-run');

    expect(status, stderr).toBe(0);
    expect(stdout).toBe('dcm-ec2-sp in eu-west-1\ndcm-ec2-sp-us-east-1 in us-east-1\n');
    expect(stderr).toContain('Nothing was deployed.');
  });

  it('refuses wrong settings in one sentence', () => {
    writeFileSync(join(folder, 'wrong.json'), JSON.stringify({ ...settings, homeRegion: 'Ireland' }));
    const { status, stderr } = ec2sp('synth', '--settings', 'wrong.json');

    expect(status).toBe(1);
    expect(stderr).toContain('Setting "homeRegion" must be an AWS region, such as eu-west-1.\n');
  });

  it('has the construct, which makes the same templates in the app of another project', () => {
    writeFileSync(
      join(folder, 'app.mjs'),
      `import { App, Stack } from 'aws-cdk-lib';
       import { Ec2ServiceProvider } from 'dcm-ec2-service-provider';
       import { readFileSync } from 'node:fs';
       const app = new App({ outdir: 'foreign.out' });
       new Stack(app, 'TheirOwn');
       const provider = new Ec2ServiceProvider(app, 'Dcm', JSON.parse(readFileSync('settings.json', 'utf8')));
       const assembly = app.synth();
       for (const stack of [provider.home, ...provider.streaming])
         console.log(JSON.stringify([stack.stackName, assembly.getStackArtifact(stack.artifactId).template]));`,
    );
    const { status, stdout, stderr } = node('app.mjs');
    expect(status, stderr).toBe(0);
    const templates = stdout
      .trimEnd()
      .split('\n')
      .map((line) => Printed.parse(JSON.parse(line)))
      .map(([name, template]) => [name, resourcesOf(template)]);

    expect(ec2sp('synth').status).toBe(0);
    const ours = (id: string) => readJson(join(folder, `cdk.out/${id}.template.json`));
    expect(templates).toEqual([
      ['dcm-ec2-sp', resourcesOf(ours('HomeRegion'))],
      ['dcm-ec2-sp-us-east-1', resourcesOf(ours('StreamingRegion-us-east-1'))],
    ]);
  });

  it('names the wrong setting where the construct is used', () => {
    const { status, stderr } = node(
      '--input-type=module',
      '--eval',
      `import { App } from 'aws-cdk-lib';
       import { Ec2ServiceProvider } from 'dcm-ec2-service-provider';
       new Ec2ServiceProvider(new App(), 'Dcm', { homeRegion: 'eu-west-1', nats: {} });`,
    );

    expect(status).toBe(1);
    expect(stderr).toContain('Setting "nats.urls" is missing');
  });

  it('has types by which TypeScript accepts right settings, and refuses others', () => {
    const source = (region: string) => `import { App } from 'aws-cdk-lib';
      import { Ec2ServiceProvider, type Settings } from 'dcm-ec2-service-provider';
      const settings: Settings = { homeRegion: ${region}, nats: { urls: ['tls://nats.test:4222'] } };
      export const home: string = new Ec2ServiceProvider(new App(), 'Dcm', settings).home.stackName;`;
    const compile = (name: string, region: string) => {
      writeFileSync(join(folder, name), source(region));
      const options = ['--noEmit', '--strict', '--module', 'NodeNext', '--skipLibCheck', name];
      return node(join(repository, 'node_modules/typescript/bin/tsc'), ...options);
    };

    expect(compile('right.mts', "'eu-west-1'").stdout).toBe('');
    expect(compile('wrong.mts', '1').stdout).toContain("Type 'number' is not assignable to type 'string'");
  });

  it('may be published', () => {
    const { private: isPrivate } = z
      .object({ private: z.boolean().optional() })
      .parse(readJson(join(installed, 'package.json')));
    expect(isPrivate).toBeUndefined();
  });
});

const Template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

/**
 * The resources of a template, without what tells where constructs are in an app: metadata, ids of policy statements, and the part of the ids
 * of event source mappings that is the path of the queue.
 */
const resourcesOf = (template: unknown) => {
  const { Resources } = Template.parse(template);
  const own = Object.entries(Resources)
    .filter(([, { Type }]) => Type !== 'AWS::CDK::Metadata')
    .map(([id, resource]) => [
      id.replace(/(?<=SqsEventSource).*?HomeRegion(\w+)[0-9A-F]{16}$/, '$1'),
      resource,
    ]);
  const omitted = new Set(['Metadata', 'Sid']);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(own), (key, value) => (omitted.has(key) ? undefined : value)),
  );
};
