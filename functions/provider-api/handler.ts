import '../../shared/runtime/schema-messages.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { bridgeAgentRequests, bridgeProbe } from '../../shared/adapters/bridge/bridge.ts';
import { dynamoDbFirstAnswer } from '../../shared/adapters/dynamodb/first-answer.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { dynamoDbVmRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import {
  optionalSecret,
  SecretsManagerEnvironment,
  secretsManager,
} from '../../shared/adapters/secrets/secrets-manager.ts';
import { sqsObservations } from '../../shared/adapters/sqs/observations.ts';
import { providerName } from '../../shared/core/provider-name.ts';
import { authenticate } from '../../shared/http/authentication.ts';
import { jwtVerifier } from '../../shared/http/jwt-verifier.ts';
import { api } from '../../shared/http/router.ts';
import { httpApi } from '../../shared/runtime/http-api.ts';
import { correlate, log, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { ec2DryRun } from '../../shared/service-types/vm/ec2/dry-run.ts';
import { ec2InstanceActions } from '../../shared/service-types/vm/ec2/instance-actions.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { ec2Offerings } from '../../shared/service-types/vm/ec2/offerings.ts';
import { rememberedOfferings } from '../../shared/service-types/vm/ec2/remembered-offerings.ts';
import { awsVcpuQuota } from '../../shared/service-types/vm/ec2/vcpu-quota.ts';
import { Env, type Environment } from './env.ts';
import { checkHealth, queueDelay } from './health/check-health.ts';
import { operations } from './operations/registry.ts';
import { vmIdOf } from './operations/vms.ts';
import { vmUseCases } from './use-cases.ts';

/** Without them a connection that died while the function was frozen has a caller wait until the function is stopped. */
const shortTimeouts = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true };

/** What every invocation uses, health included; all other clients are loaded when they are needed. */
export const awsClients = () => {
  const dynamoDb = new DynamoDBClient({ requestHandler: shortTimeouts });
  return {
    table: DynamoDBDocumentClient.from(dynamoDb),
    lambda: new LambdaClient(),
    sqs: new SQSClient({ requestHandler: shortTimeouts }),
    credentials: dynamoDb.config.credentials,
  };
};
export type AwsClients = ReturnType<typeof awsClients>;

/** VMs by the parts that AWS has. */
export const awsVms = (env: Environment, { table, sqs }: AwsClients) =>
  vmUseCases({
    records: dynamoDbVmRecords(table, env.FLEET_TABLE, log),
    resourceStore: dynamoDbResourceStore(table, env.FLEET_TABLE),
    instances: ec2Instances(),
    actions: ec2InstanceActions(),
    offerings: rememberedOfferings(ec2Offerings(), Date.now),
    vcpuQuota: awsVcpuQuota(),
    observations: sqsObservations(sqs, env.OBSERVATIONS_QUEUE_URL),
    provisioning: env.PROVISIONING_FILE,
    provider: env.PROVIDER_NAME,
    tagKeys: env.TAG_KEYS,
    ...{ now: Date.now, pause, log },
  });

/** Health by the parts that AWS has. */
export const awsHealth = (env: Environment, { table, lambda, sqs, credentials }: AwsClients) => {
  const provider = { name: env.PROVIDER_NAME, homeRegion: env.HOME_REGION };
  return checkHealth({
    ec2: ec2DryRun({ credentials, endpoint: env.AWS_ENDPOINT_URL_EC2 ?? env.AWS_ENDPOINT_URL }),
    backlog: queueDelay({
      heartbeats: dynamoDbHeartbeats(table, env.FLEET_TABLE),
      observations: sqsObservations(sqs, env.OBSERVATIONS_QUEUE_URL),
      ...{ homeRegion: env.HOME_REGION, now: Date.now },
    }),
    nats: bridgeProbe(lambda, env.NATS_BRIDGE),
    registrations: dynamoDbRegistrations(table, env.FLEET_TABLE),
    firstAnswer: dynamoDbFirstAnswer(table, env.FLEET_TABLE),
    regions: Object.keys(env.PROVISIONING_FILE.regions),
    providerNameOf: (region) => providerName(provider, region),
    version: env.PROVIDER_VERSION,
    ...{ now: Date.now, log },
  });
};

const env = Env.parse(process.env);
const { AGENT_REQUESTS, API_ACCESS: access, HOME_REGION: homeRegion, NATS_BRIDGE: bridge } = env;
const clients = awsClients();
const findRequest = AGENT_REQUESTS === 'true' ? bridgeAgentRequests(clients.lambda, bridge).find : undefined;
const useCases = { ...awsVms(env, clients), checkHealth: awsHealth(env, clients), findRequest };
const readSecret = secretsManager(SecretsManagerEnvironment.parse(process.env));
const secret = optionalSecret(readSecret, access.tokenSecret);
const isTrustedJwt = access.jwt && jwtVerifier(access.jwt);
const authentication = authenticate({ secret, isTrustedJwt });
const app = api({
  ...{ operations, useCases, authenticate: authentication, homeRegion, idField: 'vmId', checkId: vmIdOf },
  ...{ correlate, log, now: Date.now },
});

export const handler = withTelemetry(httpApi((request, given) => app.fetch(request, given)));
