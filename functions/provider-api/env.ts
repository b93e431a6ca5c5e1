import * as z from 'zod/mini';
import { Collection } from '../../shared/core/inventory/entry.ts';
import { ServiceType } from '../../shared/core/kind.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { AccountAlias, accountsVariable } from '../../shared/runtime/accounts.ts';
import { json, jsonFile } from '../../shared/runtime/json-variable.ts';
import { ClusterProvisioning } from '../../shared/service-types/cluster/provisioning.ts';
import { ContainerProvisioning } from '../../shared/service-types/container/provisioning.ts';
import { Provisioning } from '../../shared/service-types/vm/provisioning.ts';

/** A file, since with many regions it exceeds Lambda's 4 KiB of environment variables. */
export const provisioningFile = 'provisioning.json';

const nonEmpty = z.string().check(z.minLength(1));

/** Which VMs, containers and clusters may be created in one account, and how. Without VMs there is no region. */
const AccountProvisioning = z.extend(Provisioning, {
  containers: z.optional(ContainerProvisioning),
  clusters: z.optional(ClusterProvisioning),
});
export type AccountProvisioning = z.infer<typeof AccountProvisioning>;

/** The same of the home account, and of the other accounts by alias. Nothing is created in an account that is absent. */
export const ProvisioningFile = z.extend(AccountProvisioning, {
  accounts: z.optional(z.record(AccountAlias, AccountProvisioning)),
});
export type ProvisioningFile = z.infer<typeof ProvisioningFile>;

const AccountAccess = z.object({
  /** Secrets Manager name or ARN of the token, which is accepted as bearer token and as password of Basic. */
  tokenSecret: z.optional(nonEmpty),
  jwt: z.optional(z.object({ issuer: nonEmpty, audience: nonEmpty, jwksUrl: z.url() })),
});
export type AccountAccess = z.infer<typeof AccountAccess>;

/**
 * The accepted credentials: of the home account, and of the other accounts by alias. At least one kind is required: the API is never open. An
 * account without any is reached by JWTs of the home account's issuer whose scope names it (shared/http/authentication.ts).
 */
export const ApiAccess = z
  .extend(AccountAccess, { accounts: z.optional(z.record(AccountAlias, AccountAccess)) })
  .check(
    z.refine(({ tokenSecret, jwt }) => tokenSecret !== undefined || jwt !== undefined, {
      error: 'expected a tokenSecret, or a jwt, or both',
    }),
  );
export type ApiAccess = z.infer<typeof ApiAccess>;

/** A file, since a price list exceeds Lambda's 4 KiB of environment variables. */
export const usagePricesFile = 'usage-prices.json';

/** What FOCUS needs besides usage (shared/core/usage/focus.ts). */
export const UsagePrices = z.object({
  platformName: nonEmpty,
  billingAccountId: nonEmpty,
  billingAccountName: z.optional(nonEmpty),
  currency: nonEmpty,
  prices: z.array(
    z.object({
      ...{ region: nonEmpty, instanceType: nonEmpty, platform: nonEmpty, hourly: nonEmpty },
      market: z.optional(z.enum(['on-demand', 'spot'])),
    }),
  ),
});
export type UsagePrices = z.infer<typeof UsagePrices>;

/** The page of the console, as infra/console-page.ts builds it. */
const ConsolePage = z.object({
  /** The HTML, compressed by brotli, in base64. */
  brotli: nonEmpty,
  /** Its Content-Security-Policy. */
  policy: nonEmpty,
});
export type ConsolePage = z.infer<typeof ConsolePage>;

/** Beside the code. */
export const consoleFile = 'console.json';

/** The settings of the console, and its page. */
export const ConsoleFile = z.object({
  /** What is reported: the service types in the targets, by their keys. */
  polled: z.array(
    z.object({
      region: nonEmpty,
      kind: z.enum(['streaming', 'legacy']),
      serviceType: z._default(ServiceType, 'vm'),
    }),
  ),
  /** The collections that the inventory has. Undefined: there is none. */
  collections: z.optional(z.array(Collection)),
  /** Secrets with tokens that permit reading alone, in all targets. */
  readers: z._default(z.array(nonEmpty), []),
  page: ConsolePage,
});
export type ConsoleFile = z.input<typeof ConsoleFile>;

/** The provider-api's environment variables. infra/functions.ts must set exactly these. */
export const Env = z.object({
  /** The DynamoDB table of the resource store. */
  FLEET_TABLE: nonEmpty,
  OBSERVATIONS_QUEUE_URL: z.url(),
  /** The queue of cluster steps. Required where clusters can be created. */
  CLUSTER_STEPS_QUEUE_URL: z.optional(z.url()),
  /** Name or ARN of the nats-bridge function. */
  NATS_BRIDGE: nonEmpty,
  /** Our name at DCM. */
  PROVIDER_NAME: nonEmpty,
  /** JSON of TagKeys (shared/core/ownership.ts). */
  TAG_KEYS: z.pipe(json, TagKeys),
  /** The region of the paths that name none. */
  HOME_REGION: nonEmpty,
  /** File with the JSON of ProvisioningFile. Deployed beside the code. */
  PROVISIONING_FILE: z.prefault(z.pipe(jsonFile, ProvisioningFile), provisioningFile),
  /** JSON of ApiAccess. */
  API_ACCESS: z.pipe(json, ApiAccess),
  /** `true`: the ids of creates without one are looked up in the environment agent's requests, by the nats-bridge. */
  AGENT_REQUESTS: z._default(z.enum(['true', 'false']), 'false'),
  /** The version in the answer of the health check. */
  PROVIDER_VERSION: nonEmpty,
  /** File with the JSON of ConsoleFile. Deployed beside the code. Absent: there is no console. */
  CONSOLE_FILE: z.optional(z.pipe(jsonFile, ConsoleFile)),
  /** DynamoDB table of the change feed; with CONSOLE_FILE. */
  FEED_TABLE: z._default(z.string(), ''),
  /** An endpoint for all AWS services, and those for one that override it, as in AWS's SDKs; absent: AWS's own. */
  AWS_ENDPOINT_URL: z.optional(z.url()),
  AWS_ENDPOINT_URL_EC2: z.optional(z.url()),
  AWS_ENDPOINT_URL_ECS: z.optional(z.url()),
  AWS_ENDPOINT_URL_EKS: z.optional(z.url()),
  /** DynamoDB table with the usage ledger. Absent: there is none. */
  USAGE_TABLE: z.optional(nonEmpty),
  /** File with the JSON of UsagePrices, beside the code. Absent: no prices are configured. */
  USAGE_PRICES: z.optional(z.pipe(jsonFile, UsagePrices)),
  ...accountsVariable,
});
export type Env = z.input<typeof Env>;
