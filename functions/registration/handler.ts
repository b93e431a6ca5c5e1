import { type AgentAuth, type BearerTokens, bearerTokens } from '../../shared/adapters/dcm/bearer-tokens.ts';
import { httpProviderRegistry } from '../../shared/adapters/dcm/provider-registry.ts';
import {
  optionalSecret,
  type ReadSecret,
  SecretsManagerEnvironment,
  secretsManager,
} from '../../shared/adapters/secrets/secrets-manager.ts';
import { Env, providerOf, type Registries, type Registry } from './env.ts';
import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { handleRequest } from './handle-request.ts';

/** DCM's registries by HTTP. Tokens are kept as long as the function lives, and shared by registries with the same `auth`. */
export const httpRegistries = (registries: Registries, readSecret: ReadSecret) => {
  const held = new Map<string, BearerTokens>();
  const tokensOf = (auth: AgentAuth): BearerTokens => {
    const key = JSON.stringify(auth);
    const tokens = held.get(key) ?? bearerTokens(auth, readSecret);
    held.set(key, tokens);
    return tokens;
  };
  const clientOf = ({ url, auth }: Registry) => httpProviderRegistry(url, { tokens: auth && tokensOf(auth) });
  const older = Object.values(registries).find(({ kind }) => kind === 'control-plane');
  return {
    registryOf: ({ registry }: { readonly registry: Registry }) => clientOf(registry),
    controlPlane: older && clientOf(older),
  };
};

const env = Env.parse(process.env);
const readSecret = secretsManager(SecretsManagerEnvironment.parse(process.env));
const client = DynamoDBDocumentClient.from(new DynamoDBClient());

export const handler = withTelemetry(
  handleRequest({
    provider: providerOf(env),
    secret: optionalSecret(readSecret, env.ENDPOINT_TOKEN_SECRET),
    ...httpRegistries(env.REGISTRIES_FILE, readSecret),
    registrations: dynamoDbRegistrations(client, env.FLEET_TABLE),
    listings: dynamoDbListings(client, env.FLEET_TABLE),
    ...{ now: Date.now, log, meter },
  }),
);
