import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { bridgePublisher } from '../../shared/adapters/bridge-publisher.ts';
import { dynamoDbFleet } from '../../shared/adapters/dynamodb-fleet.ts';
import { ec2Instances } from '../../shared/adapters/ec2-instances.ts';
import { sqsRetries } from '../../shared/adapters/sqs-retries.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { Env } from './env.ts';
import { readMessage } from './read-message.ts';
import { reportStatus } from './report-status.ts';

const env = Env.parse(process.env);
const fleet = dynamoDbFleet(DynamoDBDocumentClient.from(new DynamoDBClient()), env.FLEET_TABLE);
const publisher = bridgePublisher(new LambdaClient(), env.NATS_BRIDGE);
const identity = { provider: env.PROVIDER_NAME, tagKeys: env.TAG_KEYS };
const telemetry = { now: Date.now, log, meter };

const handle = reportStatus({ fleet, publisher, instances: ec2Instances(), ...identity, ...telemetry });
const retries = sqsRetries(env.OBSERVATIONS_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL);

export const handler = withTelemetry(
  partialBatch({ read: readMessage(telemetry), handle, retries, log, meter }),
);
