import type { PolledRegion } from '../../functions/poller/env.ts';
import { ProvisioningFile, type UsagePrices } from '../../functions/provider-api/env.ts';
import type { Registries } from '../../functions/registration/env.ts';
import { consolePage } from '../../infra/console-page.ts';
import type { FunctionName } from '../../infra/function-names.ts';
import {
  changeFeed,
  clusterSteps,
  commonEnvironment,
  type Deployment,
  type FunctionSpec,
  functionNameOf,
  inventory,
  inventoryApi,
  natsBridge,
  normaliser,
  poller,
  providerApi,
  registration,
  usage,
} from '../../infra/functions.ts';
import { bundleFolder } from '../../infra/project-folder.ts';
import { polledRegions } from '../../infra/settings/reported-regions.ts';
import { type Collection, furtherCollections } from '../../shared/core/inventory/entry.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { usualPlatform } from '../../shared/core/outputs.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { targetKey, targetOfKey } from '../../shared/core/target.ts';
import type { AccountsFile } from '../../shared/runtime/accounts.ts';
import { requestStreams } from '../../shared/wire/agent-requests.ts';
import { subnetsOf } from '../emulators/ec2/actions/network.ts';
import type { LambdaFunction } from '../emulators/lambda/lambda-function.ts';
import { type Aws, statusBus } from './aws.ts';
import type { Dcm } from './dcm.ts';
import { account, homeRegion, prod, provider, type StackOptions, silentRegion } from './options.ts';

/** The services that the functions are connected to. */
type Wiring = {
  readonly options: Pick<
    StackOptions,
    'ec2Endpoint' | 'pollFloorSeconds' | 'inventorySeconds' | 'hasStatusBus' | 'hasPublicContainers'
  >;
  /** Of the other account; undefined where there is none. */
  readonly accounts?: AccountsFile | undefined;
  readonly aws: Omit<Aws, 'ec2' | 'ecs' | 'eks' | 'events'> & { readonly events: Pick<Aws['events'], 'url'> };
  readonly natsUrl: string;
  readonly dcm: Pick<Dcm, 'registryUrl' | 'agent' | 'prodAgent'>;
  readonly lambdaUrl: string;
  /** URL of the HTTP API in front of the provider-api. */
  readonly providerApiUrl: string;
  /** URL of the control server, for the console. Undefined: there is no console. */
  readonly controlUrl?: string;
  /** URL of the emulated Secrets Manager, which has the secrets of the tokens. */
  readonly secretsUrl: string;
  /** Writes a file that a deployment has next to the code. @returns its path */
  readonly writeFile: (name: string, content: string) => string;
};

/** Names of the secrets that hold the tokens of the provider-api: of the home account, and of the other account. */
export const tokenSecret = 'provider-api-token';
export const prodTokenSecret = `${tokenSecret}-${prod.alias}`;
/** Of the inventory's token, which permits everything in all accounts. */
export const inventoryTokenSecret = 'inventory-token';

/** Of a token that permits reading alone. */
export const readerTokenSecret = 'reader-token';

/** Concurrent invocations of each function. Fewer than on AWS, because each is a process. */
const concurrency = {
  normaliser: 2,
  'nats-bridge': 2,
  poller: 2,
  'provider-api': 3,
  registration: 1,
  'cluster-steps': 1,
  inventory: 1,
  'change-feed': 1,
  'inventory-api': 2,
  usage: 1,
} as const;

/** Those that every status passes begin with all environments, so that none waits for a process to start. */
const warm: { readonly [name in FunctionName]?: number } = {
  normaliser: concurrency.normaliser,
  'nats-bridge': concurrency['nats-bridge'],
};

/** List prices of EC2 in dollars, as an example. @see https://aws.amazon.com/ec2/pricing/on-demand/ */
const examplePrices = {
  't3.micro': '0.0104',
  't3.small': '0.0208',
  't3.medium': '0.0416',
  't3.large': '0.0832',
};

/** In dollars. Each type has one of its own on AWS, which changes. */
const spotPrice = '0.004';

