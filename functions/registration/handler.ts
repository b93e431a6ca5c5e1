import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { httpProviderRegistries } from '../../shared/adapters/dcm/provider-registry.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import {
  optionalSecret,
  SecretsManagerEnvironment,
  secretsManager,
} from '../../shared/adapters/secrets/secrets-manager.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { Env, settingsOf } from './env.ts';
import { handleRequest } from './handle-request.ts';

const env = Env.parse(process.env);
const readSecret = secretsManager(SecretsManagerEnvironment.parse(process.env));
const client = DynamoDBDocumentClient.from(new DynamoDBClient());

export const handler = withTelemetry(
  handleRequest({
    settings: settingsOf(env),
    secret: (id = env.ENDPOINT_TOKEN_SECRET) => optionalSecret(readSecret, id)(),
    registryOf: httpProviderRegistries(readSecret),
    registrations: dynamoDbRegistrations(client, env.FLEET_TABLE),
    listings: dynamoDbListings(client, env.FLEET_TABLE),
    ...{ now: Date.now, log, meter },
  }),
);
