import type { Env as ChangeFeedEnv } from '../functions/change-feed/env.ts';
import type { Env as ClusterStepsEnv, StepSettings } from '../functions/cluster-steps/env.ts';
import type { Env as InventoryEnv } from '../functions/inventory/env.ts';
import {
  type Env as InventoryApiEnv,
  type InventoryFile,
  inventoryFile,
} from '../functions/inventory-api/env.ts';
import type { Env as NatsBridgeEnv } from '../functions/nats-bridge/env.ts';
import type { Env as NormaliserEnv } from '../functions/normaliser/env.ts';
import type { PolledRegion, Env as PollerEnv } from '../functions/poller/env.ts';
import {
  type ApiAccess,
  type ConsoleFile,
  consoleFile,
  type Env as ProviderApiEnv,
  type ProvisioningFile,
  provisioningFile,
  type UsagePrices,
  usagePricesFile,
} from '../functions/provider-api/env.ts';
import {
  type Env as RegistrationEnv,
  type Registries,
  registriesFile,
} from '../functions/registration/env.ts';
import type { Env as UsageEnv } from '../functions/usage/env.ts';
import packageJson from '../package.json' with { type: 'json' };
import type { MemberRole } from '../shared/adapters/aws/accounts.ts';
import type { Collection } from '../shared/core/inventory/entry.ts';
import type { ServiceType } from '../shared/core/kind.ts';
import type { TagKeys } from '../shared/core/ownership.ts';
import { type Target, targetKey } from '../shared/core/target.ts';
import { type AccountsFile, accountsFile, type accountsVariable } from '../shared/runtime/accounts.ts';
import type { FunctionName } from './function-names.ts';

/**
 * The spec of a function: the stacks and the laptop read its timeout, memory and environment here. They differ in the values that they
 * pass in, such as the name of the table, and in the variables of AWS's SDKs.
 */
export type FunctionSpec = {
  readonly name: FunctionName;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Values that are too large for the environment (4 KiB): JSON files beside the code. `variable` names a file where it is elsewhere. */
  readonly files?: readonly { readonly name: string; readonly content: string; readonly variable: string }[];
  /** The role in other accounts that the function may assume. */
  readonly memberRole?: MemberRole;
};

/** The CloudWatch namespace of all metrics; their dimension `service` is the function. */
export const metricsNamespace = 'DcmEc2ServiceProvider';

/** The name of a function: `<provider>-<function>`. */
export const functionNameOf = (provider: string, name: FunctionName): string => `${provider}-${name}`;

/** What the functions of a deployment share. */
export type Deployment = {
  /** The provider's name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
  readonly homeRegion: string;
  readonly tableName: string;
  readonly observationsQueueUrl: string;
  /** Name or ARN of the nats-bridge function. */
  readonly natsBridge: string;
  /** Undefined without clusters. */
  readonly clusterStepsQueueUrl?: string | undefined;
  /** Undefined without containers, and without clusters. */
  readonly created: Pick<ProvisioningFile, 'containers' | 'clusters'>;
  /** Undefined without accounts besides the home account. */
  readonly accounts?: AccountsOfDeployment | undefined;
};

/** The accounts besides the home account. */
export type AccountsOfDeployment = {
  readonly file: AccountsFile;
  /** What is created in each account, by its alias. */
  readonly created: Readonly<Record<string, Deployment['created']>>;
};

/** JSON that grows with the accounts. Where there are some, it is in a file beside the code, since an environment has 4 KiB. */
type GrowingValue = { readonly variable: string; readonly content: string; readonly file: string };

const growing = (variable: string, value: unknown): GrowingValue => ({
  variable,
  content: JSON.stringify(value),
  file: `${variable.toLowerCase().replaceAll('_', '-')}.json`,
});

/** The text of its environment variable. */
const textOf = ({ accounts }: Deployment, { content, file }: GrowingValue): string =>
  accounts === undefined ? content : file;

/** What a function needs that assumes a role in other accounts. Nothing without accounts. */
const inAccounts = (
  { accounts }: Deployment,
  memberRole: MemberRole,
  values: readonly (GrowingValue | undefined)[] = [],
) =>
  accounts && {
    memberRole,
    files: [
      {
        name: accountsFile,
        content: JSON.stringify(accounts.file),
        variable: 'ACCOUNTS_FILE' satisfies keyof typeof accountsVariable,
      },
      ...values.flatMap((value) => value ?? []).map(({ file, ...value }) => ({ name: file, ...value })),
    ],
  };