/** The functions that the stacks deploy (infra/functions.ts), wired to the emulators. */
export const localFunctions = (wiring: Wiring): LambdaFunction[] => {
  const { options, accounts, aws, natsUrl, dcm } = wiring;
  const { pollFloorSeconds = 10, inventorySeconds = 60 } = options;
  const reported = reportedRegions(options);
  const created = provisioning(options, accounts !== undefined);
  const { containers, clusters } = created;
  const deployment: Deployment = {
    provider,
    tagKeys: TagKeys.parse({}),
    homeRegion: homeRegion(options),
    tableName: aws.resourceTable,
    observationsQueueUrl: aws.observationsQueueUrl,
    natsBridge: functionNameOf(provider, 'nats-bridge'),
    created: { containers, clusters },
    ...(clusters && { clusterStepsQueueUrl: aws.clusterStepsQueueUrl }),
    ...(accounts && { accounts: { file: accounts, created: created.accounts ?? {} } }),
  };
  const polled = polledRegions(reported, { containers, clusters });
  const everywhere = accounts ? [...polled, ...polled.map(inProd)] : polled;
  const specs = [
    normaliser(deployment, {
      deadLetterQueueUrl: aws.deadLetterQueueUrl,
      regions: reported.map(({ region }) => region),
      accountId: options.ec2Endpoint === undefined ? account : undefined,
      spotEndsAs: 'FAILED',
      startingAs: dcm.agent === undefined ? 'PENDING' : 'PROVISIONING',
      statusBus: options.hasStatusBus === false ? undefined : statusBus.name,
      burst: 8, // a VM's life takes seconds here, and minutes in EC2
    }),
    natsBridge({
      natsUrls: [natsUrl],
      agentStreams: requestStreams([dcm.agent, dcm.prodAgent].flatMap((agent) => agent?.topic ?? [])),
      serviceTypes: serviceTypesOf(options),
    }),
    poller(deployment, {
      regions: everywhere,
      floorSeconds: pollFloorSeconds,
      inventory: {
        ...{ tableName: aws.inventoryTable, queueUrl: aws.inventoryQueueUrl },
        ...{ collections: collectionsOf(options), seconds: inventorySeconds },
      },
    }),
    inventory(deployment, {
      tableName: aws.inventoryTable,
      queueUrl: aws.inventoryQueueUrl,
      deadLetterQueueUrl: aws.inventoryDeadLetterQueueUrl,
      targets: [...reported, ...(accounts ? reported.map(inProd) : [])].map(({ region }) =>
        targetOfKey(region),
      ),
      accountId: options.ec2Endpoint === undefined ? account : undefined,
      collections: collectionsOf(options),
    }),
    inventoryApi(deployment, {
      tableName: aws.inventoryTable,
      file: {
        homeRegions: reported.map(({ region }) => region),
        collections: [...collectionsOf(options)],
        tokens: [
          { secret: inventoryTokenSecret, scopes: ['inventory:read', 'inventory:logs', 'changes:read'] },
        ],
        corsOrigins: ['*'],
        consoleOutput: true,
        ...(accounts && { plans: [planToProd(options)] }),
      },
      authOptional: false,
    }),
    changeFeed({
      inventoryTable: aws.inventoryTable,
      queueUrl: aws.changesQueueUrl,
      deadLetterQueueUrl: aws.changesDeadLetterQueueUrl,
    }),
    providerApi(deployment, {
      provisioning: created,
      access: {
        tokenSecret,
        ...(accounts && { accounts: { [prod.alias]: { tokenSecret: prodTokenSecret } } }),
      },
      findsAgentRequests: dcm.agent !== undefined,
      usage: { table: aws.usageTable, prices: usagePrices(reported) },
      console: consoleOf(wiring, everywhere),
    }),
    usage({
      usageTable: aws.usageTable,
      queueUrl: aws.usageQueueUrl,
      deadLetterQueueUrl: aws.usageDeadLetterQueueUrl,
    }),
    registration(deployment, {
      registries: registries(wiring),
      publicUrl: wiring.providerApiUrl,
      endpointTokenSecret: tokenSecret,
    }),
    ...(clusters
      ? [
          clusterSteps(deployment, {
            queueUrl: aws.clusterStepsQueueUrl,
            deadLetterQueueUrl: aws.clusterStepsDeadLetterQueueUrl,
            stepSeconds: 1, // EKS takes seconds here
          }),
        ]
      : []),
  ];
  return specs.map((spec) => localFunction(spec, wiring));
};

