import '../../shared/runtime/schema-messages.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { ssmParameters } from '../../shared/adapters/aws/ssm-parameters.ts';
import { bridgeAgentRequests, bridgeProbe } from '../../shared/adapters/bridge/bridge.ts';
import { dynamoDbFirstAnswer } from '../../shared/adapters/dynamodb/first-answer.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import {
  optionalSecret,
  SecretsManagerEnvironment,
  secretsManager,
} from '../../shared/adapters/secrets/secrets-manager.ts';
import { sqsClusterSteps } from '../../shared/adapters/sqs/cluster-steps.ts';
import { sqsObservations } from '../../shared/adapters/sqs/observations.ts';
import { NotFoundError } from '../../shared/core/errors.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { providerName } from '../../shared/core/provider-name.ts';
import { type NamedTarget, namedTarget, type Target, targetOfKey } from '../../shared/core/target.ts';
import { authentication, type Credentials, opensTargetsOf } from '../../shared/http/authentication.ts';
import { jwtVerifier } from '../../shared/http/jwt-verifier.ts';
import { router, targetPaths } from '../../shared/http/router.ts';
import { httpApi } from '../../shared/runtime/http-api.ts';
import { correlate, log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import {
  cachedClusterVersions,
  eksCalls,
  eksClusterActions,
  eksClusterVersions,
} from '../../shared/service-types/cluster/eks/cluster-actions.ts';
import { eksClusters } from '../../shared/service-types/cluster/eks/clusters.ts';
import { clusterRecords } from '../../shared/service-types/cluster/record.ts';
import { ecsCalls } from '../../shared/service-types/container/ecs/calls.ts';
import { ecsTaskActions } from '../../shared/service-types/container/ecs/task-actions.ts';
import { ecsTasks } from '../../shared/service-types/container/ecs/tasks.ts';
import { containerRecords } from '../../shared/service-types/container/record.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2Calls } from '../../shared/service-types/vm/ec2/calls.ts';
import { ec2InstanceActions } from '../../shared/service-types/vm/ec2/instance-actions.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { cachedOfferings, ec2Offerings } from '../../shared/service-types/vm/ec2/offerings.ts';
import { awsVcpuQuota } from '../../shared/service-types/vm/ec2/vcpu-quota.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { runCanary } from './canary.ts';
import { completeDeletions, handleEvent } from './complete-deletions.ts';
import { consolePage } from './console/page.ts';
import { type AccountAccess, Env } from './env.ts';
import { checkHealth, queueDelay } from './health/check-health.ts';
import { deployedServices, provisionedAccounts } from './health/deployed-services.ts';
import { operationsWith } from './operations/registry.ts';
import type { UsageAsked } from './read-usage.ts';
import { clusterUseCases } from './service-types/cluster.ts';
import { containerUseCases } from './service-types/container.ts';
import { vmUseCases } from './service-types/vm.ts';
import { tryLaunch } from './try-launch.ts';
import { type ConsoleUseCases, recordsIn } from './use-cases.ts';

const env = Env.parse(process.env);
const { API_ACCESS: access, FLEET_TABLE: tableName, HOME_REGION: homeRegion, PROVIDER_NAME: provider } = env;

/** Without them, a connection that broke while the function was frozen would keep the caller waiting until Lambda's timeout. */
const shortTimeouts = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true };

// The clients that every invocation uses, health included; all others are loaded when they are first used.
const dynamoDb = new DynamoDBClient({ requestHandler: shortTimeouts });
const table = DynamoDBDocumentClient.from(dynamoDb);
const sqs = new SQSClient({ requestHandler: shortTimeouts });
const lambda = new LambdaClient();

const observations = sqsObservations(sqs, env.OBSERVATIONS_QUEUE_URL);
const clock = { now: Date.now, log };

const accounts = assumedAccounts({
  file: env.ACCOUNTS_FILE,
  ...{ provider, role: 'launcher', environment: process.env },
});
const configured = env.ACCOUNTS_FILE?.accounts ?? {};
const provisioned = provisionedAccounts(env.PROVISIONING_FILE, configured);

