import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleAll } from '../../infra/bundle.ts';
import { consolePath } from '../../shared/wire/public-paths.ts';
import { catalogItemIdOf } from '../demo/catalog-item.ts';
import type { EnvironmentAgent } from '../emulators/dcm/environment-agent/start.ts';
import type { Ec2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import type { EcsEmulator } from '../emulators/ecs/start-ecs-emulator.ts';
import type { EksEmulator } from '../emulators/eks/start-eks-emulator.ts';
import type { EventBus } from '../emulators/event-bus/start-event-bus.ts';
import type { LambdaHost } from '../emulators/lambda/start-lambda-host.ts';
import type { NatsServer } from '../emulators/nats-server/start-nats-server.ts';
import type { Sts } from '../emulators/sts.ts';
import { startTogether, type Use } from '../processes/disposables.ts';
import { accountsFileOf } from './accounts.ts';
import { startAws } from './aws.ts';
import { type Compute, startCompute } from './compute.ts';
import { type ControlPlaneEmulator, type Dcm, startDcm } from './dcm.ts';
import { homeRegion, prod, type StackOptions } from './options.ts';

/** The addresses of everything that runs, as in `.local/endpoints.json`. */
export type Endpoints = Record<
  | 'natsUrl'
  | 'ec2Url'
  | 'dynamodbUrl'
  | 'sqsUrl'
  | 'eventsUrl'
  | 'lambdaUrl'
  | 'consoleUrl'
  | 'controlPlaneUrl'
  | 'providerApiUrl'
  | 'providerApiToken'
  | 'inventoryUrl'
  | 'inventoryToken'
  | 'readerToken'
  | 'observationsQueueUrl'
  | 'deadLetterQueueUrl',
  string
> & {
  /** This and the next are absent where another EC2 is used. */
  readonly ecsUrl?: string;
  readonly eksUrl?: string;
  /** The environment agent at which the provider is registered. */
  readonly agentUrl?: string;
  /** The catalog item of a VM that a user of today's DCM can order. */
  readonly catalogItemId?: string;
  /** This and the next four are of the other account, where it is played. Its API, in its streaming region; `/api/v1alpha1/…` follows. */
  readonly prodProviderApiUrl?: string;
  readonly prodProviderApiToken?: string;
  /** An access key with which any client of EC2, ECS or EKS is in that account. */
  readonly prodAccessKeyId?: string;
  /** The environment agent at which the provider is registered for that account. */
  readonly prodAgentUrl?: string;
  readonly prodCatalogItemId?: string;
};

export type Stack = AsyncDisposable & {
  readonly endpoints: Endpoints;
  /** The emulators; undefined where DCM's own programs are used, or ones that ran already. */
  readonly controlPlane: ControlPlaneEmulator | undefined;
  readonly agent: EnvironmentAgent | undefined;
  readonly lambda: LambdaHost;
  /** undefined where another NATS or EC2 is used. */
  readonly nats: NatsServer | undefined;
  readonly ec2: Ec2Simulator | undefined;
  readonly ecs: EcsEmulator | undefined;
  readonly eks: EksEmulator | undefined;
  readonly events: EventBus;
  /** undefined where there is the home account alone. */
  readonly sts: Sts | undefined;
};

/**
 * Starts the deployed system on a laptop: the bundles that `cdk deploy` ships, the real nats-server, and emulators of AWS's services and
 * of DCM. Disposing ends every process.
 */
export const startStack = (options: StackOptions): Promise<Stack> =>
  startTogether((use) => start(options, use));

const start = async (options: StackOptions, use: Use): Promise<Omit<Stack, keyof AsyncDisposable>> => {
  await mkdir(options.folder, { recursive: true });
  const accounts = accountsFileOf(options);
  const starting = [startDcm(options, use), startAws(options, accounts, use), bundleAll()] as const;
  await Promise.allSettled(starting); // where one fails, nothing may start after the others are disposed of
  const [dcm, aws] = await Promise.all(starting);
  const { natsUrl, controlPlaneUrl, controlPlane, agentEmulator: agent, nats } = dcm;
  const computeOptions = { options, accounts, aws, natsUrl, dcm };
  const compute = await startCompute(computeOptions, use);
  const { lambda, providerApiUrl, providerApiToken, inventoryUrl, inventoryToken, readerToken } = compute;
  const endpoints = {
    consoleUrl: `${providerApiUrl}${consolePath}`,
    natsUrl,
    ec2Url: aws.ec2Url ?? 'aws',
    ...(aws.ecsUrl !== undefined && { ecsUrl: aws.ecsUrl }),
    ...(aws.eksUrl !== undefined && { eksUrl: aws.eksUrl }),
    dynamodbUrl: aws.dynamodbUrl,
    sqsUrl: aws.sqsUrl,
    eventsUrl: aws.events.url,
    lambdaUrl: lambda.url,
    controlPlaneUrl,
    providerApiUrl,
    providerApiToken,
    inventoryUrl,
    inventoryToken,
    readerToken,
    observationsQueueUrl: aws.observationsQueueUrl,
    deadLetterQueueUrl: aws.deadLetterQueueUrl,
    ...endpointsOfTodaysDcm(dcm),
    ...(accounts && endpointsOfProd(options, compute, dcm)),
  };
  await writeEndpoints(options.folder, endpoints);
  return {
    endpoints,
    controlPlane,
    agent,
    lambda,
    nats,
    ec2: aws.ec2,
    ecs: aws.ecs,
    eks: aws.eks,
    events: aws.events,
    sts: aws.sts,
  };
};

const endpointsOfTodaysDcm = ({ agent, controlPlane }: Dcm) => ({
  ...(agent !== undefined && { agentUrl: agent.url }),
  ...(agent !== undefined && controlPlane !== undefined && { catalogItemId: catalogItemIdOf('vm') }),
});

const endpointsOfProd = (
  options: StackOptions,
  { providerApiUrl, prodProviderApiToken }: Compute,
  { prodAgent }: Dcm,
) => ({
  prodProviderApiUrl: `${providerApiUrl}/${prod.alias}/${homeRegion(options)}`,
  ...{ prodProviderApiToken, prodAccessKeyId: prod.id },
  ...(prodAgent && { prodAgentUrl: prodAgent.url, prodCatalogItemId: catalogItemIdOf('vm', prod.alias) }),
});

/** Readable by its owner only, because it contains tokens. */
const writeEndpoints = async (folder: string, endpoints: Endpoints): Promise<void> => {
  const path = join(folder, 'endpoints.json');
  await rm(path, { force: true }); // an existing file would keep its mode
  await writeFile(path, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
};