const usagePrices = (reported: readonly { readonly region: string }[]): UsagePrices => ({
  ...{ platformName: provider, billingAccountId: account, currency: 'USD' },
  prices: reported.flatMap(({ region }) =>
    Object.entries(examplePrices).flatMap(([instanceType, hourly]) => {
      const price = { region, instanceType, platform: usualPlatform };
      return [
        { ...price, hourly },
        { ...price, market: 'spot' as const, hourly: spotPrice },
      ];
    }),
  ),
});

/** The console, on a laptop that has a control server for it. */
const consoleOf = ({ options, aws, controlUrl }: Wiring, polled: readonly PolledRegion[]) =>
  controlUrl === undefined
    ? undefined
    : {
        feedTable: aws.inventoryTable,
        file: {
          ...{ polled: [...polled], readers: [readerTokenSecret], collections: [...collectionsOf(options)] },
          page: consolePage({ controlUrl }),
        },
      };

const localFunction = (spec: FunctionSpec, wiring: Wiring): LambdaFunction => ({
  name: functionNameOf(provider, spec.name),
  folder: bundleFolder(spec.name),
  warm: warm[spec.name] ?? 1,
  timeoutMs: spec.timeoutSeconds * 1_000,
  memoryMb: spec.memoryMb,
  concurrency: concurrency[spec.name],
  environment: {
    ...sdkEnvironment(wiring),
    ...credentialsOf(functionNameOf(provider, spec.name), wiring),
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', // the warning is about the laptop's Node, not Lambda's
    ...spec.environment,
    ...commonEnvironment(spec.name),
    ...Object.fromEntries(
      (spec.files ?? []).map(({ name, content, variable }) => [variable, wiring.writeFile(name, content)]),
    ),
  },
});

/** The credentials of the function's role, whose path the roles of the other account trust. */
const credentialsOf = (name: string, { aws: { sts } }: Wiring): Record<string, string> => {
  if (sts === undefined) return {};
  const { accessKeyId, secretAccessKey, sessionToken } = sts.credentialsOf({ account, name }, name);
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_ENDPOINT_URL_STS: sts.url,
  };
};

/** Endpoints for the AWS SDKs: the emulators, or the user's own AWS environment where EC2 is not emulated. */
const sdkEnvironment = ({ aws, lambdaUrl, secretsUrl }: Wiring): Record<string, string> => ({
  ...(aws.ec2Url === undefined ? ownAwsEnvironment() : { AWS_ENDPOINT_URL_EC2: aws.ec2Url }),
  ...(aws.ssmUrl !== undefined && { AWS_ENDPOINT_URL_SSM: aws.ssmUrl }),
  ...(aws.serviceQuotasUrl !== undefined && { AWS_ENDPOINT_URL_SERVICE_QUOTAS: aws.serviceQuotasUrl }),
  ...(aws.ecsUrl !== undefined && { AWS_ENDPOINT_URL_ECS: aws.ecsUrl }),
  ...(aws.eksUrl !== undefined && { AWS_ENDPOINT_URL_EKS: aws.eksUrl }),
  ...(aws.elbUrl !== undefined && { AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2: aws.elbUrl }),
  AWS_ENDPOINT_URL_DYNAMODB: aws.dynamodbUrl,
  AWS_ENDPOINT_URL_SQS: aws.sqsUrl,
  AWS_ENDPOINT_URL_EVENTBRIDGE: aws.events.url,
  AWS_ENDPOINT_URL_LAMBDA: lambdaUrl,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsUrl,
});

const ownAwsEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && (name.startsWith('AWS_') || name === 'HOME') ? [[name, value]] : [],
    ),
  );

/** The regions where resources are reported and can be created. Another EC2 sends no events to this machine, so its region is polled. */
const reportedRegions = (options: Wiring['options']) =>
  options.ec2Endpoint
    ? [{ region: homeRegion(options), kind: 'legacy' as const }]
    : [
        { region: homeRegion(options), kind: 'streaming' as const },
        { region: silentRegion, kind: 'legacy' as const },
      ];

/** The same region of the other account, as the poller names it. */
const inProd = <Region extends { readonly region: string }>(one: Region): Region => ({
  ...one,
  region: targetKey({ account: prod.id, region: one.region }),
});