const accountsFileVariable = ({ accounts }: Deployment) => accounts && { ACCOUNTS_FILE: accountsFile };

/** What is created in every account; undefined: in the home account. */
const createdEverywhere = ({ created, accounts }: Deployment) => [
  { account: undefined, created },
  ...Object.entries(accounts?.created ?? {}).map(([alias, within]) => ({
    account: accounts?.file.accounts[alias]?.id,
    created: within,
  })),
];

/** The ECS clusters by target. Undefined without containers. */
const ecsClustersOf = (deployment: Deployment): GrowingValue | undefined => {
  const clusters = createdEverywhere(deployment).flatMap(({ account, created }) =>
    Object.entries(created.containers?.regions ?? {}).map(
      ([region, { ecsCluster }]) => [targetKey({ account, region }), ecsCluster] as const,
    ),
  );
  return clusters.length > 0 ? growing('ECS_CLUSTERS', Object.fromEntries(clusters)) : undefined;
};

/** What a function needs to read the AWS services of containers and clusters. Nothing for VMs alone, as before there were other types. */
const servedVariables = (deployment: Deployment) => {
  const everywhere = createdEverywhere(deployment);
  const ecsClusters = ecsClustersOf(deployment);
  const isPublic = everywhere.some(({ created }) => created.containers?.publicAddresses);
  return {
    ...serviceTypesVariable([
      'vm',
      ...(ecsClusters ? ['container' as const] : []),
      ...(clustersIn(deployment) ? ['cluster' as const] : []),
    ]),
    ...(ecsClusters && {
      ECS_CLUSTERS: textOf(deployment, ecsClusters),
      PUBLIC_CONTAINERS: isPublic ? ('true' as const) : ('false' as const),
    }),
  };
};

const servesContainers = (deployment: Deployment): boolean =>
  createdEverywhere(deployment).some(({ created }) => created.containers !== undefined);

/** The settings of clusters of the home account, or else of the first account that has some. */
const clustersIn = (deployment: Deployment) =>
  createdEverywhere(deployment).flatMap(({ created }) => created.clusters ?? [])[0];

/** The settings of the home account's clusters, where it has some, and those of the other accounts, by id. */
const stepSettings = (deployment: Deployment): StepSettings => {
  const steps = createdEverywhere(deployment).flatMap(({ account, created: { clusters } }) =>
    clusters === undefined
      ? []
      : [
          {
            account,
            settings: {
              nodeRoleArn: clusters.nodeRoleArn,
              adminPrincipals: clusters.adminPrincipals,
              changeAdopted: clusters.changeAdopted,
            },
          },
        ],
  );
  const elsewhere = steps.flatMap(({ account, settings }) =>
    account === undefined ? [] : [[account, settings] as const],
  );
  const accounts = Object.fromEntries(elsewhere);
  const home = steps.find(({ account }) => account === undefined)?.settings;
  if (home === undefined) return { accounts };
  return elsewhere.length > 0 ? { ...home, accounts } : home;
};

const clusterWords = (deployment: Deployment) => {
  const clusters = clustersIn(deployment);
  return clusters && { CLUSTER_WORDS: clusters.vocabulary };
};

/** Longer than a few calls of EKS, each of five seconds at most. */
export const clusterStepsTimeoutSeconds = 30;

const clusterStepsVariable = ({ clusterStepsQueueUrl: url }: Deployment) =>
  url === undefined ? {} : { CLUSTER_STEPS_QUEUE_URL: url };

/** Longer than a call of the nats-bridge and the work before and after it. */
export const normaliserTimeoutSeconds = 15;

