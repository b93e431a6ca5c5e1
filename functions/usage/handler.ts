import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbUsageLedger } from '../../shared/adapters/dynamodb/usage-ledger.ts';
import { sqsRetries } from '../../shared/adapters/sqs/retries.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { Env } from './env.ts';
import { carryUsage, handleEvent, readUsage, recordUsage } from './record-usage.ts';

const env = Env.parse(process.env);
const ledger = dynamoDbUsageLedger({
  client: DynamoDBDocumentClient.from(new DynamoDBClient()),
  table: env.USAGE_TABLE,
});
const parts = { ledger, now: Date.now, log, meter };

export const handler = withTelemetry(
  handleEvent({
    batch: partialBatch({
      read: readUsage,
      handle: recordUsage(parts),
      retries: sqsRetries(env.USAGE_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL),
      log,
      meter,
    }),
    carry: carryUsage(parts),
  }),
);
