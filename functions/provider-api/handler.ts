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
import { providerName } from '../../shared/core/provider-name.ts';
import { namedTarget, type Target } from '../../shared/core/target.ts';
import { authentication } from '../../shared/http/authentication.ts';
import { jwtVerifier } from '../../shared/http/jwt-verifier.ts';
import { router } from '../../shared/http/router.ts';
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
import { completeDeletions, handleEvent } from './complete-deletions.ts';
import { Env } from './env.ts';
import { checkHealth, queueDelay } from './health/check-health.ts';
import { deployedServices } from './health/deployed-services.ts';
import { operationsWith } from './operations/registry.ts';
import { clusterUseCases } from './service-types/cluster.ts';
import { containerUseCases } from './service-types/container.ts';
import { vmUseCases } from './service-types/vm.ts';

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

const ports = {
  resourceStore: dynamoDbResourceStore(table, tableName, kinds),
  tagKeys: env.TAG_KEYS,
  ...{ observations, provider, pause, ...clock },
};
const offerings = cachedOfferings(
  ec2Offerings({ call: ec2Calls(accounts), parameters: ssmParameters(accounts) }),
  Date.now,
);

const vm = vmUseCases({
  records: dynamoDbRecords(table, tableName, vmRecords, log),
  instances: ec2Instances(accounts),
  actions: ec2InstanceActions(ec2Calls(accounts)),
  vcpuQuota: awsVcpuQuota(accounts),
  provisioning: env.PROVISIONING_FILE,
  ...{ offerings, ...ports },
});

const services = deployedServices(env.PROVISIONING_FILE, env, dynamoDb.config.credentials);

const { containers, clusters } = env.PROVISIONING_FILE;
const ecs = {
  ...{ provider, tagKeys: env.TAG_KEYS },
  clusterOf: ({ region }: Target) => containers?.regions[region]?.ecsCluster,
  publicAddresses: containers?.publicAddresses === true,
};
const container =
  containers &&
  containerUseCases({
    records: dynamoDbRecords(table, tableName, containerRecords, log),
    tasks: ecsTasks({ ...ecs, accounts }),
    actions: ecsTaskActions({ ...ecs, call: ecsCalls(accounts) }),
    provisioning: containers,
    startingAs: env.AGENT_REQUESTS === 'true' ? 'PROVISIONING' : 'PENDING',
    ...ports,
  });

const { CLUSTER_STEPS_QUEUE_URL: stepsQueueUrl } = env;
const cluster =
  clusters && stepsQueueUrl !== undefined
    ? clusterUseCases({
        records: dynamoDbRecords(table, tableName, clusterRecords, log),
        clusters: eksClusters(accounts),
        actions: eksClusterActions(eksCalls(accounts)),
        versions: cachedClusterVersions(eksClusterVersions(eksCalls(accounts)), Date.now),
        instanceTypes: offerings.instanceTypes,
        steps: sqsClusterSteps(sqs, stepsQueueUrl),
        provisioning: clusters,
        ...ports,
      })
    : undefined;

const health = checkHealth({
  services,
  backlog: queueDelay({
    heartbeats: dynamoDbHeartbeats(table, tableName),
    ...{ observations, homeRegion, ...clock },
  }),
  nats: bridgeProbe(lambda, env.NATS_BRIDGE),
  registrations: dynamoDbRegistrations(table, tableName),
  firstAnswer: dynamoDbFirstAnswer(table, tableName),
  providerNameOf: (target, serviceType) =>
    providerName(
      { name: provider, homeRegion },
      namedTarget(env.ACCOUNTS_FILE?.accounts ?? {}, target),
      serviceType,
    ),
  version: env.PROVIDER_VERSION,
  ...clock,
});

const agentRequests =
  env.AGENT_REQUESTS === 'true' ? bridgeAgentRequests(lambda, env.NATS_BRIDGE) : undefined;

const app = router({
  operations: operationsWith(services.map(({ serviceType }) => serviceType)),
  useCases: { vm, container, cluster, checkHealth: health, findRequest: agentRequests?.find },
  authentication: authentication({
    realm: 'provider-api',
    secret: optionalSecret(secretsManager(SecretsManagerEnvironment.parse(process.env)), access.tokenSecret),
    isTrustedJwt: access.jwt && jwtVerifier(access.jwt),
  }),
  ...{ homeRegion, correlate, ...clock },
});

export const handler = withTelemetry(
  handleEvent({
    http: httpApi((request, given) => app.fetch(request, given)),
    completeDeletions: completeDeletions({
      deletionsOf: { vm: vm.deletions, container: container?.deletions, cluster: cluster?.deletions },
      ...{ services, random: Math.random, meter, ...clock },
    }),
  }),
);