const collectionsOf = ({ ec2Endpoint }: Wiring['options']): readonly Collection[] => [
  'instances',
  ...furtherCollections.filter((collection) => !ec2Endpoint || collection !== 'load-balancers'),
  ...(ec2Endpoint ? [] : ['containers' as const, 'clusters' as const]),
];

/** A plan of the inventory: what moves to the other account. */
const planToProd = (options: Wiring['options']) => ({
  ...{ name: 'to-prod', source: homeRegion(options), destination: `${prod.alias}/${homeRegion(options)}` },
  selector: { plan: 'to-prod' },
});

const serviceTypesOf = ({ ec2Endpoint }: Wiring['options']): readonly ServiceType[] =>
  ec2Endpoint ? ['vm'] : ['vm', 'container', 'cluster'];

/**
 * Where the provider registers, with the account's token in the endpoint: at an environment agent for one region of each account only,
 * because an agent accepts one provider of each service type; at an older control plane for each region.
 */
const registries = ({ dcm, options, accounts }: Pick<Wiring, 'dcm' | 'options' | 'accounts'>): Registries => {
  const { registryUrl: url, agent, prodAgent } = dcm;
  const common = { serviceTypes: serviceTypesOf(options), endpointCredentials: true };
  const ofProd = { ...common, alias: prod.alias, endpointTokenSecret: prodTokenSecret };
  const keyInProd = (region: string) => targetKey({ account: prod.id, region });
  const home = homeRegion(options);
  if (agent !== undefined)
    return {
      [home]: { kind: 'agent', url, ...common },
      ...(prodAgent && { [keyInProd(home)]: { kind: 'agent', url: prodAgent.url, ...ofProd } }),
    };
  const regions = reportedRegions(options).map(({ region }) => region);
  const kind = 'control-plane' as const;
  return Object.fromEntries([
    ...regions.map((region) => [region, { kind, url, ...common }]),
    ...(accounts ? regions.map((region) => [keyInProd(region), { kind, url, ...ofProd }]) : []),
  ]);
};

/**
 * In each account, up to 1,000 VMs, in the default VPC of each region, and, with the emulators alone, containers and clusters there.
 * `withProd`: in the other account too.
 */
export const provisioning = (options: Wiring['options'], withProd = false): ProvisioningFile => {
  const inRegions = <Region>(of: (region: string) => Region) =>
    Object.fromEntries(reportedRegions(options).map(({ region }) => [region, of(region)]));
  const vms = { regions: inRegions(() => ({})), maximumVms: 1_000, spot: true };
  const within = (id: string) =>
    options.ec2Endpoint === undefined
      ? {
          ...vms,
          containers: { ...containers(id, inRegions), publicAddresses: options.hasPublicContainers ?? true },
          clusters: clusters(id, inRegions),
        }
      : vms;
  return ProvisioningFile.parse({
    ...within(account),
    ...(withProd && { accounts: { [prod.alias]: within(prod.id) } }),
  });
};

type InRegions = <Region>(of: (region: string) => Region) => Readonly<Record<string, Region>>;

const defaultSubnets = (region: string) => subnetsOf(region).filter(({ isDefault }) => isDefault);

const role = (id: string, name: string): string => `arn:aws:iam::${id}:role/${name}`;

const containers = (id: string, inRegions: InRegions) => ({
  regions: inRegions((region) => ({
    ecsCluster: provider,
    subnets: defaultSubnets(region).map(({ id }) => id),
    logGroup: `/dcm/${provider}/containers`,
  })),
  executionRoleArn: role(id, 'dcm-containers'),
  maximumContainers: 1_000,
  spot: true,
});

const clusters = (id: string, inRegions: InRegions) => ({
  regions: inRegions((region) => ({
    subnets: defaultSubnets(region)
      .filter(({ zone }) => zone !== 'us-east-1e') // EKS has no capacity there
      .map(({ id, zone }) => ({ id, zone })),
  })),
  clusterRoleArn: role(id, 'dcm-clusters'),
  nodeRoleArn: role(id, 'dcm-nodes'),
  adminPrincipals: [role(id, 'kubernetes-administrators')],
  maximumClusters: 100,
});
