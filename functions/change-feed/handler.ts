import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { sqsRetries } from '../../shared/adapters/sqs/retries.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { appendStatuses, readStatus } from './append-statuses.ts';
import { Env } from './env.ts';

const env = Env.parse(process.env);
const feed = dynamoDbChangeFeed(DynamoDBDocumentClient.from(new DynamoDBClient()), env.INVENTORY_TABLE);

export const handler = withTelemetry(
  partialBatch({
    read: readStatus,
    handle: appendStatuses({ feed, now: Date.now, log }),
    retries: sqsRetries(env.CHANGES_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL),
    log,
    meter,
  }),
);
