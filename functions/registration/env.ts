import * as z from 'zod/mini';
import { AgentAuth } from '../../shared/adapters/dcm/bearer-tokens.ts';
import { jsonFile } from '../../shared/runtime/json-variable.ts';
import type { Provider } from './providers.ts';

/** A file, for with many regions it is larger than the 4 KiB that Lambda takes as an environment. */
export const registriesFile = 'registries.json';

const nonEmpty = z.string().check(z.minLength(1));

/** Where the VMs of a region are registered. */
export const Registry = z.object({
  /** `control-plane`: of the older generation, which called providers itself. */
  kind: z.enum(['agent', 'control-plane']),
  /** Without a path. */
  url: z.url(),
  /** Where the provider-api answers, as this registry's DCM reaches it, without a path and without credentials. Absent: `PUBLIC_URL`. */
  publicUrl: z.optional(z.url()),
  /** Whether the endpoint carries the token of `ENDPOINT_TOKEN_SECRET`. */
  endpointCredentials: z.boolean(),
  /** Absent: the registry takes calls without a token. */
  auth: z.optional(AgentAuth),
});
export type Registry = z.infer<typeof Registry>;

/** By region where VMs can be created. */
export const Registries = z
  .record(nonEmpty, Registry)
  .check(
    z.refine((registries) => Object.keys(registries).length > 0, { error: 'expected at least one region' }),
  );
export type Registries = z.infer<typeof Registries>;

/** What the registration is told by its environment. infra/constructs/registration.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the fleet, where the outcome of each attempt is remembered too. */
  FLEET_TABLE: nonEmpty,
  /** Our name at DCM; the rows of other regions have `-<region>` behind it. */
  PROVIDER_NAME: nonEmpty,
  /** Region whose row has our bare name. */
  HOME_REGION: nonEmpty,
  /** File with the JSON of Registries. A deployment puts it beside the code. */
  REGISTRIES_FILE: z.prefault(z.pipe(jsonFile, Registries), registriesFile),
  /** Where the provider-api answers, without a path and without credentials. */
  PUBLIC_URL: z.url(),
  /** Secrets Manager name or ARN of the API's token, where an endpoint carries it as Basic credentials. */
  ENDPOINT_TOKEN_SECRET: z.optional(nonEmpty),
});
export type Env = z.input<typeof Env>;

/** The provider as its rows show it. */
export const providerOf = (env: z.output<typeof Env>): Provider => ({
  name: env.PROVIDER_NAME,
  homeRegion: env.HOME_REGION,
  publicUrl: env.PUBLIC_URL,
  registries: env.REGISTRIES_FILE,
});
