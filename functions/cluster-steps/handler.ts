import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { sqsClusterSteps } from '../../shared/adapters/sqs/cluster-steps.ts';
import { sqsObservations } from '../../shared/adapters/sqs/observations.ts';
import { sqsQueueDepth } from '../../shared/adapters/sqs/queue-depth.ts';
import { sqsRetries } from '../../shared/adapters/sqs/retries.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { eksCalls, eksClusterActions } from '../../shared/service-types/cluster/eks/cluster-actions.ts';
import { eksClusters } from '../../shared/service-types/cluster/eks/clusters.ts';
import { clusterKind } from '../../shared/service-types/cluster/kind.ts';
import { clusterRecords } from '../../shared/service-types/cluster/record.ts';
import { clusterStepIn } from '../../shared/wire/cluster-step.ts';
import { Env } from './env.ts';
import { inspectQueues } from './inspect-queues.ts';
import { takeSteps } from './take-step.ts';

const env = Env.parse(process.env);
const { FLEET_TABLE: table } = env;
const accounts = assumedAccounts({
  file: env.ACCOUNTS_FILE,
  ...{ provider: env.PROVIDER_NAME, role: 'launcher', environment: process.env },
});
const client = DynamoDBDocumentClient.from(new DynamoDBClient());
const sqs = new SQSClient();

const handle = takeSteps({
  records: dynamoDbRecords(client, table, clusterRecords, log),
  resourceStore: dynamoDbResourceStore(client, table, [clusterKind]),
  clusters: eksClusters(accounts),
  actions: eksClusterActions(eksCalls(accounts)),
  observations: sqsObservations(sqs, env.OBSERVATIONS_QUEUE_URL),
  steps: sqsClusterSteps(sqs, env.CLUSTER_STEPS_QUEUE_URL),
  stepSeconds: env.STEP_SECONDS,
  settingsIn: ({ account }) => (account === undefined ? env.CLUSTERS.home : env.CLUSTERS.accounts[account]),
  ...{ provider: env.PROVIDER_NAME, tagKeys: env.TAG_KEYS },
  ...{ now: Date.now, log },
});

const queues = {
  depth: sqsQueueDepth(sqs, env.CLUSTER_STEPS_QUEUE_URL),
  deadLetters: sqsQueueDepth(sqs, env.DEAD_LETTER_QUEUE_URL),
};

export const handler = withTelemetry(
  inspectQueues(
    queues,
    partialBatch({
      read: (body) => [clusterStepIn(body)],
      handle,
      retries: sqsRetries(env.CLUSTER_STEPS_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL),
      ...{ log, meter },
    }),
  ),
);
