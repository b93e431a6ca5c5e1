import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { sqsObservations } from '../../shared/adapters/sqs/observations.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { servedVms } from '../../shared/service-types/vm/served.ts';
import { Env } from './env.ts';
import { handleRequest } from './handle-request.ts';

const env = Env.parse(process.env);
const instances = ec2Instances();
const client = DynamoDBDocumentClient.from(new DynamoDBClient());

export const handler = withTelemetry(
  handleRequest({
    resourceStore: dynamoDbResourceStore(client, env.FLEET_TABLE, kinds),
    listings: dynamoDbListings(client, env.FLEET_TABLE),
    types: [{ ...servedVms(instances), statusChecks: instances }],
    observations: sqsObservations(new SQSClient(), env.OBSERVATIONS_QUEUE_URL),
    targets: env.REGIONS,
    floorSeconds: env.POLL_FLOOR_SECONDS,
    ...{ provider: env.PROVIDER_NAME, tagKeys: env.TAG_KEYS },
    ...{ now: Date.now, random: Math.random, log, meter },
  }),
);
