import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { FunctionName } from '../../infra/function-names.ts';
import { functionNameOf } from '../../infra/functions.ts';
import { reasonOf } from '../../shared/core/errors.ts';
import { type Credentials, opensTargetsOf } from '../../shared/http/authentication.ts';
import type { AccountsFile } from '../../shared/runtime/accounts.ts';
import { startControlServer } from '../control/start-control-server.ts';
import { startEventSourceMapping } from '../emulators/event-source-mapping.ts';
import { startHttpApi } from '../emulators/http-api.ts';
import { type LambdaHost, startLambdaHost } from '../emulators/lambda/start-lambda-host.ts';
import { startSchedule } from '../emulators/schedule.ts';
import { startSecretsManager } from '../emulators/secrets-manager.ts';
import { loadInterpreter, startStateMachine } from '../emulators/step-functions/start-state-machine.ts';
import type { Use } from '../processes/disposables.ts';
import type { Aws } from './aws.ts';
import { startChangeStreams } from './change-streams.ts';
import type { Dcm } from './dcm.ts';
import {
  inventoryTokenSecret,
  localFunctions,
  prodTokenSecret,
  readerTokenSecret,
  tokenSecret,
} from './functions.ts';
import { prod, provider, type StackOptions } from './options.ts';

export type Compute = {
  readonly lambda: LambdaHost;
  readonly providerApiUrl: string;
  readonly providerApiToken: string;
  /** The token of the other account. */
  readonly prodProviderApiToken: string;
  readonly inventoryUrl: string;
  readonly inventoryToken: string;
  /** The token that permits reading alone. */
  readonly readerToken: string;
};

type ComputeOptions = {
  readonly options: StackOptions;
  readonly accounts: AccountsFile | undefined;
  readonly aws: Aws;
  readonly natsUrl: string;
  readonly dcm: Pick<Dcm, 'registryUrl' | 'agent' | 'prodAgent' | 'nats'>;
};

/** Starts the functions and what invokes them: the HTTP API, the queues, the polling state machine and the schedules. */
export const startCompute = async (computeOptions: ComputeOptions, use: Use): Promise<Compute> => {
  const { options, accounts, aws, dcm } = computeOptions;
  const [providerApiToken, prodProviderApiToken, inventoryToken] = [newToken(), newToken(), newToken()];
  const readerToken = newToken();
  const { url: secretsUrl } = await use(
    startSecretsManager({
      [tokenSecret]: providerApiToken,
      [prodTokenSecret]: prodProviderApiToken,
      [inventoryTokenSecret]: inventoryToken,
      [readerTokenSecret]: readerToken,
    }),
  );
  const behindHttpApi = (box: FunctionName) => ({
    invoke: async (event: unknown) => (await lambda).invoke(functionNameOf(provider, box), event),
    log: (line: string) => options.log('http-api', line),
  });
  const streamsFor = (credentials: readonly Credentials[]) =>
    startChangeStreams({
      ...{ dynamodbUrl: aws.dynamodbUrl, table: aws.inventoryTable, credentials },
      accounts: accounts?.accounts ?? {},
      log: (line) => options.log('change-streams', line),
    });
  const ofConsole = await use(
    streamsFor([
      { secret: async () => providerApiToken, opens: opensTargetsOf(undefined) },
      { secret: async () => prodProviderApiToken, opens: opensTargetsOf(prod.alias) },
      { secret: async () => readerToken },
    ]),
  );
  const http = await use(startHttpApi({ ...behindHttpApi('provider-api'), stream: ofConsole.stream }));
  const { stream } = await use(streamsFor([{ secret: async () => inventoryToken }]));
  const { url: inventoryUrl } = await use(startHttpApi({ ...behindHttpApi('inventory-api'), stream }));
  const control = await use(
    startControlServer({
      ...{ consoleOrigin: http.url, token: providerApiToken, nats: dcm.nats },
      ...{ ec2: aws.ec2, ecs: aws.ecs, eks: aws.eks },
    }),
  );
  const lambda: Promise<LambdaHost> = use(
    startLambdaHost({
      log: options.log,
      functions: (lambdaUrl) =>
        localFunctions({
          ...computeOptions,
          ...{ lambdaUrl, secretsUrl, providerApiUrl: http.url, controlUrl: control.url },
          writeFile: (name, content) => {
            const path = resolve(options.folder, name);
            writeFileSync(path, content);
            return path;
          },
        }),
    }),
  );
  const [host] = await Promise.all([lambda, loadInterpreter()]); // while the functions load in processes of their own
  for (const mapping of mappingsOf(options, aws)) await use(startMapping(mapping, options, aws, host));
  await use(startPolling(options, host));
  await use(startRegistration(options, host));
  await use(startDeletions(options, host));
  await use(startCarrying(options, host));
  if (options.canarySeconds !== undefined) await use(startCanary(options, options.canarySeconds, host));
  return {
    ...{ lambda: host, providerApiUrl: http.url, providerApiToken, prodProviderApiToken },
    ...{ inventoryUrl, inventoryToken, readerToken },
  };
};

