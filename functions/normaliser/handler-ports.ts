import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { bridgePublisher } from '../../shared/adapters/bridge-publisher.ts';
import { deferredObservations } from '../../shared/adapters/deferred-observations.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { dynamoDbFleet } from '../../shared/adapters/dynamodb-fleet.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb-listings.ts';
import { dynamoDbVmRecords } from '../../shared/adapters/dynamodb-vm-records.ts';
import { ec2Instances } from '../../shared/adapters/ec2-instances.ts';
import { randomPart } from '../../shared/adapters/random-part.ts';
import { log } from '../../shared/runtime/telemetry.ts';
import type { Env } from './env.ts';

type Named = Pick<Env, 'FLEET_TABLE' | 'OBSERVATIONS_QUEUE_URL' | 'NATS_BRIDGE'>;

/** What reporting a status takes, by the parts that AWS has. */
export const awsPorts = ({ FLEET_TABLE: table, OBSERVATIONS_QUEUE_URL: queueUrl, NATS_BRIDGE }: Named) => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient());
  return {
    fleet: dynamoDbFleet(client, table),
    heartbeats: dynamoDbHeartbeats(client, table),
    listings: dynamoDbListings(client, table),
    records: dynamoDbVmRecords(client, table, log),
    observations: deferredObservations(queueUrl),
    publisher: bridgePublisher(new LambdaClient(), NATS_BRIDGE),
    instances: ec2Instances(),
    randomPart,
  };
};
