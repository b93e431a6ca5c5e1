import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { dynamoDbInventoryMaintenance } from '../../shared/adapters/dynamodb/inventory-compaction.ts';
import { dynamoDbInventoryReader } from '../../shared/adapters/dynamodb/inventory-reader.ts';
import { inventoryStorage } from '../../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbInventoryWriter } from '../../shared/adapters/dynamodb/inventory-writer.ts';
import { sqsCompactionRequests } from '../../shared/adapters/sqs/inventory-requests.ts';
import { sqsRetries } from '../../shared/adapters/sqs/retries.ts';
import { Collection } from '../../shared/core/inventory/entry.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { ec2Collections } from '../../shared/service-types/vm/ec2/collections.ts';
import { applyMessages } from './apply-messages.ts';
import { Env } from './env.ts';
import { forgetRemoved } from './forget-removed.ts';
import { readMessage } from './read-message.ts';

const env = Env.parse(process.env);
const client = DynamoDBDocumentClient.from(new DynamoDBClient());
const storage = inventoryStorage({ client, table: env.INVENTORY_TABLE });
const reader = dynamoDbInventoryReader(storage);
const feed = dynamoDbChangeFeed(client, env.INVENTORY_TABLE);
const maintenance = dynamoDbInventoryMaintenance(storage, { feed });
const collections = new Set(env.INVENTORY_COLLECTIONS ?? Collection.options);
const configured = { targets: env.TARGETS, collections };
const telemetry = { now: Date.now, log, meter };

const forget = forgetRemoved({ reader, maintenance, ...configured, ...telemetry });
/** Once in each execution environment, beside its first batch. */
const forgotten = forget().catch((error: unknown) => {
  log.warn('collections that are no longer configured were not deleted; another start does it', { error });
});

const batch = partialBatch({
  read: readMessage({ ...configured, homeAccount: env.ACCOUNT_ID, log, meter }),
  handle: applyMessages({
    ...{ reader, maintenance, ...telemetry },
    writer: dynamoDbInventoryWriter({
      storage,
      requestCompaction: sqsCompactionRequests(new SQSClient(), env.INVENTORY_QUEUE_URL),
      feed,
    }),
    instances: ec2Collections(
      assumedAccounts({
        file: env.ACCOUNTS_FILE,
        ...{ provider: env.PROVIDER_NAME, role: 'reader', environment: process.env },
      }),
    ),
  }),
  retries: sqsRetries(env.INVENTORY_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL),
  ...{ log, meter },
});

export const handler = withTelemetry(async (event: Parameters<typeof batch>[0]) => {
  const [answer] = await Promise.all([batch(event), forgotten]);
  return answer;
});
