import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { FunctionName } from '../../infra/function-names.ts';
import { accountsOf, settingsWithin } from '../../infra/settings/accounts.ts';
import { agentPlaces, agentStreamsOf, agentsOf } from '../../infra/settings/agent.ts';
import { loadSettings } from '../../infra/settings/load-settings.ts';
import { createdTypesByRegion, reportedTypes } from '../../infra/settings/service-types.ts';
import type { Settings } from '../../infra/settings/settings.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { invokeFunction } from '../../shared/adapters/aws/function-invocation.ts';
import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { targetName } from '../../shared/core/target.ts';
import { statusSubject } from '../../shared/wire/cloudevents.ts';
import { examineAccount, ofClock, type WantedInAccount } from './account.ts';
import { examine, examineTarget, type Finding, look, type Wanted } from './examine.ts';

/** The deployment to examine. */
type Deployment = {
  readonly client: LambdaClient;
  readonly provider: string;
  readonly wanted?: Wanted;
  /** What is around its functions, which are invoked anyway. */
  readonly surroundings: (target: string | undefined) => Promise<Finding[]>;
};

const Endpoints = z.object({ lambdaUrl: z.url(), providerApiUrl: z.url() });

/** What runs on this machine, from a folder. @throws SettingsError where nothing runs */
export const onThisMachine = (folder: string): Deployment => {
  const path = resolve(folder, '.local/endpoints.json');
  if (!existsSync(path)) throw new SettingsError('nothing is running on this machine: run npm start first');
  const { lambdaUrl, providerApiUrl } = Endpoints.parse(JSON.parse(readFileSync(path, 'utf8')));
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return {
    client: new LambdaClient({ endpoint: lambdaUrl, region: 'us-east-1', credentials, maxAttempts: 1 }),
    provider: 'ec2-sp',
    surroundings: () => look("This machine's clock", () => ofClock(providerApiUrl, 'the API')),
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
  const client = new LambdaClient({ region: settings.homeRegion });
  const caller = { credentials: () => client.config.credentials(), endpoint: process.env.AWS_ENDPOINT_URL };
  return {
    client,
    provider: settings.provider.name,
    surroundings: (target) => examineAccount(caller, wantedInAccount(settings, target)),
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

/** What the settings say about the home account. With a target, what is about others is left out; what is in another account cannot be asked with credentials of the home account. */
export const wantedInAccount = (settings: Settings, target: string | undefined): WantedInAccount => {
  const { provider, homeRegion, streamingRegions, legacyRegions, containers, clusters, provisioning } =
    settings;
  const isMeant = (region: string) => target === undefined || region === target;
  const regions = [homeRegion, ...streamingRegions, ...legacyRegions].filter(isMeant);
  const stack = `dcm-${provider.name}`;
  return {
    homeRegion,
    stacks: [
      { name: stack, region: homeRegion },
      ...streamingRegions.filter(isMeant).map((region) => ({ name: `${stack}-${region}`, region })),
    ],
    regions,
    secrets: secretsOf(settings),
    roles: [
      { setting: 'containers.executionRoleArn', arn: containers?.executionRoleArn },
      ...(containers?.taskRoles ?? []).map((arn) => ({ setting: 'containers.taskRoles', arn })),
      { setting: 'clusters.clusterRoleArn', arn: clusters?.clusterRoleArn },
      { setting: 'clusters.nodeRoleArn', arn: clusters?.nodeRoleArn },
      ...(provisioning?.instanceProfiles ?? []).map(({ roleArn }) => ({
        ...{ setting: 'provisioning.instanceProfiles', arn: roleArn },
      })),
    ].flatMap(({ setting, arn }) => (arn === undefined ? [] : [{ setting, arn }])),
    accounts: Object.fromEntries(accountsOf(settings).map(([alias, { id }]) => [alias, id])),
  };
};

/** Every secret that the settings name, once. */
const secretsOf = (settings: Settings): WantedInAccount['secrets'] => {
  const { nats, api, inventory, console: page } = settings;
  const all = [
    { setting: 'nats.credentialsSecret', name: nats.credentialsSecret },
    { setting: 'api.tokenSecret', name: api?.tokenSecret },
    ...accountsOf(settings).map(([alias, account]) => ({
      ...{ setting: `accounts.${alias}.api.tokenSecret`, name: account.api?.tokenSecret },
    })),
    ...agentPlaces(settings).map(([place, { auth }]) => ({
      setting: `${place}.auth`,
      name: auth && ('tokenSecret' in auth ? auth.tokenSecret : auth.clientSecret),
    })),
    ...(inventory?.tokens ?? []).map(({ secret }) => ({ setting: 'inventory.tokens', name: secret })),
    ...(page?.readers ?? []).map((name) => ({ setting: 'console.readers', name })),
  ].flatMap(({ setting, name }) => (name === undefined ? [] : [{ setting, name }]));
  return all.filter(({ name }, index) => all.findIndex((one) => one.name === name) === index);
};

/**
 * Examines a deployment; with a target, only what is about that one.
 * @throws SettingsError where there is no such target, and without AWS credentials
 */
export const findingsOf = async (
  { client, provider, wanted, surroundings }: Deployment,
  target?: string | undefined,
): Promise<Finding[]> => {
  const { version } = packageJson;
  await client.config.credentials().catch((cause: unknown) => {
    throw new SettingsError(
      `there are no AWS credentials (${reasonOf(cause)}). Log in, for instance with aws sso login, or set AWS_PROFILE`,
      { cause },
    );
  });
  const invoke = async (box: FunctionName, request: object) => {
    const functionName = `${provider}-${box}`;
    try {
      return (await invokeFunction({ client, functionName, timeoutMs: 40_000 }, request)).answer;
    } catch (cause) {
      throw new Error(`${functionName}: ${reasonOf(cause)}`, { cause });
    }
  };
  const [around, within] = await Promise.all([
    surroundings(target),
    target === undefined
      ? examine(invoke, wanted, { version })
      : examineTarget(invoke, target, { wanted, version }),
  ]);
  return [...around, ...within];
};

/** A finding as a line. */
export const lineOf = ({ isWrong, says }: Finding): string => `${isWrong ? '✗' : '✓'} ${says}\n`;