const newToken = (): string => randomBytes(24).toString('hex');

type Mapping = {
  readonly queueUrl: string;
  readonly consumer: FunctionName;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
};

/** The queues with the functions that read them. */
const mappingsOf = ({ ec2Endpoint }: StackOptions, aws: Aws): Mapping[] => [
  { queueUrl: aws.observationsQueueUrl, consumer: 'normaliser', batchSize: 10, maximumConcurrency: 2 },
  { queueUrl: aws.inventoryQueueUrl, consumer: 'inventory', batchSize: 10, maximumConcurrency: 1 },
  { queueUrl: aws.changesQueueUrl, consumer: 'change-feed', batchSize: 10, maximumConcurrency: 1 },
  { queueUrl: aws.usageQueueUrl, consumer: 'usage', batchSize: 10, maximumConcurrency: 1 },
  ...(ec2Endpoint === undefined
    ? [
        {
          ...{ queueUrl: aws.clusterStepsQueueUrl, consumer: 'cluster-steps' as const },
          ...{ batchSize: 1, maximumConcurrency: 1 },
        },
      ]
    : []),
];

const startMapping = (
  { consumer, ...mapping }: Mapping,
  options: StackOptions,
  aws: Aws,
  lambda: LambdaHost,
) =>
  startEventSourceMapping({
    ...mapping,
    sqsEndpoint: aws.sqsUrl,
    invoke: (event) => lambda.invoke(functionNameOf(provider, consumer), event),
    log: (line) => options.log('event-source-mapping', line),
  });

const startPolling = async (options: StackOptions, lambda: LambdaHost) =>
  startStateMachine({
    definition: await readFile(
      new URL('../../functions/poller/state-machine.asl.json', import.meta.url),
      'utf8',
    ),
    substitutions: { Partition: 'aws', Poller: functionNameOf(provider, 'poller') },
    invoke: lambda.invoke,
    log: (line) => options.log('step-functions', line),
  });

/** Every ten seconds, and not every two minutes as in a deployment: a VM's life takes seconds here. */
const startDeletions = async (options: StackOptions, lambda: LambdaHost): Promise<AsyncDisposable> =>
  startSchedule({
    everyMs: 10_000,
    invoke: () => lambda.invoke(functionNameOf(provider, 'provider-api'), { do: 'complete-deletions' }),
    log: (line) => options.log('deletions', line),
  });

/** Carries usage that goes on into a new month, as a deployment does. */
const startCarrying = async (options: StackOptions, lambda: LambdaHost): Promise<AsyncDisposable> =>
  startSchedule({
    everyMs: 60_000,
    invoke: () => lambda.invoke(functionNameOf(provider, 'usage'), { do: 'carry' }),
    log: (line) => options.log('usage', line),
  });

/** The schedule that a deployment has with `canary`. */
const startCanary = async (
  options: StackOptions,
  seconds: number,
  lambda: LambdaHost,
): Promise<AsyncDisposable> =>
  startSchedule({
    everyMs: seconds * 1_000,
    invoke: () => lambda.invoke(functionNameOf(provider, 'provider-api'), { do: 'canary' }),
    log: (line) => options.log('canary', line),
  });

const Registrations = z.object({
  rows: z.record(z.string(), z.object({ outcome: z.string(), detail: z.string() })),
});

/**
 * Registers the provider as a deployment does: once, and then on a schedule. A failure does not stop the rest; it is printed once.
 */
const startRegistration = async (options: StackOptions, lambda: LambdaHost): Promise<AsyncDisposable> => {
  const log = (line: string) => options.log('registration', line);
  let last = '';
  const invoke = async (request: 'register' | 'keep-registered') => {
    const answer = await lambda.invoke(functionNameOf(provider, 'registration'), { do: request });
    log(JSON.stringify(answer));
    const results = Object.entries(Registrations.safeParse(answer).data?.rows ?? {});
    const failures = results.filter(([, { outcome }]) => outcome !== 'registered');
    const messages = failures.map(
      ([name, { outcome, detail }]) => `${name} is not registered (${outcome}): ${detail}`,
    );
    const line = messages.join('; ') || (last && 'the provider is registered at DCM');
    if (line !== '' && line !== last) options.progress('registration', line);
    last = messages.join('; ');
  };
  await invoke('register').catch((error) => options.progress('registration', reasonOf(error)));
  return startSchedule({ everyMs: 60_000, invoke: () => invoke('keep-registered'), log });
};
