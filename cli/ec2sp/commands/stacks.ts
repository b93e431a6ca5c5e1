import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import * as z from 'zod/mini';
import type { Action, Context } from '../context.ts';
import { CommandError, exitCodes, UsageError } from '../terminal.ts';

const Options = z.object({
  dryRun: z.optional(z.boolean()),
  yes: z.optional(z.boolean()),
  example: z.optional(z.boolean()),
});

/** Writes the templates. It needs no AWS account. */
export const synth: Action = async (context, { options }) => {
  const { example } = Options.parse(options);
  await synthesize(context, example ? ['-c', 'example=true'] : settingsOf(context));
  return undefined;
};

/** Shows what a deployment would change. */
export const diff: Action = (context) => cdk(context, ['diff', ...settingsOf(context)]);

/** Deploys all stacks. */
export const deploy: Action = async (context, { options }) => {
  const { dryRun, yes } = Options.parse(options);
  const settings = settingsOf(context);
  if (dryRun) {
    await synthesize(context, settings);
    context.talk.say(
      'Nothing was deployed. Without --dry-run these stacks are deployed, the home region first.',
    );
    return undefined;
  }
  return cdk(context, ['deploy', '--all', ...settings, ...(yes ? ['--require-approval', 'never'] : [])]);
};

/** Deletes all stacks. */
export const destroy: Action = async (context, { options }) => {
  const { yes } = Options.parse(options);
  if (!yes && !context.talk.mayAsk)
    throw new UsageError('The deletion of the stacks needs --yes where nobody can be asked.');
  return cdk(context, ['destroy', '--all', ...settingsOf(context), ...(yes ? ['--force'] : [])]);
};

/** The settings for the CDK app. @throws UsageError */
const settingsOf = ({ configuration }: Context): string[] => {
  const path = configuration.settingsPath();
  if (path === undefined)
    throw new UsageError(
      'There are no settings: write settings.json in this folder (ec2sp init does), or name them by --settings FILE.',
    );
  return ['-c', `settings=${path}`];
};

/** What is read of the CDK's manifest of what it wrote. */
const Manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.looseObject({
      ...{ type: z.string(), environment: z.optional(z.string()) },
      properties: z.optional(z.looseObject({ stackName: z.optional(z.string()) })),
    }),
  ),
});

const synthesize = async (context: Context, settings: readonly string[]): Promise<void> => {
  const exitCode = await cdk(context, ['synth', '--quiet', ...settings]);
  if (exitCode !== undefined)
    throw new CommandError('The templates could not be written, for the reason that the CDK gives above.');
  const folder = outputFolder(context);
  const { artifacts } = Manifest.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  for (const { type, environment = '', properties } of Object.values(artifacts))
    if (type === 'aws:cloudformation:stack')
      context.talk.print(`${properties?.stackName} in ${environment.replace(/^.*\//, '')}\n`);
  context.talk.say(`The templates are in ${folder}.`);
};

const outputFolder = ({ terminal }: Context): string => join(terminal.folder, 'cdk.out');

/**
 * Runs the CDK's own command line, which is installed with this program. Its app and its flags are those of cdk.json beside this program; what
 * it writes goes to the working folder. Returns the exit code, where it is not 0.
 */
export const cdk = async (context: Context, args: readonly string[]): Promise<number | undefined> => {
  const { programFolder, env } = context.terminal;
  const child = spawn(process.execPath, [cdkOf(programFolder), ...args, '--output', outputFolder(context)], {
    cwd: programFolder,
    stdio: 'inherit',
    env: { ...env, PATH: [join(programFolder, 'node_modules', '.bin'), env.PATH].join(delimiter) },
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? exitCodes.failed));
  });
  return exitCode === 0 ? undefined : exitCode;
};

/** @throws CommandError where only the one file of this program is installed, or its package without what it needs */
const cdkOf = (programFolder: string): string => {
  const manifest = join(programFolder, 'package.json');
  if (!existsSync(manifest) || !existsSync(join(programFolder, 'cdk.json')))
    throw new CommandError(
      'This program was copied without its package, which has the templates. Use npx dcm-ec2-service-provider, or the folder of the repository.',
    );
  try {
    return createRequire(manifest).resolve('aws-cdk/bin/cdk');
  } catch (cause) {
    throw new CommandError(`The CDK is not installed: run npm install in ${programFolder}.`, { cause });
  }
};
