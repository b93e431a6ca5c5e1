import * as z from 'zod';
import { Collection, collectionOfType, furtherCollections } from '../../shared/core/inventory/entry.ts';
import { type Target, targetName } from '../../shared/core/target.ts';
import { accountRegions, accountsOf } from './accounts.ts';
import { Jwt } from './provisioning.ts';
import { regionNames } from './reported-regions.ts';
import { createdTypes } from './service-types.ts';
import { count, flag, secretName, text } from './setting-kinds.ts';
import type { Settings } from './settings.ts';

const scopePattern = /^(inventory:(read|logs)(:[a-z0-9-]+(\/([a-z0-9-]+|\*))?)?|changes:read)$/;

/** A target as paths name it. */
const target = text(
  /^([a-z][a-z0-9]{1,15}\/)?[a-z]{2}(-[a-z]+)+-\d$/,
  'must be a region, such as eu-west-1, or the alias and the region of another account, such as prod/eu-west-1',
);

const planName = text(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'must be lower-case letters, digits and inner hyphens, at most 63',
);

const Token = z.strictObject({
  secret: secretName.describe('Name of the secret in the home region whose text is the token.'),
  scopes: z
    .array(
      text(
        scopePattern,
        'must be inventory:read, inventory:logs or changes:read; the first two also for one target, such as inventory:read:eu-west-1 or inventory:read:prod/eu-west-1',
      ),
    )
    .min(1, 'must list at least one scope')
    .describe('What the token permits.'),
});

const Plan = z.strictObject({
  source: target.describe('The target that instances move from.'),
  destination: target.describe('The target that they move to.'),
  selector: z
    .record(z.string().min(1), z.string())
    .refine((labels) => Object.keys(labels).length > 0, 'must have at least one tag')
    .describe('Tags that all instances of the plan have.'),
});

/** The inventory and its API. Without it the deployment has nothing of both. */
export const Inventory = z.strictObject({
  without: z
    .array(z.enum(Collection.options, `must be one of ${Collection.options.join(', ')}`))
    .default([])
    .describe(
      `Collections that are not kept, of ${Collection.options.join(', ')}. Containers and clusters are kept where the settings have their sections.`,
    ),
  intervalSeconds: count(300, 86_400)
    .default(3_600)
    .describe(
      'Seconds between two listings of a collection that DCM does not need, from 300 to 86,400: all but `instances`, `containers` and `clusters`, which are listed for DCM anyway.',
    ),
  tokens: z
    .array(Token)
    .default([])
    .describe(
      'Tokens of the inventory’s API, as `{ "secret": "dcm/inventory", "scopes": ["inventory:read", "changes:read"] }`. `secret` is the name of a secret in the home region whose text is the token. The scopes are `inventory:read`, `inventory:logs` (console output and logs of containers) and `changes:read` (the change feed); the first two can be limited to a target or an account, as in `inventory:read:eu-west-1`, `inventory:read:prod/eu-west-1` and `inventory:read:prod/*`. Required without `jwt` beside it.',
    ),
  jwt: Jwt.optional(),
  authOptional: flag
    .default(false)
    .describe(
      'Whether requests without credentials are answered; credentials that are given are still checked. Only with `development`.',
    ),
  development: flag
    .default(false)
    .describe('Whether this is a deployment for development, in which `authOptional` is allowed.'),
  cors: z
    .strictObject({
      origins: z
        .array(
          text(
            /^(\*|https?:\/\/[^\s/?#@]+)$/,
            'must be an origin, such as https://console.example.com, or *',
          ),
        )
        .default([])
        .describe('Origins of web pages that may read the API in a browser; `*` allows all.'),
    })
    .prefault({}),
  consoleOutput: flag
    .default(false)
    .describe(
      'Whether the API may read the console output of instances and the logs of containers, for callers with the scope `inventory:logs`. Passwords and keys that are recognised are removed from them.',
    ),
  homeAlias: text(/^[a-z][a-z0-9]{1,15}$/, 'must be 2 to 16 lower-case letters and digits')
    .default('home')
    .describe(
      'The name of the home account beside the aliases of the others, in paths such as `/namespaces/home/clusters/eu-west-1` and `/targets/home/eu-west-1`.',
    ),
  plans: z
    .record(planName, Plan)
    .default({})
    .describe(
      'Moves of instances between two targets, which the API reports on, as `{ "to-prod": { "source": "eu-west-1", "destination": "prod/eu-west-1", "selector": { "app": "shop" } } }`.',
    ),
  throttling: z
    .strictObject({
      rate: count(1, 10_000)
        .default(20)
        .describe('Maximum rate of requests to the inventory’s API, per second.'),
      burst: count(1, 5_000).default(40).describe('Maximum burst of requests beyond that rate.'),
    })
    .prefault({}),
});
export type InventorySettings = z.infer<typeof Inventory>;

/** Settings with which there is an inventory. */
export type SettingsWithInventory = Settings & { readonly inventory: InventorySettings };

export const hasInventory = (settings: Settings): settings is SettingsWithInventory =>
  settings.inventory !== undefined;

/** The collections that are kept. */
export const collectionsKept = (settings: SettingsWithInventory): Collection[] => {
  const types = ['vm' as const, ...createdTypes(settings)];
  const kept: Collection[] = [...furtherCollections, ...types.map((type) => collectionOfType[type])];
  return Collection.options.filter(
    (collection) =>
      kept.includes(collection) && !settings.inventory.without.some((one) => one === collection),
  );
};

/** Every target that is reported, with its name in paths. */
export const reportedTargets = (settings: Settings): (Target & { readonly name: string })[] => [
  ...regionNames(settings).map((region) => ({ region, name: region })),
  ...accountsOf(settings).flatMap(([alias, account]) =>
    accountRegions(account).map((region) => ({
      ...{ account: account.id, region },
      name: targetName({ alias, region }),
    })),
  ),
];