export const normaliser = (
  deployment: Deployment,
  given: {
    readonly deadLetterQueueUrl: string;
    readonly regions: readonly string[];
    /** Undefined: events of any account are taken. */
    readonly accountId: string | undefined;
    readonly spotEndsAs: NonNullable<NormaliserEnv['SPOT_ENDS_AS']>;
    readonly startingAs: NonNullable<NormaliserEnv['STARTING_AS']>;
    readonly burst?: number;
    /** Name or ARN of the status bus. */
    readonly statusBus?: string | undefined;
  },
): FunctionSpec => ({
  name: 'normaliser',
  description: 'Turns observations of EC2 instances into DCM statuses',
  timeoutSeconds: normaliserTimeoutSeconds,
  memoryMb: 512,
  environment: {
    FLEET_TABLE: deployment.tableName,
    NATS_BRIDGE: deployment.natsBridge,
    OBSERVATIONS_QUEUE_URL: deployment.observationsQueueUrl,
    DEAD_LETTER_QUEUE_URL: given.deadLetterQueueUrl,
    REGIONS: JSON.stringify(given.regions),
    ...(given.accountId !== undefined && { ACCOUNT_ID: given.accountId }),
    PROVIDER_NAME: deployment.provider,
    TAG_KEYS: JSON.stringify(deployment.tagKeys),
    ...(given.burst !== undefined && { BURST: String(given.burst) }),
    SPOT_ENDS_AS: given.spotEndsAs,
    ...(given.statusBus !== undefined && { STATUS_BUS: given.statusBus }),
    ...(servesContainers(deployment) && { STARTING_AS: given.startingAs }),
    ...clusterWords(deployment),
    ...servedVariables(deployment),
    ...accountsFileVariable(deployment),
  } satisfies NormaliserEnv,
  ...inAccounts(deployment, 'reader', [ecsClustersOf(deployment)]),
});

/** An append takes milliseconds; this is for one that waits for other writers. */
export const changeFeedTimeoutSeconds = 30;

export const changeFeed = (given: {
  readonly inventoryTable: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}): FunctionSpec => ({
  name: 'change-feed',
  description: 'Appends the statuses of the status bus to the change feed',
  timeoutSeconds: changeFeedTimeoutSeconds,
  memoryMb: 256,
  environment: {
    INVENTORY_TABLE: given.inventoryTable,
    CHANGES_QUEUE_URL: given.queueUrl,
    DEAD_LETTER_QUEUE_URL: given.deadLetterQueueUrl,
  } satisfies ChangeFeedEnv,
});

/** Ample for a month's events, which are read to carry what goes on into the next one. */
export const usageTimeoutSeconds = 60;

export const usage = (given: {
  readonly usageTable: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}): FunctionSpec => ({
  name: 'usage',
  description: 'Keeps the usage ledger by the statuses of the status bus',
  timeoutSeconds: usageTimeoutSeconds,
  memoryMb: 512,
  environment: {
    USAGE_TABLE: given.usageTable,
    USAGE_QUEUE_URL: given.queueUrl,
    DEAD_LETTER_QUEUE_URL: given.deadLetterQueueUrl,
  } satisfies UsageEnv,
});

export const natsBridge = (given: {
  readonly natsUrls: readonly string[];
  readonly credentialsSecret?: string | undefined;
  /** JetStream streams that hold DCM's requests to environment agents. */
  readonly agentStreams: readonly string[];
  /** Whose statuses are published. @default vm alone */
  readonly serviceTypes?: readonly ServiceType[];
}): FunctionSpec => ({
  name: 'nats-bridge',
  description: 'Publishes CloudEvents to JetStream and says which were acknowledged',
  timeoutSeconds: 10,
  memoryMb: 256,
  environment: {
    NATS_URL: given.natsUrls.join(','),
    ...(given.credentialsSecret !== undefined && { NATS_CREDENTIALS_SECRET: given.credentialsSecret }),
    ...(given.agentStreams.length > 0 && { AGENT_REQUESTS_STREAM: given.agentStreams.join(',') }),
    ...serviceTypesVariable(given.serviceTypes),
  } satisfies NatsBridgeEnv,
});

/** Absent for VMs alone, which is the functions' default. */
const serviceTypesVariable = (serviceTypes: readonly ServiceType[] = ['vm']): { SERVICE_TYPES?: string } =>
  serviceTypes.join() === 'vm' ? {} : { SERVICE_TYPES: JSON.stringify(serviceTypes) };

export type PolledInventory = {
  readonly tableName: string;
  readonly queueUrl: string;
  readonly collections: readonly Collection[];
  /** The time between two listings of a collection that only the inventory has. */
  readonly seconds: number;
};

const inventoryVariables = ({ tableName, queueUrl, collections, seconds }: PolledInventory) => ({
  INVENTORY_TABLE: tableName,
  INVENTORY_QUEUE_URL: queueUrl,
  INVENTORY_COLLECTIONS: JSON.stringify(collections),
  INVENTORY_SECONDS: String(seconds),
});

