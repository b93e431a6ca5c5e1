import * as z from 'zod/mini';
import { TagKeys } from '../../shared/core/ownership.ts';
import { json, jsonFile } from '../../shared/runtime/json-variable.ts';
import { Provisioning } from '../../shared/service-types/vm/provisioning.ts';

/** A file, for with many regions it is larger than the 4 KiB that Lambda takes as an environment. */
export const provisioningFile = 'provisioning.json';

const nonEmpty = z.string().check(z.minLength(1));

/** Who may call. At least one of them: the API is never open. */
export const ApiAccess = z
  .object({
    /** Secrets Manager name or ARN of the token: a bearer token, and the password of Basic. */
    tokenSecret: z.optional(nonEmpty),
    jwt: z.optional(z.object({ issuer: nonEmpty, audience: nonEmpty, jwksUrl: z.url() })),
  })
  .check(
    z.refine(({ tokenSecret, jwt }) => tokenSecret !== undefined || jwt !== undefined, {
      error: 'expected a tokenSecret, or a jwt, or both',
    }),
  );
export type ApiAccess = z.infer<typeof ApiAccess>;

/** What the provider-api is told by its environment. infra/constructs/provider-api.ts must supply exactly this. */
export const Env = z.object({
  /** DynamoDB table of the fleet. */
  FLEET_TABLE: nonEmpty,
  OBSERVATIONS_QUEUE_URL: z.url(),
  /** Name or ARN of the nats-bridge function. */
  NATS_BRIDGE: nonEmpty,
  /** Our name at DCM. */
  PROVIDER_NAME: nonEmpty,
  /** JSON of TagKeys (shared/core/ownership.ts). */
  TAG_KEYS: z.pipe(json, TagKeys),
  /** Region of the VMs where a path names none. */
  HOME_REGION: nonEmpty,
  /** File with the JSON of Provisioning (shared/service-types/vm/provisioning.ts). A deployment puts it beside the code. */
  PROVISIONING_FILE: z.prefault(z.pipe(jsonFile, Provisioning), provisioningFile),
  /** JSON of ApiAccess. */
  API_ACCESS: z.pipe(json, ApiAccess),
  /** `true`: creates without an id are looked up among the environment agent's requests, by the nats-bridge. */
  AGENT_REQUESTS: z._default(z.enum(['true', 'false']), 'false'),
  /** What health says as our version. */
  PROVIDER_VERSION: nonEmpty,
  /** Another endpoint for every AWS service, and one for EC2 that goes before it, as AWS's SDKs read them; absent: AWS's own. */
  AWS_ENDPOINT_URL: z.optional(z.url()),
  AWS_ENDPOINT_URL_EC2: z.optional(z.url()),
});
export type Env = z.input<typeof Env>;
