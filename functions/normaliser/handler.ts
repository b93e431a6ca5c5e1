import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { bridgePublisher } from '../../shared/adapters/bridge-publisher.ts';
import { deferredObservations } from '../../shared/adapters/deferred-observations.ts';
import { dynamoDbFleet } from '../../shared/adapters/dynamodb-fleet.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb-listings.ts';
import { dynamoDbVmRecords } from '../../shared/adapters/dynamodb-vm-records.ts';
import { ec2Instances } from '../../shared/adapters/ec2-instances.ts';
import { sqsRetries } from '../../shared/adapters/sqs-retries.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { Env } from './env.ts';
import { readMessage } from './read-message.ts';
import { reportStatus } from './report-status.ts';

const env = Env.parse(process.env);
const client = DynamoDBDocumentClient.from(new DynamoDBClient());
const fleet = dynamoDbFleet(client, env.FLEET_TABLE);
const listings = dynamoDbListings(client, env.FLEET_TABLE);
const records = dynamoDbVmRecords(client, env.FLEET_TABLE, log);
const observations = deferredObservations(env.OBSERVATIONS_QUEUE_URL);
const publisher = bridgePublisher(new LambdaClient(), env.NATS_BRIDGE);
const identity = { provider: env.PROVIDER_NAME, tagKeys: env.TAG_KEYS, burst: env.BURST };
const telemetry = { now: Date.now, log, meter };

const ports = { fleet, listings, records, observations, publisher, instances: ec2Instances() };
const handle = reportStatus({ ...ports, ...identity, ...telemetry });
const retries = sqsRetries(env.OBSERVATIONS_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL);

export const handler = withTelemetry(
  partialBatch({ read: readMessage(telemetry), handle, retries, log, meter }),
);