export const poller = (
  deployment: Deployment,
  given: {
    readonly regions: readonly PolledRegion[];
    readonly floorSeconds: number;
    /** Undefined without an inventory. */
    readonly inventory?: PolledInventory | undefined;
  },
): FunctionSpec => ({
  name: 'poller',
  description: 'Lists EC2 instances and queues what differs from the resource store',
  timeoutSeconds: 15,
  memoryMb: 512,
  environment: {
    FLEET_TABLE: deployment.tableName,
    OBSERVATIONS_QUEUE_URL: deployment.observationsQueueUrl,
    PROVIDER_NAME: deployment.provider,
    TAG_KEYS: JSON.stringify(deployment.tagKeys),
    REGIONS: textOf(deployment, growing('REGIONS', given.regions)),
    POLL_FLOOR_SECONDS: String(given.floorSeconds),
    ...servedVariables(deployment),
    ...clusterStepsVariable(deployment),
    ...accountsFileVariable(deployment),
    ...(given.inventory && inventoryVariables(given.inventory)),
  } satisfies PollerEnv,
  ...inAccounts(deployment, 'reader', [growing('REGIONS', given.regions), ecsClustersOf(deployment)]),
});

export const clusterSteps = (
  deployment: Deployment,
  given: {
    readonly queueUrl: string;
    readonly deadLetterQueueUrl: string;
    /** @default 25 */
    readonly stepSeconds?: number;
  },
): FunctionSpec => ({
  name: 'cluster-steps',
  description: 'Takes the steps of creating and deleting EKS clusters that take longer than an answer',
  timeoutSeconds: clusterStepsTimeoutSeconds,
  memoryMb: 512,
  environment: {
    FLEET_TABLE: deployment.tableName,
    OBSERVATIONS_QUEUE_URL: deployment.observationsQueueUrl,
    CLUSTER_STEPS_QUEUE_URL: given.queueUrl,
    DEAD_LETTER_QUEUE_URL: given.deadLetterQueueUrl,
    PROVIDER_NAME: deployment.provider,
    TAG_KEYS: JSON.stringify(deployment.tagKeys),
    CLUSTERS: textOf(deployment, growing('CLUSTERS', stepSettings(deployment))),
    ...(given.stepSeconds !== undefined && { STEP_SECONDS: String(given.stepSeconds) }),
    ...accountsFileVariable(deployment),
  } satisfies ClusterStepsEnv,
  ...inAccounts(deployment, 'launcher', [growing('CLUSTERS', stepSettings(deployment))]),
});

/** Ample for the base of a large collection, which is written in one invocation, and seldom. */
export const inventoryTimeoutSeconds = 300;

export const inventory = (
  deployment: Deployment,
  given: {
    readonly tableName: string;
    readonly queueUrl: string;
    readonly deadLetterQueueUrl: string;
    readonly targets: readonly Target[];
    /** Undefined: events of any account are of the home account. */
    readonly accountId: string | undefined;
    readonly collections: readonly Collection[];
  },
): FunctionSpec => ({
  name: 'inventory',
  description: 'Applies events to the inventory, and keeps its storage small',
  timeoutSeconds: inventoryTimeoutSeconds,
  memoryMb: 1024,
  ...inAccounts(deployment, 'reader', [growing('TARGETS', given.targets.map(targetKey))]),
  environment: {
    INVENTORY_TABLE: given.tableName,
    INVENTORY_QUEUE_URL: given.queueUrl,
    DEAD_LETTER_QUEUE_URL: given.deadLetterQueueUrl,
    PROVIDER_NAME: deployment.provider,
    TARGETS: textOf(deployment, growing('TARGETS', given.targets.map(targetKey))),
    INVENTORY_COLLECTIONS: JSON.stringify(given.collections),
    ...(given.accountId !== undefined && { ACCOUNT_ID: given.accountId }),
    ...accountsFileVariable(deployment),
  } satisfies InventoryEnv,
});

/** A second less than API Gateway waits, so that the function can still answer. */
export const answerTimeoutSeconds = 29;

export const inventoryApi = (
  deployment: Deployment,
  given: {
    readonly tableName: string;
    readonly file: InventoryFile;
    /** For development alone: requests need no credentials. */
    readonly authOptional: boolean;
  },
): FunctionSpec => ({
  name: 'inventory-api',
  description: 'Answers what the inventory has, and the logs of instances and containers',
  timeoutSeconds: answerTimeoutSeconds,
  memoryMb: 1024,
  ...inAccounts(deployment, 'reader'),
  files: [
    {
      name: inventoryFile,
      content: JSON.stringify(given.file),
      variable: 'INVENTORY_FILE' satisfies keyof InventoryApiEnv,
    },
    ...(inAccounts(deployment, 'reader')?.files ?? []),
  ],
  environment: {
    INVENTORY_TABLE: given.tableName,
    PROVIDER_NAME: deployment.provider,
    TAG_KEYS: JSON.stringify(deployment.tagKeys),
    AUTH_OPTIONAL: given.authOptional ? '1' : '0',
    ...accountsFileVariable(deployment),
  } satisfies InventoryApiEnv,
});

