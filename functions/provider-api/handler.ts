import '../../shared/runtime/schema-messages.ts';
import { bridgeAgentRequests } from '../../shared/adapters/bridge-agent-requests.ts';
import { jwtVerifier } from '../../shared/adapters/jwt-verifier.ts';
import {
  optionalSecret,
  SecretsManagerEnvironment,
  secretsManager,
} from '../../shared/adapters/secrets/secrets-manager.ts';
import { httpApi } from '../../shared/runtime/http-api.ts';
import { correlate, log, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { Env } from './env.ts';
import { awsClients } from './handler-clients.ts';
import { awsHealth } from './handler-health.ts';
import { awsVms } from './handler-vms.ts';
import { api } from './http/api.ts';
import { authenticate } from './http/authenticate.ts';

const env = Env.parse(process.env);
const { AGENT_REQUESTS, API_ACCESS: access, HOME_REGION: homeRegion, NATS_BRIDGE: bridge } = env;
const clients = awsClients();
const findRequest = AGENT_REQUESTS === 'true' ? bridgeAgentRequests(clients.lambda, bridge).find : undefined;
const useCases = { ...awsVms(env, clients), checkHealth: awsHealth(env, clients), findRequest };
const readSecret = secretsManager(SecretsManagerEnvironment.parse(process.env));
const secret = optionalSecret(readSecret, access.tokenSecret);
const isTrustedJwt = access.jwt && jwtVerifier(access.jwt);
const authentication = authenticate({ secret, isTrustedJwt });
const app = api({ useCases, authenticate: authentication, homeRegion, correlate, log, now: Date.now });

export const handler = withTelemetry(httpApi((request, given) => app.fetch(request, given)));
