import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { bridgeProbe, bridgePublisher } from '../../shared/adapters/bridge/bridge.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { eventBridgeStatusBus } from '../../shared/adapters/event-bridge/status-bus.ts';
import { randomPart } from '../../shared/adapters/random-part.ts';
import { deferredObservations } from '../../shared/adapters/sqs/deferred-observations.ts';
import { sqsRetries } from '../../shared/adapters/sqs/retries.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { targetKey } from '../../shared/core/target.ts';
import type { ServedType } from '../../shared/ports/served-type.ts';
import { skippingFailedTargets } from '../../shared/runtime/breaker.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { eksClusters } from '../../shared/service-types/cluster/eks/clusters.ts';
import { eksUpdates } from '../../shared/service-types/cluster/eks/updates.ts';
import { clusterRecords } from '../../shared/service-types/cluster/record.ts';
import { servedClusters } from '../../shared/service-types/cluster/served.ts';
import { ecsTasks } from '../../shared/service-types/container/ecs/tasks.ts';
import { containerRecords } from '../../shared/service-types/container/record.ts';
import { servedContainers } from '../../shared/service-types/container/served.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { servedVms } from '../../shared/service-types/vm/served.ts';
import { Env } from './env.ts';
import { answerCanary, processHeartbeats } from './heartbeats.ts';
import { reportStatus } from './normalise.ts';
import { readMessage } from './read-message.ts';
import { readRefusals, reportRefusals } from './refused-creates.ts';

const env = Env.parse(process.env);
const accounts = assumedAccounts({
  file: env.ACCOUNTS_FILE,
  ...{ provider: env.PROVIDER_NAME, role: 'reader', environment: process.env },
});
const identity = { provider: env.PROVIDER_NAME, tagKeys: env.TAG_KEYS };

/** Where there are other accounts, a target that fails delays no other. */
const isolated = (type: ServedType): ServedType =>
  env.ACCOUNTS_FILE === undefined ? type : skippingFailedTargets(type, Date.now);

/** The ports of the normaliser, on AWS. */
const awsPorts = ({ FLEET_TABLE: table, OBSERVATIONS_QUEUE_URL: queueUrl, NATS_BRIDGE }: typeof env) => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient());
  const lambda = new LambdaClient();
  const served: Record<ServiceType, () => ServedType> = {
    vm: () => servedVms(ec2Instances(accounts), dynamoDbRecords(client, table, vmRecords, log)),
    container: () =>
      servedContainers(
        ecsTasks({
          ...identity,
          clusterOf: (target) => env.ECS_CLUSTERS[targetKey(target)],
          accounts,
          publicAddresses: env.PUBLIC_CONTAINERS === 'true',
        }),
        dynamoDbRecords(client, table, containerRecords, log),
      ),
    cluster: () =>
      servedClusters(
        eksClusters(accounts),
        dynamoDbRecords(client, table, clusterRecords, log),
        eksUpdates(accounts),
      ),
  };
  return {
    resourceStore: dynamoDbResourceStore(client, table, kinds),
    heartbeats: dynamoDbHeartbeats(client, table),
    listings: dynamoDbListings(client, table),
    observations: deferredObservations(queueUrl),
    bus: env.STATUS_BUS === undefined ? undefined : eventBridgeStatusBus({ bus: env.STATUS_BUS, log }),
    homeAccount: env.ACCOUNT_ID,
    publisher: bridgePublisher(lambda, NATS_BRIDGE),
    nats: bridgeProbe(lambda, NATS_BRIDGE),
    types: env.SERVICE_TYPES.map((serviceType) => isolated(served[serviceType]())),
    randomPart,
  };
};

const reporting = {
  spotEndsAs: env.SPOT_ENDS_AS,
  startingAs: env.STARTING_AS,
  clusterWords: env.CLUSTER_WORDS,
};
const telemetry = { now: Date.now, log, meter };
const { heartbeats, nats, ...ports } = awsPorts(env);
const retries = sqsRetries(env.OBSERVATIONS_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL);
const configured = env.ACCOUNTS_FILE?.accounts;
const parts = {
  ...{ ...ports, retries, reporting, burst: env.BURST, ...identity, ...telemetry },
  accounts: configured,
};
const read = readMessage({
  ...{ regions: env.REGIONS, account: env.ACCOUNT_ID, ...(configured && { accounts: configured }) },
  ...{ ...identity, ...telemetry },
});
const handle = reportRefusals(parts, reportStatus(parts));

export const handler = withTelemetry(
  processHeartbeats(
    { heartbeats, log },
    answerCanary(
      { nats, provider: identity.provider, ...telemetry },
      partialBatch({
        read: readRefusals(read),
        handle,
        retries,
        log,
        meter,
      }),
    ),
  ),
);
