import { bridgeProbe } from '../../shared/adapters/bridge-probe.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { dynamoDbFirstAnswer } from '../../shared/adapters/dynamodb-first-answer.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb-registrations.ts';
import { ec2DryRun } from '../../shared/adapters/ec2-dry-run.ts';
import { sqsObservations } from '../../shared/adapters/sqs-observations.ts';
import { providerRowName } from '../../shared/domain/provider-row.ts';
import { log } from '../../shared/runtime/telemetry.ts';
import type { Environment } from './env.ts';
import type { AwsClients } from './handler-clients.ts';
import { checkHealth } from './health/check-health.ts';
import { queueDelay } from './health/queue-delay.ts';

/** Health by the parts that AWS has. */
export const awsHealth = (env: Environment, { table, lambda, sqs, credentials }: AwsClients) => {
  const provider = { name: env.PROVIDER_NAME, homeRegion: env.HOME_REGION };
  return checkHealth({
    ec2: ec2DryRun({ credentials, endpoint: env.AWS_ENDPOINT_URL_EC2 ?? env.AWS_ENDPOINT_URL }),
    backlog: queueDelay({
      heartbeats: dynamoDbHeartbeats(table, env.FLEET_TABLE),
      observations: sqsObservations(sqs, env.OBSERVATIONS_QUEUE_URL),
      ...{ homeRegion: env.HOME_REGION, now: Date.now },
    }),
    nats: bridgeProbe(lambda, env.NATS_BRIDGE),
    registrations: dynamoDbRegistrations(table, env.FLEET_TABLE),
    firstAnswer: dynamoDbFirstAnswer(table, env.FLEET_TABLE),
    regions: Object.keys(env.PROVISIONING_FILE.regions),
    rowNameOf: (region) => providerRowName(provider, region),
    version: env.PROVIDER_VERSION,
    ...{ now: Date.now, log },
  });
};
