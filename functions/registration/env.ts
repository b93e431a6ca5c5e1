import * as z from 'zod/mini';
import { json } from '../../shared/runtime/json-variable.ts';
import type { Provider } from './provider-rows.ts';

const nonEmpty = z.string().check(z.minLength(1));

/** What the registration is told by its environment. infra/constructs/registration.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the fleet, where the outcome of each attempt is remembered too. */
  FLEET_TABLE: nonEmpty,
  /** Our name at DCM; the rows of other regions have `-<region>` behind it. */
  PROVIDER_NAME: nonEmpty,
  /** Region whose row has our bare name. */
  HOME_REGION: nonEmpty,
  /** JSON of the regions where VMs can be created: one row each. */
  REGIONS: z.pipe(json, z.array(nonEmpty).check(z.minLength(1))),
  /** DCM's control plane, or an environment agent, without a path. */
  CONTROL_PLANE_URL: z.url(),
  /** Where the provider-api answers, as DCM reaches it, without a path and without credentials. */
  PUBLIC_URL: z.url(),
  /**
   * Secrets Manager name or ARN of the API's token: DCM is given it as the endpoint's Basic credentials. Absent: the endpoint carries
   * none.
   */
  ENDPOINT_TOKEN_SECRET: z.optional(nonEmpty),
});
export type Env = z.input<typeof Env>;

/** The provider as its rows show it. */
export const providerOf = (env: z.output<typeof Env>): Provider => ({
  name: env.PROVIDER_NAME,
  homeRegion: env.HOME_REGION,
  regions: env.REGIONS,
  publicUrl: env.PUBLIC_URL,
});
