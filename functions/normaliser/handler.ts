import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { bridgePublisher } from '../../shared/adapters/bridge/bridge.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { randomPart } from '../../shared/adapters/random-part.ts';
import { deferredObservations } from '../../shared/adapters/sqs/deferred-observations.ts';
import { sqsRetries } from '../../shared/adapters/sqs/retries.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { servedVms } from '../../shared/service-types/vm/served.ts';
import { Env } from './env.ts';
import { processHeartbeats } from './heartbeats.ts';
import { reportStatus } from './normalise.ts';
import { readMessage } from './read-message.ts';
import { readRefusals, reportRefusals } from './refused-creates.ts';

type Named = Pick<Env, 'FLEET_TABLE' | 'OBSERVATIONS_QUEUE_URL' | 'NATS_BRIDGE'>;

/** The ports of the normaliser, on AWS. */
export const awsPorts = ({ FLEET_TABLE: table, OBSERVATIONS_QUEUE_URL: queueUrl, NATS_BRIDGE }: Named) => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient());
  return {
    resourceStore: dynamoDbResourceStore(client, table, kinds),
    heartbeats: dynamoDbHeartbeats(client, table),
    listings: dynamoDbListings(client, table),
    observations: deferredObservations(queueUrl),
    publisher: bridgePublisher(new LambdaClient(), NATS_BRIDGE),
    types: [servedVms(ec2Instances(), dynamoDbRecords(client, table, vmRecords, log))],
    randomPart,
  };
};

const env = Env.parse(process.env);
const identity = { provider: env.PROVIDER_NAME, tagKeys: env.TAG_KEYS, burst: env.BURST };
const spotEndsAs = env.SPOT_ENDS_AS;
const telemetry = { now: Date.now, log, meter };
const { heartbeats, ...ports } = awsPorts(env);
const retries = sqsRetries(env.OBSERVATIONS_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL);
const parts = { ...ports, retries, spotEndsAs, ...identity, ...telemetry };
const read = readMessage({ regions: env.REGIONS, account: env.ACCOUNT_ID, ...identity, ...telemetry });
const handle = reportRefusals(parts, reportStatus(parts));

export const handler = withTelemetry(
  processHeartbeats(
    { heartbeats, log },
    partialBatch({
      read: readRefusals(read),
      handle,
      retries,
      log,
      meter,
    }),
  ),
);