const records = {
  vm: dynamoDbRecords(table, tableName, vmRecords, log),
  container: dynamoDbRecords(table, tableName, containerRecords, log),
  cluster: dynamoDbRecords(table, tableName, clusterRecords, log),
};
const ec2 = ec2Calls(accounts);
const offerings = cachedOfferings(ec2Offerings({ call: ec2, parameters: ssmParameters(accounts) }), Date.now);
const ecs = {
  ...{ provider, tagKeys: env.TAG_KEYS, accounts, call: ecsCalls(accounts) },
  clusterOf: ({ region, account }: Target) =>
    provisioned.find((one) => one.account === account)?.provisioning.containers?.regions[region]?.ecsCluster,
  publicAddresses: provisioned.some(({ provisioning }) => provisioning.containers?.publicAddresses === true),
};
const eks = eksCalls(accounts);
const { CLUSTER_STEPS_QUEUE_URL: stepsQueueUrl } = env;
const shared = {
  resourceStore: dynamoDbResourceStore(table, tableName, kinds),
  tagKeys: env.TAG_KEYS,
  ...{ observations, provider, pause, ...clock },
};
const aws = {
  vm: {
    ...{ instances: ec2Instances(accounts), actions: ec2InstanceActions(ec2) },
    ...{ vcpuQuota: awsVcpuQuota(accounts), offerings },
  },
  container: { tasks: ecsTasks(ecs), actions: ecsTaskActions(ecs) },
  cluster: {
    ...{ clusters: eksClusters(accounts), actions: eksClusterActions(eks) },
    versions: cachedClusterVersions(eksClusterVersions(eks), Date.now),
    instanceTypes: offerings.instanceTypes,
  },
};

/** The resources of one account, by its own settings; where other accounts are configured, only those of the target. */
const resourcesIn = (target: Target) => {
  const { account } = target;
  const provisioning = provisioned.find((one) => one.account === account)?.provisioning;
  if (provisioning === undefined) throw new NotFoundError(`nothing is created in ${accounts.nameOf(target)}`);
  const { containers, clusters } = provisioning;
  const ports = { ...shared, account };
  const only = env.ACCOUNTS_FILE && target;
  return {
    vm: vmUseCases({ ...ports, ...aws.vm, records: recordsIn(only, records.vm), provisioning }),
    container:
      containers &&
      containerUseCases({
        ...{ ...ports, ...aws.container, provisioning: containers },
        records: recordsIn(only, records.container),
        startingAs: env.AGENT_REQUESTS === 'true' ? 'PROVISIONING' : 'PENDING',
      }),
    cluster:
      clusters && stepsQueueUrl !== undefined
        ? clusterUseCases({
            ...{ ...ports, ...aws.cluster, provisioning: clusters },
            records: recordsIn(only, records.cluster),
            steps: sqsClusterSteps(sqs, stepsQueueUrl),
          })
        : undefined,
  };
};

const services = deployedServices(provisioned, env, {
  credentials: async (target) => (await accounts.credentialsIn(target)) ?? dynamoDb.config.credentials(),
  refused: accounts.refused,
});
const providerNameOf = (target: NamedTarget, serviceType: ServiceType) =>
  providerName({ name: provider, homeRegion }, target, serviceType);
const health = checkHealth({
  services,
  backlog: queueDelay({
    heartbeats: dynamoDbHeartbeats(table, tableName),
    ...{ observations, homeRegion, ...clock },
  }),
  nats: bridgeProbe(lambda, env.NATS_BRIDGE),
  registrations: dynamoDbRegistrations(table, tableName),
  firstAnswer: dynamoDbFirstAnswer(table, tableName),
  providerNameOf,
  version: env.PROVIDER_VERSION,
  ...clock,
});

/** Loaded when usage is first asked for. */
const readsUsage = async (usageTable: string) => {
  const [{ readUsage }, { dynamoDbUsageLedger }] = await Promise.all([
    import('./read-usage.ts'),
    import('../../shared/adapters/dynamodb/usage-ledger.ts'),
  ]);
  const ledger = dynamoDbUsageLedger({ client: table, table: usageTable });
  return readUsage({ ledger, billing: env.USAGE_PRICES, accounts: configured, now: Date.now });
};
const usageIn = (usageTable: string) => ({
  accounts: configured,
  nowSeconds: () => Math.floor(Date.now() / 1000),
  charges: async (asked: UsageAsked) => (await readsUsage(usageTable)).charges(asked),
  focus: async (asked: UsageAsked) => (await readsUsage(usageTable)).focus(asked),
});

const agentRequests =
  env.AGENT_REQUESTS === 'true' ? bridgeAgentRequests(lambda, env.NATS_BRIDGE) : undefined;
