import type { Env as ClusterStepsEnv, StepSettings } from '../functions/cluster-steps/env.ts';
import type { Env as NatsBridgeEnv } from '../functions/nats-bridge/env.ts';
import type { Env as NormaliserEnv } from '../functions/normaliser/env.ts';
import type { PolledRegion, Env as PollerEnv } from '../functions/poller/env.ts';
import {
  type ApiAccess,
  type Env as ProviderApiEnv,
  type ProvisioningFile,
  provisioningFile,
} from '../functions/provider-api/env.ts';
import {
  type Env as RegistrationEnv,
  type Registries,
  registriesFile,
} from '../functions/registration/env.ts';
import packageJson from '../package.json' with { type: 'json' };
import type { ServiceType } from '../shared/core/kind.ts';
import type { TagKeys } from '../shared/core/ownership.ts';
import type { FunctionName } from './bundle.ts';

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
  /** A value that is too large for the environment (4 KiB): a JSON file beside the code. `variable` names it where it is elsewhere. */
  readonly file?: { readonly name: string; readonly content: string; readonly variable: string };
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
};

/** What a function needs to read the AWS services of containers and clusters. Nothing for VMs alone, as before there were other types. */
const servedVariables = ({ created: { containers, clusters } }: Deployment) => ({
  ...serviceTypesVariable([
    'vm',
    ...(containers ? ['container' as const] : []),
    ...(clusters ? ['cluster' as const] : []),
  ]),
  ...(containers && {
    ECS_CLUSTERS: JSON.stringify(
      Object.fromEntries(
        Object.entries(containers.regions).map(([region, { ecsCluster }]) => [region, ecsCluster]),
      ),
    ),
    PUBLIC_CONTAINERS: containers.publicAddresses ? ('true' as const) : ('false' as const),
  }),
});

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
    ...(deployment.created.containers && { STARTING_AS: given.startingAs }),
    ...(deployment.created.clusters && { CLUSTER_WORDS: deployment.created.clusters.vocabulary }),
    ...servedVariables(deployment),
  } satisfies NormaliserEnv,
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

export const poller = (
  deployment: Deployment,
  given: { readonly regions: readonly PolledRegion[]; readonly floorSeconds: number },
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
    REGIONS: JSON.stringify(given.regions),
    POLL_FLOOR_SECONDS: String(given.floorSeconds),
    ...servedVariables(deployment),
    ...clusterStepsVariable(deployment),
  } satisfies PollerEnv,
});

export const clusterSteps = (
  deployment: Deployment,
  given: {
    readonly queueUrl: string;
    readonly deadLetterQueueUrl: string;
    readonly clusters: StepSettings;
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
    CLUSTERS: JSON.stringify({
      nodeRoleArn: given.clusters.nodeRoleArn,
      adminPrincipals: given.clusters.adminPrincipals,
      changeAdopted: given.clusters.changeAdopted,
    } satisfies StepSettings),
    ...(given.stepSeconds !== undefined && { STEP_SECONDS: String(given.stepSeconds) }),
  } satisfies ClusterStepsEnv,
});

/** A second less than API Gateway waits, so that the function can still answer. */
export const answerTimeoutSeconds = 29;

export const providerApi = (
  deployment: Deployment,
  given: {
    readonly provisioning: ProvisioningFile;
    readonly access: ApiAccess;
    /** Whether creates without an id are looked up among the requests to environment agents. */
    readonly findsAgentRequests: boolean;
  },
): FunctionSpec => ({
  name: 'provider-api',
  description: 'Creates, reads, changes and deletes VMs for DCM',
  timeoutSeconds: answerTimeoutSeconds,
  memoryMb: 1024,
  file: {
    name: provisioningFile,
    content: JSON.stringify(given.provisioning),
    variable: 'PROVISIONING_FILE' satisfies keyof ProviderApiEnv,
  },
  environment: {
    FLEET_TABLE: deployment.tableName,
    OBSERVATIONS_QUEUE_URL: deployment.observationsQueueUrl,
    NATS_BRIDGE: deployment.natsBridge,
    PROVIDER_NAME: deployment.provider,
    TAG_KEYS: JSON.stringify(deployment.tagKeys),
    HOME_REGION: deployment.homeRegion,
    API_ACCESS: JSON.stringify(given.access),
    AGENT_REQUESTS: given.findsAgentRequests ? 'true' : 'false',
    PROVIDER_VERSION: packageJson.version,
    ...clusterStepsVariable(deployment),
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
  file: {
    name: registriesFile,
    content: JSON.stringify(given.registries),
    variable: 'REGISTRIES_FILE' satisfies keyof RegistrationEnv,
  },
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