export const providerApi = (
  deployment: Deployment,
  given: {
    readonly provisioning: ProvisioningFile;
    readonly access: ApiAccess;
    /** Whether creates without an id are looked up among the requests to environment agents. */
    readonly findsAgentRequests: boolean;
    /** Undefined without a usage ledger. */
    readonly usage?: { readonly table: string; readonly prices?: UsagePrices | undefined } | undefined;
    /** Undefined: there is no console. */
    readonly console?: { readonly feedTable: string; readonly file: ConsoleFile } | undefined;
  },
): FunctionSpec => ({
  name: 'provider-api',
  description: 'Creates, reads, changes and deletes VMs for DCM',
  timeoutSeconds: answerTimeoutSeconds,
  memoryMb: 1024,
  ...inAccounts(deployment, 'launcher'),
  files: [
    {
      name: provisioningFile,
      content: JSON.stringify(given.provisioning),
      variable: 'PROVISIONING_FILE' satisfies keyof ProviderApiEnv,
    },
    ...(inAccounts(deployment, 'launcher', [growing('API_ACCESS', given.access)])?.files ?? []),
    ...(given.usage?.prices
      ? [
          {
            name: usagePricesFile,
            content: JSON.stringify(given.usage.prices),
            variable: 'USAGE_PRICES' satisfies keyof ProviderApiEnv,
          },
        ]
      : []),
    ...(given.console
      ? [
          {
            name: consoleFile,
            content: JSON.stringify(given.console.file),
            variable: 'CONSOLE_FILE' satisfies keyof ProviderApiEnv,
          },
        ]
      : []),
  ],
  environment: {
    FLEET_TABLE: deployment.tableName,
    OBSERVATIONS_QUEUE_URL: deployment.observationsQueueUrl,
    NATS_BRIDGE: deployment.natsBridge,
    PROVIDER_NAME: deployment.provider,
    TAG_KEYS: JSON.stringify(deployment.tagKeys),
    HOME_REGION: deployment.homeRegion,
    API_ACCESS: textOf(deployment, growing('API_ACCESS', given.access)),
    AGENT_REQUESTS: given.findsAgentRequests ? 'true' : 'false',
    PROVIDER_VERSION: packageJson.version,
    ...(given.usage && { USAGE_TABLE: given.usage.table }),
    ...(given.usage?.prices && { USAGE_PRICES: usagePricesFile }),
    ...(given.console && { CONSOLE_FILE: consoleFile, FEED_TABLE: given.console.feedTable }),
    ...clusterStepsVariable(deployment),
    ...accountsFileVariable(deployment),
  } satisfies ProviderApiEnv,
});

export const registration = (
  deployment: Deployment,
  given: {
    /** Where the provider is registered, by region. */
    readonly registries: Registries;
    /** Where the provider-api answers. */
    readonly publicUrl: string;
    /** Secret of the API's token, where an endpoint that is registered carries it. */
    readonly endpointTokenSecret?: string | undefined;
  },
): FunctionSpec => ({
  name: 'registration',
  description: "Keeps the provider in DCM's registry",
  timeoutSeconds: 60,
  memoryMb: 256,
  files: [
    {
      name: registriesFile,
      content: JSON.stringify(given.registries),
      variable: 'REGISTRIES_FILE' satisfies keyof RegistrationEnv,
    },
  ],
  environment: {
    FLEET_TABLE: deployment.tableName,
    PROVIDER_NAME: deployment.provider,
    HOME_REGION: deployment.homeRegion,
    PUBLIC_URL: given.publicUrl,
    ...(given.endpointTokenSecret !== undefined && { ENDPOINT_TOKEN_SECRET: given.endpointTokenSecret }),
  } satisfies RegistrationEnv,
});

/** The variables that every function has besides its own. */
export const commonEnvironment = (name: FunctionName) => ({
  NODE_OPTIONS: '--enable-source-maps',
  POWERTOOLS_SERVICE_NAME: name,
  POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
});
