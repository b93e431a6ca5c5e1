import { describe, expect, it } from 'vitest';
import { collectionsKept, hasInventory } from '../../infra/settings/inventory.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { Collection } from '../../shared/core/inventory/entry.ts';
import { refusalOf } from './refused.ts';
import { allTypes, inventory, leastSettings, provisioningSettings, synthesized } from './synthesized.ts';

const withInventory = (more: object, settings: object = leastSettings) => ({
  ...settings,
  inventory: { ...inventory, ...more },
});
const token = (more: object) => withInventory({ tokens: [{ ...inventory.tokens[0], ...more }] });
const inProd = {
  ...leastSettings,
  externalId: '0123456789abcdef0123',
  accounts: { prod: { id: '222222222222', legacyRegions: ['us-east-1'] } },
};

/** Those that are kept without containers and clusters. */
const kinds = Collection.options.filter((one) => one !== 'containers' && one !== 'clusters');

describe('settings of the inventory', () => {
  it('require only who may read it', () => {
    expect(parseSettings(withInventory({})).inventory).toEqual({
      ...inventory,
      without: [],
      intervalSeconds: 3_600,
      authOptional: false,
      development: false,
      cors: { origins: [] },
      consoleOutput: false,
      homeAlias: 'home',
      plans: {},
      throttling: { rate: 20, burst: 40 },
    });
  });

  it.each([
    [
      'a JWT instead of tokens',
      { tokens: [], jwt: { issuer: 'i', audience: 'a', jwksUrl: 'https://i.test' } },
    ],
    ['nothing in development', { tokens: [], authOptional: true, development: true }],
    [
      'console output',
      { consoleOutput: true, tokens: [{ secret: 'logs', scopes: ['inventory:logs:eu-west-1'] }] },
    ],
    ['all origins', { cors: { origins: ['*'] } }],
  ])('allow %s', (_, more) => {
    expect(() => parseSettings(withInventory(more))).not.toThrow();
  });

  it('allow plans and scopes of targets in other accounts', () => {
    const plans = { move: { source: 'eu-west-1', destination: 'prod/us-east-1', selector: { app: 'shop' } } };
    const tokens = [{ secret: 'prod', scopes: ['inventory:read:prod/us-east-1'] }];

    expect(() => parseSettings(withInventory({ plans, tokens }, inProd))).not.toThrow();
  });

  it.each([
    [
      'without credentials',
      withInventory({ tokens: [] }),
      'Setting "inventory" must have tokens, a jwt, or both: the API authenticates its callers.',
    ],
    [
      'with optional authentication outside development',
      withInventory({ authOptional: true }),
      'Setting "inventory.authOptional" must be false, or inventory.development must be true: everyone who reaches the API could read the inventory.',
    ],
    [
      'with an unknown collection',
      withInventory({ without: ['disks'] }),
      'Setting "inventory.without[0]" must be one of instances, volumes, vpcs, subnets, security-groups, images, network-interfaces, load-balancers, addresses, containers, clusters.',
    ],
    [
      'with an unknown scope',
      token({ scopes: ['inventory:write'] }),
      'Setting "inventory.tokens[0].scopes[0]" must be inventory:read, inventory:logs or changes:read; the first two also for one target, such as inventory:read:eu-west-1 or inventory:read:prod/eu-west-1.',
    ],
    [
      'with a scope of a target that is not reported',
      token({ scopes: ['inventory:read:us-east-1'] }),
      'Setting "inventory.tokens[0].scopes" must name targets that are reported (eu-west-1, home/eu-west-1, home/*), and us-east-1 is none.',
    ],
    [
      'with a scope for console output that nobody may read',
      token({ scopes: ['inventory:logs'] }),
      'Setting "inventory.tokens[0].scopes" must be without inventory:logs, or inventory.consoleOutput must be true.',
    ],
    [
      'with the same secret twice',
      withInventory({ tokens: [inventory.tokens[0], inventory.tokens[0]] }),
      'Setting "inventory.tokens[1].secret" must differ from those of the other tokens: a token has one list of scopes.',
    ],
    [
      'with the secret of the token that creates and deletes',
      withInventory(
        { tokens: [{ secret: 'dcm/api', scopes: ['inventory:read'] }] },
        { ...leastSettings, ...provisioningSettings },
      ),
      'Setting "inventory.tokens[0].secret" must differ from api.tokenSecret: who has a token that reads the inventory could create and delete with it.',
    ],
    [
      'with the secret of the token of another account',
      withInventory(
        { tokens: [{ secret: 'dcm/prod', scopes: ['inventory:read'] }] },
        {
          ...inProd,
          ...provisioningSettings,
          accounts: {
            prod: {
              ...inProd.accounts.prod,
              provisioning: { regions: { 'us-east-1': {} } },
              api: { tokenSecret: 'dcm/prod' },
            },
          },
        },
      ),
      'Setting "inventory.tokens[0].secret" must differ from accounts.prod.api.tokenSecret: who has a token that reads the inventory could create and delete with it.',
    ],
    [
      'without every collection',
      withInventory({ without: kinds }),
      'Setting "inventory.without" must leave a collection, or inventory must be omitted: nothing is kept.',
    ],
    [
      'with a plan that moves nothing',
      withInventory({
        plans: { move: { source: 'eu-west-1', destination: 'eu-west-1', selector: { app: 'shop' } } },
      }),
      'Setting "inventory.plans.move.destination" must differ from the source, eu-west-1: nothing moves.',
    ],
    [
      'with an origin that has a path',
      withInventory({ cors: { origins: ['https://console.test/app'] } }),
      'Setting "inventory.cors.origins[0]" must be an origin, such as https://console.example.com, or *.',
    ],
    [
      'with a plan between targets of which one is not reported',
      withInventory({
        plans: { move: { source: 'eu-west-1', destination: 'us-east-1', selector: { app: 'shop' } } },
      }),
      'Setting "inventory.plans.move.destination" must be a target that is reported: eu-west-1.',
    ],
    [
      'with a plan for all instances',
      withInventory({ plans: { move: { source: 'eu-west-1', destination: 'eu-west-1', selector: {} } } }),
      'Setting "inventory.plans.move.selector" must have at least one tag.',
    ],
    [
      'with the alias of an account for the home account',
      withInventory({ homeAlias: 'prod' }, inProd),
      'Setting "inventory.homeAlias" must differ from the aliases of accounts, and prod is one.',
    ],
  ])('are refused %s', (_, settings, message) => {
    expect(refusalOf(() => parseSettings(settings))).toBe(message);
  });

  it('are doubted where nobody may read the logs that the API may read', () => {
    const doubt = /^Nobody can read logs: inventory.consoleOutput is true/;
    const tokens = [{ secret: 'logs', scopes: ['inventory:logs'] }];

    expect(synthesized(withInventory({ consoleOutput: true })).warnings).toContainEqual(
      expect.stringMatching(doubt),
    );
    expect(synthesized(withInventory({ consoleOutput: true, tokens })).warnings).not.toContainEqual(
      expect.stringMatching(doubt),
    );
  });

  const kept = (settings: object): string[] => {
    const parsed = parseSettings(settings);
    return hasInventory(parsed) ? collectionsKept(parsed) : [];
  };

  it('keep containers and clusters where they are created', () => {
    const ec2 = [
      'instances',
      'volumes',
      'vpcs',
      'subnets',
      'security-groups',
      'images',
      'network-interfaces',
      'load-balancers',
    ];

    expect(kept(withInventory({}))).toEqual([...ec2, 'addresses']);
    expect(kept(withInventory({}, allTypes))).toEqual([...ec2, 'addresses', 'containers', 'clusters']);
  });

  it('keep no collection that is switched off', () => {
    expect(kept(withInventory({ without: ['images', 'addresses'] }))).not.toContain('images');
  });
});
