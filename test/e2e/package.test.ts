import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
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
  provisioning: { regions: { 'eu-west-1': {} } },
  api: { tokenSecret: 'dcm/api' },
  console: {},
};

const Packed = z.tuple([z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })]);
const Versions = z.record(z.string(), z.string());
const Manifest = z.object({ dependencies: Versions, peerDependencies: Versions });
const Printed = z.tuple([z.string(), z.unknown()]);
let packed: string[] = [];
/** What `ec2sp deploy --dry-run` and an app of others print. They begin together, because each has a processor busy for seconds. */
let deployed: ReturnType<typeof node>;
let constructed: ReturnType<typeof node>;

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
  writeFileSync(join(folder, 'app.mjs'), foreignApp);
  deployed = ec2sp('deploy', '--dry-run');
  constructed = node('app.mjs');
});

const foreignApp = `
  import { App, Stack } from 'aws-cdk-lib';
  import { Ec2ServiceProvider } from 'dcm-ec2-service-provider';
  import { readFileSync } from 'node:fs';
  const app = new App({ outdir: 'foreign.out' });
  new Stack(app, 'TheirOwn');
  const provider = new Ec2ServiceProvider(app, 'Dcm', JSON.parse(readFileSync('settings.json', 'utf8')));
  const assembly = app.synth();
  for (const stack of [provider.home, ...provider.streaming])
    console.log(JSON.stringify([stack.stackName, assembly.getStackArtifact(stack.artifactId).template]));`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Without the tools of the repository on the path, and without AWS credentials. */
const environment = { PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(':'), HOME: folder };

const node = async (...args: string[]) => {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
};

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

  it('deploys without tsx and development dependencies, up to the call of AWS', async () => {
    const { status, stdout, stderr } = await deployed;

    expect(status, stderr).toBe(0);
    expect(stdout).toBe('dcm-ec2-sp in eu-west-1\ndcm-ec2-sp-us-east-1 in us-east-1\n');
    expect(stderr).toContain('Nothing was deployed.');
  });

  it('refuses wrong settings in one sentence', async () => {
    await deployed; // the CDK lets one command at a time use its output folder
    writeFileSync(join(folder, 'wrong.json'), JSON.stringify({ ...settings, homeRegion: 'Ireland' }));
    const { status, stderr } = await ec2sp('synth', '--settings', 'wrong.json');

    expect(status).toBe(1);
    expect(stderr).toContain('Setting "homeRegion" must be an AWS region, such as eu-west-1.\n');
  });

  it('has the construct, which makes the same templates in the app of another project', async () => {
    const { status, stdout, stderr } = await constructed;
    expect(status, stderr).toBe(0);
    const templates = stdout
      .trimEnd()
      .split('\n')
      .map((line) => Printed.parse(JSON.parse(line)))
      .map(([name, template]) => [name, resourcesOf(template)]);

    await deployed;
    const ours = (id: string) => readJson(join(folder, `cdk.out/${id}.template.json`));
    expect(templates).toEqual([
      ['dcm-ec2-sp', resourcesOf(ours('HomeRegion'))],
      ['dcm-ec2-sp-us-east-1', resourcesOf(ours('StreamingRegion-us-east-1'))],
    ]);
  });

  it('names the wrong setting where the construct is used', async () => {
    const { status, stderr } = await node(
      '--input-type=module',
      '--eval',
      `import { App } from 'aws-cdk-lib';
       import { Ec2ServiceProvider } from 'dcm-ec2-service-provider';
       new Ec2ServiceProvider(new App(), 'Dcm', { homeRegion: 'eu-west-1', nats: {} });`,
    );

    expect(status).toBe(1);
    expect(stderr).toContain('Setting "nats.urls" is missing');
  });

  it('has types by which TypeScript accepts right settings, and refuses others', async () => {
    const source = (region: string) => `import { App } from 'aws-cdk-lib';
      import { Ec2ServiceProvider, type Settings } from 'dcm-ec2-service-provider';
      const settings: Settings = { homeRegion: ${region}, nats: { urls: ['tls://nats.test:4222'] } };
      export const home: string = new Ec2ServiceProvider(new App(), 'Dcm', settings).home.stackName;`;
    writeFileSync(join(folder, 'right.mts'), source("'eu-west-1'"));
    writeFileSync(join(folder, 'wrong.mts'), source('1'));
    const core = 'node_modules/aws-cdk-lib/core/index.d.ts'; // reading the types of all services takes ten times as long
    const compilerOptions = {
      ...{ noEmit: true, strict: true, module: 'NodeNext', skipLibCheck: true },
      paths: { 'aws-cdk-lib': [`./${core}`] },
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['right.mts', 'wrong.mts'] }),
    );

    const { stdout } = await node(join(repository, 'node_modules/typescript/bin/tsc'));

    const errors = stdout.split('\n').filter((line) => /^\S/.test(line));
    expect(errors).toEqual([
      expect.stringMatching(/^wrong\.mts.*Type 'number' is not assignable to type 'string'/),
    ]);
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
 * of event source mappings, and of permissions of schedules, that is the path of the queue or function.
 */
const resourcesOf = (template: unknown) => {
  const { Resources } = Template.parse(template);
  const own = Object.entries(Resources)
    .filter(([, { Type }]) => Type !== 'AWS::CDK::Metadata')
    .map(([id, resource]) => [
      id.replace(/(?<=SqsEventSource|AllowEventRule).*?HomeRegion(\w+)[0-9A-F]{16}$/, '$1'),
      resource,
    ]);
  const omitted = new Set(['Metadata', 'Sid']);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(own), (key, value) => (omitted.has(key) ? undefined : value)),
  );
};