const readSecret = secretsManager(SecretsManagerEnvironment.parse(process.env));
const credentialsOf = (alias: string | undefined, { tokenSecret, jwt }: AccountAccess): Credentials => {
  const opens = opensTargetsOf(alias);
  return {
    secret: optionalSecret(readSecret, tokenSecret),
    verifyJwt: jwt && jwtVerifier(jwt),
    opens,
    isMeantFor: (asked) => (asked.target === undefined ? alias === undefined : opens(asked, [])),
  };
};
const readerCredentials = (tokenSecret: string): Credentials => ({
  secret: () => readSecret(tokenSecret),
  opens: ({ isWrite }) => isWrite !== true,
  isMeantFor: () => false,
});

type ConsoleFile = NonNullable<typeof env.CONSOLE_FILE>;

/** Loaded when the console is first used. */
const loadConsole = async ({ polled, collections }: ConsoleFile): Promise<Omit<ConsoleUseCases, 'page'>> => {
  const load = await import('./console/modules.ts');
  const feed = load.dynamoDbChangeFeed(table, env.FEED_TABLE);
  const listed = polled.map(({ region, kind: mode, serviceType }) => ({
    ...{ target: namedTarget(configured, targetOfKey(region)), serviceType, mode },
  }));
  const targets = listed.map(({ target }) => target);
  const storage = load.inventoryStorage({ client: table, table: env.FEED_TABLE });
  return {
    readOverview: load.readOverview({
      listed,
      types: [
        load.overviewType(vmRecords, records.vm, ({ instanceType }) => instanceType),
        load.overviewType(
          containerRecords,
          records.container,
          ({ size }) => size && `${size.vcpus} vCPU, ${size.memoryMib} MiB`,
        ),
        load.overviewType(
          clusterRecords,
          records.cluster,
          ({ version }) => version && `Kubernetes ${version}`,
        ),
      ],
      listings: load.dynamoDbListings(table, tableName),
      resourceStore: shared.resourceStore,
      inventory: collections && { reader: load.dynamoDbInventoryReader(storage), collections },
      checkHealth: health,
      registrations: dynamoDbRegistrations(table, tableName),
      ...{ feed, provider, providerNameOf, version: env.PROVIDER_VERSION, ...clock },
    }),
    readChanges: (query, call) =>
      load.readChanges({
        feed: load.permittedChanges(feed, targets, call.permits),
        ...{ accounts: configured, streams: false, ...clock },
      })(query, call),
  };
};

const consoleUseCases = (file: ConsoleFile): ConsoleUseCases => {
  let loading: ReturnType<typeof loadConsole> | undefined;
  const loaded = () => {
    loading ??= loadConsole(file);
    return loading;
  };
  return {
    page: consolePage(file.page),
    readOverview: async (...asked) => (await loaded()).readOverview(...asked),
    readChanges: async (...asked) => (await loaded()).readChanges(...asked),
  };
};

const console = env.CONSOLE_FILE && consoleUseCases(env.CONSOLE_FILE);

const app = router({
  operations: operationsWith(
    services.map(({ serviceType }) => serviceType),
    { hasConsole: console !== undefined },
  ),
  useCasesIn: (target) => ({
    ...resourcesIn(target),
    console,
    ...{
      checkHealth: health,
      findRequest: agentRequests?.find,
      usage: env.USAGE_TABLE ? usageIn(env.USAGE_TABLE) : undefined,
    },
  }),
  authentication: authentication({
    realm: 'provider-api',
    credentials: [
      credentialsOf(undefined, access),
      ...Object.keys(configured).map((alias) => credentialsOf(alias, access.accounts?.[alias] ?? {})),
      ...(env.CONSOLE_FILE?.readers ?? []).map(readerCredentials),
    ],
  }),
  targets: targetPaths({ homeRegion, accounts: configured }),
  ...{ correlate, ...clock },
});

export const handler = withTelemetry(
  handleEvent({
    http: httpApi((request, given) => app.fetch(request, given)),
    runCanary: runCanary({
      api: (request, given) => app.fetch(request, given),
      secret: optionalSecret(readSecret, access.tokenSecret),
      ...{ observations, homeRegion, meter, ...clock },
    }),
    tryLaunch: tryLaunch({ accounts: configured, vmsIn: (target) => resourcesIn(target).vm }),
    completeDeletions: completeDeletions({
      deletionsIn: (target) => {
        const { vm, container, cluster } = resourcesIn(target);
        return { vm: vm.deletions, container: container?.deletions, cluster: cluster?.deletions };
      },
      ...{ services, random: Math.random, meter, ...clock },
    }),
  }),
);
