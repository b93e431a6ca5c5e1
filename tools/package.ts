import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as z from 'zod';
import cdkJson from '../cdk.json' with { type: 'json' };
import { bundleCli } from '../cli/bundle.ts';
import { bundleAll } from '../infra/bundle.ts';
import { projectFolder as root } from '../infra/project-folder.ts';
import { Settings } from '../infra/settings/settings.ts';
import packageJson from '../package.json' with { type: 'json' };

/** The folder that is published on npm: compiled, with the functions' bundles, so that neither tsx nor esbuild is needed to deploy. */
export const packageFolder = `${root}dist/package`;

const stateMachine = 'functions/poller/state-machine.asl.json';

/** Writes the package. The folders in it are where they are in the repository, so that paths in messages and between files are right in both. */
export const writePackage = async (): Promise<void> => {
  await bundleAll();
  await bundleCli();
  await rm(packageFolder, { recursive: true, force: true });
  await mkdir(packageFolder, { recursive: true });
  await compileInfra();
  const copied = [
    'dist/functions',
    'dist/console',
    'dist/cli',
    'docs',
    'infra/settings.example.json',
    stateMachine,
  ];
  for (const path of [...copied, 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'])
    await cp(root + path, `${packageFolder}/${path}`, { recursive: true });
  await writeJson('package.json', manifest);
  await writeJson('cdk.json', { ...cdkJson, app: 'node infra/app.mjs' });
  await writeFile(`${packageFolder}/infra/ec2-service-provider.d.ts`, declarations());
};

const { name, version, description, license, type, engines, bin, devDependencies } = packageJson;

/** What the package needs that is not in its files. Apps that use the construct bring their own CDK, which must be the only one. */
const manifest = {
  ...{ name, version, description, license, type, engines, bin },
  keywords: ['dcm', 'aws', 'cdk', 'ec2', 'ecs', 'eks', 'nats'],
  exports: {
    '.': { types: './infra/ec2-service-provider.d.ts', default: './infra/ec2-service-provider.mjs' },
    './package.json': './package.json',
  },
  files: ['cdk.json', 'CHANGELOG.md', 'SECURITY.md', 'dist', 'docs', 'infra', stateMachine],
  dependencies: { 'aws-cdk': `^${devDependencies['aws-cdk']}`, 'cdk-nag': devDependencies['cdk-nag'] },
  peerDependencies: {
    'aws-cdk-lib': `^${devDependencies['aws-cdk-lib']}`,
    constructs: `^${devDependencies.constructs}`,
  },
};

const writeJson = (path: string, content: unknown) =>
  writeFile(`${packageFolder}/${path}`, `${JSON.stringify(content, undefined, 2)}\n`);

const compileInfra = async (): Promise<void> => {
  await build({
    absWorkingDir: root,
    entryPoints: ['infra/app.ts', 'infra/ec2-service-provider.ts'],
    outdir: `${packageFolder}/infra`,
    outExtension: { '.js': '.mjs' },
    external: ['aws-cdk-lib', 'constructs', 'cdk-nag'],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
};

/** The types of what the package exports. Those of the settings are made of their schema, so that zod is not needed to compile against them. */
const declarations = (): string => `import type { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** What settings.json may have: docs/configuration.md. */
export type Settings = ${typeOf(z.toJSONSchema(Settings, { io: 'input' }))};

/** The template of an account besides the home account. */
export type AccountTemplate = {
  readonly alias: string;
  /** JSON. */
  readonly body: string;
  /** What an operator should know of it. */
  readonly warnings: readonly string[];
};

/** The stacks of the provider in an app of your own. Throws an error that names the setting if one is wrong. */
export declare class Ec2ServiceProvider extends Construct {
  readonly home: Stack;
  readonly streaming: readonly Stack[];
  readonly accounts: readonly AccountTemplate[];
  constructor(scope: Construct, id: string, settings: Settings);
}
`;

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A schema as a type of TypeScript. @throws Error at a form of schema that the settings did not have so far */
const typeOf = (schema: JsonSchema | boolean): string => {
  if (typeof schema === 'boolean') return 'unknown';
  const { anyOf, enum: values, type, items, properties, required = [], additionalProperties } = schema;
  if (anyOf) return anyOf.map(typeOf).join(' | ');
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ');
  if (type === 'array' && items && !Array.isArray(items)) return `ReadonlyArray<${typeOf(items)}>`;
  if (type === 'object' && properties) {
    const members = Object.entries(properties).map(([key, member]) => {
      const about = typeof member === 'object' && member.description ? `/** ${member.description} */ ` : '';
      return `${about}readonly ${JSON.stringify(key)}${required.includes(key) ? '' : '?'}: ${typeOf(member)};`;
    });
    return `{\n${members.join('\n')}\n}`;
  }
  if (type === 'object' && typeof additionalProperties === 'object')
    return `Readonly<Record<string, ${typeOf(additionalProperties)}>>`;
  if (type === 'integer') return 'number';
  if (type === 'string' || type === 'number' || type === 'boolean') return type;
  throw new Error(`A setting has a schema without a type: ${JSON.stringify(schema)}.`);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await writePackage();
