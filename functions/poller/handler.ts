import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { inventoryStorage } from '../../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbInventoryWriter } from '../../shared/adapters/dynamodb/inventory-writer.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { sqsClusterSteps } from '../../shared/adapters/sqs/cluster-steps.ts';
import { sqsCompactionRequests } from '../../shared/adapters/sqs/inventory-requests.ts';
import { sqsObservations } from '../../shared/adapters/sqs/observations.ts';
import { Collection, furtherCollections } from '../../shared/core/inventory/entry.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { targetKey } from '../../shared/core/target.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { eksClusters } from '../../shared/service-types/cluster/eks/clusters.ts';
import { eksUpdates } from '../../shared/service-types/cluster/eks/updates.ts';
import { servedClusters } from '../../shared/service-types/cluster/served.ts';
import { furtherListings } from '../../shared/service-types/collections.ts';
import { ecsTasks } from '../../shared/service-types/container/ecs/tasks.ts';
import { servedContainers } from '../../shared/service-types/container/served.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { servedVms } from '../../shared/service-types/vm/served.ts';
import { Env, type PolledTarget } from './env.ts';
import type { PolledInventory } from './feed-inventory.ts';
import { handleRequest } from './handle-request.ts';
import type { PolledType } from './poll-target.ts';

const env = Env.parse(process.env);
const client = DynamoDBDocumentClient.from(new DynamoDBClient());
const sqs = new SQSClient();
const accounts = assumedAccounts({
  file: env.ACCOUNTS_FILE,
  ...{ provider: env.PROVIDER_NAME, role: 'reader', environment: process.env },
});
const instances = ec2Instances(accounts);
const { CLUSTER_STEPS_QUEUE_URL: stepsQueueUrl } = env;
const steps = stepsQueueUrl === undefined ? undefined : sqsClusterSteps(sqs, stepsQueueUrl);
const { PROVIDER_NAME: provider, TAG_KEYS: tagKeys } = env;
const types: Record<ServiceType, PolledType> = {
  vm: { ...servedVms(instances), statusChecks: instances },
  container: servedContainers(
    ecsTasks({
      ...{ provider, tagKeys, publicAddresses: false, accounts },
      clusterOf: (target) => env.ECS_CLUSTERS[targetKey(target)],
    }),
  ),
  cluster: {
    ...servedClusters(eksClusters(accounts), undefined, eksUpdates(accounts)),
    ...(steps && { steps }),
  },
};

const inventoryOf = (table: string, queueUrl: string): PolledInventory => {
  const storage = inventoryStorage({ client, table });
  return {
    writer: dynamoDbInventoryWriter({
      storage,
      requestCompaction: sqsCompactionRequests(sqs, queueUrl),
      feed: dynamoDbChangeFeed(client, table),
    }),
    collections: new Set(env.INVENTORY_COLLECTIONS ?? Collection.options),
  };
};
const { INVENTORY_TABLE: inventoryTable, INVENTORY_QUEUE_URL: inventoryQueueUrl } = env;
const inventory =
  inventoryTable !== undefined && inventoryQueueUrl !== undefined
    ? inventoryOf(inventoryTable, inventoryQueueUrl)
    : undefined;

/** The collections that only the inventory has, of every target. They are not in REGIONS, which would exceed Lambda's 4 KiB of environment. */
const furtherTargets = (): PolledTarget[] => {
  const further = furtherCollections.filter((collection) => inventory?.collections.has(collection));
  const vms = env.REGIONS.filter(({ target: { serviceType = 'vm' } }) => serviceType === 'vm');
  return vms.flatMap(({ target, mode }) =>
    further.map((collection) => ({ target: { ...target, collection }, mode })),
  );
};

export const handler = withTelemetry(
  handleRequest({
    inventory,
    collections: inventory && { lists: furtherListings(accounts), seconds: env.INVENTORY_SECONDS ?? 3600 },
    resourceStore: dynamoDbResourceStore(client, env.FLEET_TABLE, kinds),
    listings: dynamoDbListings(client, env.FLEET_TABLE),
    types: Object.values(types),
    observations: sqsObservations(sqs, env.OBSERVATIONS_QUEUE_URL),
    targets: [...env.REGIONS, ...furtherTargets()],
    floorSeconds: env.POLL_FLOOR_SECONDS,
    ...{ provider, tagKeys, accounts: env.ACCOUNTS_FILE?.accounts },
    ...{ now: Date.now, random: Math.random, log, meter },
  }),
);
