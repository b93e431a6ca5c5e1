import { readFileSync } from 'node:fs';
import type { ApiAccess, Env as ProviderApiEnv } from '../functions/provider-api/env.ts';
import type { Env as RegistrationEnv, Registries } from '../functions/registration/env.ts';
import { Provisioning } from '../shared/service-types/vm/provisioning.ts';
import type { LambdaFunction } from './emulators/lambda/lambda-function.ts';
import {
  awsClients,
  functionName,
  homeRegion,
  identity,
  named,
  powertools,
  regions,
  tokenSecret,
  type Wiring,
} from './wiring.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Several at once, as on AWS; one process each, so not as many. */
const concurrency = 3;

export const providerApi = (wiring: Wiring): LambdaFunction => ({
  ...named(wiring.provider, 'provider-api'),
  timeoutMs: 29_000,
  memoryMb: 512,
  concurrency,
  environment: {
    ...awsClients(wiring),
    ...powertools('provider-api'),
    ...({
      ...identity(wiring.provider),
      FLEET_TABLE: wiring.aws.resourceTable,
      OBSERVATIONS_QUEUE_URL: wiring.aws.observationsQueueUrl,
      NATS_BRIDGE: functionName(wiring.provider, 'nats-bridge'),
      HOME_REGION: homeRegion(wiring.options),
      PROVISIONING_FILE: wiring.provisioningFile,
      API_ACCESS: JSON.stringify({ tokenSecret } satisfies ApiAccess),
      AGENT_REQUESTS: 'true',
      PROVIDER_VERSION: version,
    } satisfies ProviderApiEnv),
  },
});

export const registration = (wiring: Wiring): LambdaFunction => ({
  ...named(wiring.provider, 'registration'),
  timeoutMs: 50_000,
  environment: {
    ...awsClients(wiring),
    ...powertools('registration'),
    ...({
      FLEET_TABLE: wiring.aws.resourceTable,
      PROVIDER_NAME: wiring.provider,
      HOME_REGION: homeRegion(wiring.options),
      REGISTRIES_FILE: wiring.registriesFile,
      PUBLIC_URL: wiring.providerApiUrl,
      ENDPOINT_TOKEN_SECRET: tokenSecret,
    } satisfies RegistrationEnv),
  },
});

/**
 * Where the provider is registered, with the token of the API in the endpoint: at the environment agent, which takes one provider of VMs,
 * for the home region alone; at an older control plane for each region.
 */
export const registries = ({ dcm, options }: Pick<Wiring, 'dcm' | 'options'>): Registries => {
  const { registryUrl: url, agent } = dcm;
  if (agent === undefined)
    return Object.fromEntries(
      regions(options).map((region) => [region, { kind: 'control-plane', url, endpointCredentials: true }]),
    );
  return { [homeRegion(options)]: { kind: 'agent', url, endpointCredentials: true } };
};

/** As many VMs as a test wants, in the default VPC of each region. */
export const provisioning = (options: Wiring['options']): Provisioning =>
  Provisioning.parse({
    regions: Object.fromEntries(regions(options).map((region) => [region, {}])),
    maximumVms: 1_000,
    spot: true,
  });
