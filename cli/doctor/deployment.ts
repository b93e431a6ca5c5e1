import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { FunctionName } from '../../infra/function-names.ts';
import { accountsOf, settingsWithin } from '../../infra/settings/accounts.ts';
import { agentStreamsOf, agentsOf } from '../../infra/settings/agent.ts';
import { loadSettings } from '../../infra/settings/load-settings.ts';
import { createdTypesByRegion, reportedTypes } from '../../infra/settings/service-types.ts';
import { invokeFunction } from '../../shared/adapters/aws/function-invocation.ts';
import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { targetName } from '../../shared/core/target.ts';
import { statusSubject } from '../../shared/wire/cloudevents.ts';
import { examine, examineTarget, type Finding, type Wanted } from './examine.ts';

/** The deployment to examine. */
type Deployment = { readonly client: LambdaClient; readonly provider: string; readonly wanted?: Wanted };

const Endpoints = z.object({ lambdaUrl: z.url() });

/** What runs on this machine, from a folder. @throws SettingsError where nothing runs */
export const onThisMachine = (folder: string): Deployment => {
  const path = resolve(folder, '.local/endpoints.json');
  if (!existsSync(path)) throw new SettingsError('nothing is running on this machine: run npm start first');
  const { lambdaUrl } = Endpoints.parse(JSON.parse(readFileSync(path, 'utf8')));
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return {
    client: new LambdaClient({ endpoint: lambdaUrl, region: 'us-east-1', credentials, maxAttempts: 1 }),
    provider: 'ec2-sp',
  };
};

/** What is deployed with a settings file, settings.json by default. @throws SettingsError */
export const onAws = (file: string | undefined, folder: string): Deployment => {
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

/**
 * Examines a deployment; with a target, only what is about that one.
 * @throws SettingsError where there is no such target
 */
export const findingsOf = (
  { client, provider, wanted }: Deployment,
  target?: string | undefined,
): Promise<Finding[]> => {
  const invoke = async (box: FunctionName, request: object) => {
    const functionName = `${provider}-${box}`;
    try {
      return (await invokeFunction({ client, functionName, timeoutMs: 40_000 }, request)).answer;
    } catch (cause) {
      throw new Error(`${functionName}: ${reasonOf(cause)}`, { cause });
    }
  };
  return target === undefined ? examine(invoke, wanted) : examineTarget(invoke, target, { wanted });
};

/** A finding as a line. */
export const lineOf = ({ isWrong, says }: Finding): string => `${isWrong ? '✗' : '✓'} ${says}\n`;
