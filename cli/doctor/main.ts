import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import * as z from 'zod';
import type { FunctionName } from '../../infra/bundle.ts';
import { accountsOf, settingsWithin } from '../../infra/settings/accounts.ts';
import { agentStreamsOf, agentsOf } from '../../infra/settings/agent.ts';
import { loadSettings } from '../../infra/settings/load-settings.ts';
import { createdTypesByRegion, reportedTypes } from '../../infra/settings/service-types.ts';
import { invokeFunction } from '../../shared/adapters/aws/function-invocation.ts';
import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { targetName } from '../../shared/core/target.ts';
import { statusSubject } from '../../shared/wire/cloudevents.ts';
import { examine, examineTarget, type Wanted } from './examine.ts';

const folder = fileURLToPath(new URL('../..', import.meta.url));

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // Node 20 is supported

/** The deployment to examine. */
type Deployment = { readonly client: LambdaClient; readonly provider: string; readonly wanted?: Wanted };
type Flags = { readonly settings?: string; readonly target?: string; readonly local?: true };

const command = new Command('npm run doctor --')
  .description(
    'Reports what is missing between DCM and the deployed provider, and what to do. Changes nothing.',
  )
  .option('--settings <file>', 'settings file of the deployment (default: settings.json)')
  .option('--target <target>', 'examine one target alone, such as eu-west-1 or prod/eu-west-1')
  .option('--local', 'examine what `npm start` runs on this machine')
  .addHelpText(
    'after',
    '\nExit code: 0 nothing is wrong, 1 something is wrong, 2 the deployment could not be examined.',
  );

const Endpoints = z.object({ lambdaUrl: z.url() });

const onThisMachine = (): Deployment => {
  const path = resolve(folder, '.local/endpoints.json');
  if (!existsSync(path)) throw new SettingsError('nothing is running on this machine: run npm start first');
  const { lambdaUrl } = Endpoints.parse(JSON.parse(readFileSync(path, 'utf8')));
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return {
    client: new LambdaClient({ endpoint: lambdaUrl, region: 'us-east-1', credentials, maxAttempts: 1 }),
    provider: 'ec2-sp',
  };
};

const onAws = (file: string | undefined): Deployment => {
  const { settings } = loadSettings({ settings: file }, folder);
  const older = settings.controlPlane?.url;
  const targets = [
    { alias: undefined, within: settings },
    ...accountsOf(settings).map(([alias, account]) => ({ alias, within: settingsWithin(settings, account) })),
  ].flatMap(({ alias, within }) => {
    const agents = agentsOf(within);
    return Object.entries(createdTypesByRegion(within)).map(([region, types]) => ({
      ...{ name: targetName({ alias, region }), types, url: older ?? agents[region]?.url },
    }));
  });
  return {
    client: new LambdaClient({ region: settings.homeRegion }),
    provider: settings.provider.name,
    wanted: {
      urls: Object.fromEntries(
        targets.flatMap(({ name, url }) => (url === undefined ? [] : [[name, url] as const])),
      ),
      created: Object.fromEntries(targets.map(({ name, types }) => [name, types])),
      requestStreams: agentStreamsOf(settings),
      statusSubjects: reportedTypes(settings).map(statusSubject),
    },
  };
};

const run = async ({ local, settings, target }: Flags): Promise<void> => {
  const { client, provider, wanted } = local ? onThisMachine() : onAws(settings);
  const invoke = async (box: FunctionName, request: object) => {
    const functionName = `${provider}-${box}`;
    try {
      return (await invokeFunction({ client, functionName, timeoutMs: 40_000 }, request)).answer;
    } catch (cause) {
      throw new Error(`${functionName}: ${reasonOf(cause)}`, { cause });
    }
  };
  const findings = await (target === undefined
    ? examine(invoke, wanted)
    : examineTarget(invoke, target, { wanted }));
  for (const { isWrong, says } of findings) process.stdout.write(`${isWrong ? '✗' : '✓'} ${says}\n`);
  if (findings.some(({ isWrong }) => isWrong)) process.exitCode = 1;
};

try {
  await run(command.parse().opts<Flags>());
} catch (error) {
  process.stderr.write(`npm run doctor: ${reasonOf(error)}\n`);
  process.exitCode = 2;
}
