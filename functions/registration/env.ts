import * as z from 'zod/mini';
import { AgentAuth } from '../../shared/adapters/dcm/bearer-tokens.ts';
import { ServiceType } from '../../shared/core/kind.ts';
import { targetOfKey } from '../../shared/core/target.ts';
import { AccountAlias } from '../../shared/runtime/accounts.ts';
import { jsonFile } from '../../shared/runtime/json-variable.ts';

/** A file, because with many regions the JSON exceeds the 4 KiB of a Lambda environment. */
export const registriesFile = 'registries.json';

const nonEmpty = z.string().check(z.minLength(1));

/** The registry at which the resources of one target are registered: one provider a service type. */
export const Registry = z.object({
  /** The alias of the target's account; absent in the home account. */
  alias: z.optional(AccountAlias),
  /** `control-plane`: a DCM of the older generation, whose control plane calls providers itself. */
  kind: z.enum(['agent', 'control-plane']),
  /** Without a path. */
  url: z.url(),
  /** URL of the provider-api as this registry's DCM reaches it, without a path and without credentials. Absent: `PUBLIC_URL`. */
  publicUrl: z.optional(z.url()),
  /** Of which a provider is registered there; absent: VMs alone. */
  serviceTypes: z.optional(z.readonly(z.array(ServiceType).check(z.minLength(1)))),
  /** Whether the endpoint carries a token. */
  endpointCredentials: z.boolean(),
  /** Secrets Manager name or ARN of that token. Absent: `ENDPOINT_TOKEN_SECRET`. */
  endpointTokenSecret: z.optional(nonEmpty),
  /** Absent: the registry accepts calls without a token. */
  auth: z.optional(AgentAuth),
});
export type Registry = z.infer<typeof Registry>;

/** By the key of each target in which VMs can be created (shared/core/target.ts): in the home account, the region alone. */
export const Registries = z.record(nonEmpty, Registry).check(
  z.refine((registries) => Object.keys(registries).length > 0, { error: 'expected at least one region' }),
  z.refine(
    (registries) =>
      Object.entries(registries).every(
        ([key, { alias }]) => (targetOfKey(key).account === undefined) === (alias === undefined),
      ),
    { error: 'expected an alias for each target of another account, and for no other' },
  ),
);
export type Registries = z.infer<typeof Registries>;

/** Environment of the registration. infra/functions.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the resource store, which also has the result of the last registration of each provider. */
  FLEET_TABLE: nonEmpty,
  /** Our name at DCM; providers of other targets than the home region have the target appended. */
  PROVIDER_NAME: nonEmpty,
  /** Region whose provider has the bare name. */
  HOME_REGION: nonEmpty,
  /** File with the JSON of Registries, which a deployment puts beside the code. */
  REGISTRIES_FILE: z.prefault(z.pipe(jsonFile, Registries), registriesFile),
  /** URL of the provider-api, without a path and without credentials. */
  PUBLIC_URL: z.url(),
  /** Secrets Manager name or ARN of the API's token, where an endpoint carries the token as Basic credentials. */
  ENDPOINT_TOKEN_SECRET: z.optional(nonEmpty),
});
export type Env = z.input<typeof Env>;

/** What the registrations at DCM are made from. */
export type ProviderSettings = {
  /** Our name at DCM. */
  readonly name: string;
  /** Region whose provider has the bare name, and whose endpoint has no prefix. */
  readonly homeRegion: string;
  /** URL of the provider-api as DCM reaches it, where a registry does not say otherwise. */
  readonly publicUrl: string;
  readonly registries: Registries;
};

export const settingsOf = (env: z.output<typeof Env>): ProviderSettings => ({
  name: env.PROVIDER_NAME,
  homeRegion: env.HOME_REGION,
  publicUrl: env.PUBLIC_URL,
  registries: env.REGISTRIES_FILE,
});
