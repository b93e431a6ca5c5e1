import * as z from 'zod/mini';
import { regionPattern } from '../../shared/adapters/aws/regions.ts';
import { Collection } from '../../shared/core/inventory/entry.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { accountsVariable } from '../../shared/runtime/accounts.ts';
import { json, jsonFile } from '../../shared/runtime/json-variable.ts';

/** A file, since with many targets it exceeds Lambda's 4 KiB of environment variables. */
export const inventoryFile = 'inventory.json';

const nonEmpty = z.string().check(z.minLength(1));
/** A target as paths have it: `eu-west-1`, or `prod/eu-west-1` in another account. */
const targetText = z
  .string()
  .check(
    z.regex(/^([a-z][a-z0-9]{1,15}\/)?[a-z]+(-[a-z]+)+-[0-9]+$/, 'expected eu-west-1 or prod/eu-west-1'),
  );

/** What credentials permit (scopes.ts). */
const Scope = z
  .string()
  .check(
    z.regex(
      /^(inventory:(read|logs)(:[a-z][a-z0-9-]*(\/([a-z][a-z0-9-]*|\*))?)?|changes:read)$/,
      'expected changes:read, or inventory:read or inventory:logs, alone or with a target such as inventory:read:prod/eu-west-1',
    ),
  );

/** A move of instances from one target to another: those of both targets that have all tags of the selector. */
export const Plan = z.object({
  name: z.string().check(z.regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)),
  source: targetText,
  destination: targetText,
  selector: z
    .record(z.string(), z.string())
    .check(z.refine((tags) => Object.keys(tags).length > 0, { error: 'expected at least one tag' })),
});
export type Plan = z.infer<typeof Plan>;

export const InventoryFile = z.object({
  /** The name of the home account, beside the aliases of the others. */
  homeAlias: z._default(z.string().check(z.regex(/^[a-z][a-z0-9]{1,15}$/)), 'home'),
  /** The regions of the home account that are targets. */
  homeRegions: z.array(z.string().check(z.regex(regionPattern))).check(z.minLength(1)),
  /** The collections that are not switched off. @default all of them */
  collections: z._default(z.array(Collection), [...Collection.options]),
  /** The keys of the targets that list containers, and of those that list clusters: where the settings permit creating them. @default all targets */
  listedIn: z._default(
    z.object({ containers: z.optional(z.array(nonEmpty)), clusters: z.optional(z.array(nonEmpty)) }),
    {},
  ),
  /** Secrets with tokens (shared/wire/api-tokens.ts), and what these permit. */
  tokens: z._default(
    z.array(z.object({ secret: nonEmpty, scopes: z.array(Scope).check(z.minLength(1)) })),
    [],
  ),
  /** The issuer of JWTs, whose claim `scope` has what they permit. */
  jwt: z.optional(z.object({ issuer: nonEmpty, audience: nonEmpty, jwksUrl: z.url() })),
  /** The origins of web pages that may read answers; `*`: all. */
  corsOrigins: z._default(z.array(nonEmpty), []),
  /** Whether console output is read. The function's role needs ec2:GetConsoleOutput. */
  consoleOutput: z._default(z.boolean(), false),
  /** The log group of containers in each target, by the target's key. The function's role needs logs:GetLogEvents. */
  containerLogGroups: z._default(z.record(z.string(), nonEmpty), {}),
  /** By function of the provider that keeps the inventory, the address of its log. */
  controllerLogs: z._default(z.record(z.string(), z.url()), {}),
  plans: z._default(z.array(Plan), []),
});
export type InventoryFile = z.input<typeof InventoryFile>;

/** The environment of the inventory-api. infra/functions.ts must supply exactly this. */
export const Env = z
  .object({
    /** DynamoDB table of the inventory and of the change feed. */
    INVENTORY_TABLE: nonEmpty,
    /** Our name at DCM. */
    PROVIDER_NAME: nonEmpty,
    /** JSON of TagKeys (shared/core/ownership.ts). */
    TAG_KEYS: z.pipe(json, TagKeys),
    /** File with the JSON of InventoryFile. Deployed beside the code. */
    INVENTORY_FILE: z.prefault(z.pipe(jsonFile, InventoryFile), inventoryFile),
    /** `1`: a request needs no credentials. Credentials that are given are checked. For development alone. */
    AUTH_OPTIONAL: z._default(z.enum(['0', '1']), '0'),
    /** An endpoint for all AWS services, and one for CloudWatch Logs, as in AWS's SDKs; absent: AWS's own. */
    AWS_ENDPOINT_URL: z.optional(z.url()),
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: z.optional(z.url()),
    ...accountsVariable,
  })
  .check(
    z.refine(
      ({ INVENTORY_FILE: { tokens, jwt }, AUTH_OPTIONAL }) =>
        tokens.length > 0 || jwt !== undefined || AUTH_OPTIONAL === '1',
      { error: 'INVENTORY_FILE: expected tokens, or a jwt, or both; or AUTH_OPTIONAL=1' },
    ),
  );
export type Env = z.input<typeof Env>;
