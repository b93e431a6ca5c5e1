import { partitionOf, regionOfZone } from '../../shared/adapters/aws/regions.ts';
import { type AccountSettings, accountRegions, accountsOf, settingsWithin } from './accounts.ts';
import { type AgentSettings, agentPlaces, agentsOf } from './agent.ts';
import { collectionsKept, hasInventory, type InventorySettings, reportedTargets } from './inventory.ts';
import { regionNames } from './reported-regions.ts';
import { createdTypes, createdTypesByRegion, sectionNames } from './service-types.ts';
import {
  canCreate,
  longestProviderOfClusters,
  longestProviderOfInventory,
  type Settings,
} from './settings.ts';

/**
 * Contradictions between settings that are each valid: which setting, and what it must be. `homeAccount`: the account's id, where it is known.
 */
export const contradictions = (settings: Settings, homeAccount?: string): Contradiction[] => [
  ...ofRegions(settings),
  ...ofNats(settings),
  ...ofAlarms(settings),
  ...ofCreation(settings),
  ...ofProvisioning(settings),
  ...ofContainers(settings),
  ...ofNames(settings),
  ...ofClusters(settings),
  ...ofApi(settings),
  ...ofAgents(settings),
  ...ofSeveral(settings),
  ...ofControlPlane(settings),
  ...ofAccounts(settings, homeAccount),
  ...ofInventory(settings),
  ...ofUsage(settings),
  ...ofConsole(settings),
  ...ofCanary(settings),
];

function* ofCanary({ canary, homeRegion, provisioning, api }: Settings): Iterable<Contradiction> {
  if (!canary) return;
  if (provisioning?.regions[homeRegion] === undefined)
    yield [
      'canary',
      `must be false, or VMs must be created in ${homeRegion}, the home region: it has one validated there`,
    ];
  if (api?.tokenSecret === undefined)
    yield ['canary', 'must be false without api.tokenSecret: it sends that token, as DCM does'];
}

function* ofConsole(settings: Settings): Iterable<Contradiction> {
  if (settings.console !== undefined && !canCreate(settings))
    yield [
      'console',
      'must be omitted, or resources must be created: the API that creates them serves the console',
    ];
  for (const [index, secret] of (settings.console?.readers ?? []).entries()) {
    const [place] = apiTokens(settings).find(([, other]) => other === secret) ?? [];
    if (place !== undefined)
      yield [
        `console.readers[${index}]`,
        `must differ from ${place}: who has a token that reads could create and delete with it`,
      ];
  }
}

function* ofRegions({ homeRegion, streamingRegions, legacyRegions }: Settings): Iterable<Contradiction> {
  for (const [setting, regions] of Object.entries({ streamingRegions, legacyRegions }))
    if (regions.includes(homeRegion)) yield [setting, `must not list ${homeRegion}, the home region`];
  yield* ofRegionLists({ homeRegion, streamingRegions, legacyRegions });
}

function* ofRegionLists({
  homeRegion,
  streamingRegions,
  legacyRegions,
}: Pick<Settings, 'homeRegion' | 'streamingRegions' | 'legacyRegions'>): Iterable<Contradiction> {
  yield* ofOtherRegions('streamingRegions', streamingRegions, homeRegion);
  yield* ofOtherRegions('legacyRegions', legacyRegions, homeRegion);
  const both = legacyRegions.find((region) => streamingRegions.includes(region));
  if (both !== undefined) yield ['legacyRegions', `must not list ${both}, a streaming region`];
}

function* ofOtherRegions(
  setting: string,
  regions: readonly string[],
  homeRegion: string,
): Iterable<Contradiction> {
  if (new Set(regions).size < regions.length) yield [setting, 'must list each region once'];
  if (regions.some((region) => partitionOf(region).name !== partitionOf(homeRegion).name))
    yield [setting, `must list regions of the same AWS partition as ${homeRegion}`];
}

function* ofNats({ homeRegion, nats: { credentialsSecret, vpc } }: Settings): Iterable<Contradiction> {
  if (vpc && vpc.availabilityZones.length !== vpc.subnetIds.length)
    yield ['nats.vpc.availabilityZones', 'must list one zone for each of nats.vpc.subnetIds'];
  if (vpc?.availabilityZones.some((zone) => regionOfZone(zone) !== homeRegion))
    yield ['nats.vpc.availabilityZones', `must list zones of ${homeRegion}, the home region`];
  if (vpc?.secretsManagerEndpoint === 'create' && credentialsSecret === undefined)
    yield [
      'nats.vpc.secretsManagerEndpoint',
      'must be "existing" without nats.credentialsSecret: there is no secret to read',
    ];
}

function* ofAlarms({ homeRegion, alarms: { emailOrTopicArn } }: Settings): Iterable<Contradiction> {
  const topicRegion = emailOrTopicArn?.startsWith('arn:') ? emailOrTopicArn.split(':')[3] : undefined;
  if (topicRegion !== undefined && topicRegion !== homeRegion)
    yield ['alarms.emailOrTopicArn', `must be a topic in ${homeRegion}, the home region`];
}

export type Contradiction = readonly [setting: string, must: string];

function* ofCreation(settings: Settings): Iterable<Contradiction> {
  yield* ofCreationIn(
    settings,
    regionNames(settings),
    'must be the home region, or be listed in streamingRegions or legacyRegions',
  );
  const [alias, within] = accountsOf(settings).find(([, account]) => sectionNames(account).length > 0) ?? [];
  if (alias !== undefined && sectionNames(settings).length === 0 && settings.api === undefined)
    yield [
      'api',
      `must be set with accounts.${alias}.${sectionNames(within ?? {})[0]}: it says who may call the API about the home account, and how often it may be called`,
    ];
}

function* ofCreationIn(
  settings: Settings,
  reported: readonly string[],
  must: string,
): Iterable<Contradiction> {
  const [section] = sectionNames(settings);
  for (const each of sectionNames(settings))
    for (const region of Object.keys(settings[each]?.regions ?? {}))
      if (!reported.includes(region)) yield [`${each}.regions.${region}`, must];
  if (section !== undefined && settings.api === undefined)
    yield [
      'api',
      `must be set with ${section}: it says who may create ${section === 'provisioning' ? 'VMs' : section}, such as { "tokenSecret": "dcm/ec2-sp-api" }`,
    ];
}

function* ofProvisioning({ provisioning }: Settings): Iterable<Contradiction> {
  for (const [region, { subnets, kmsKeyId }] of Object.entries(provisioning?.regions ?? {})) {
    const setting = `provisioning.regions.${region}`;
    if (subnets.some(({ zone }) => regionOfZone(zone) !== region))
      yield [`${setting}.subnets`, `must be in zones of ${region}`];
    if (kmsKeyId !== undefined && kmsKeyId.split(':')[3] !== region)
      yield [`${setting}.kmsKeyId`, `must be a key in ${region}`];
  }
}

function* ofContainers({ containers, legacyRegions }: Settings): Iterable<Contradiction> {
  for (const [region, given] of Object.entries(containers?.regions ?? {}))
    for (const setting of ['ecsCluster', 'logGroup'] as const)
      if (legacyRegions.includes(region) && given[setting] === undefined)
        yield [
          `containers.regions.${region}.${setting}`,
          `must be set: ${region} is a legacy region, which has no stack that could make it`,
        ];
}

function* ofNames(settings: Settings): Iterable<Contradiction> {
  const { provider, inventory } = settings;
  const must = (most: number, what: string): Contradiction => [
    'provider.name',
    `must have at most ${most} characters with ${what}: function names begin with it`,
  ];
  if (provider.name.length > longestProviderOfClusters && createdTypes(settings).includes('cluster'))
    yield must(longestProviderOfClusters, 'clusters');
  if (provider.name.length > longestProviderOfInventory && inventory !== undefined)
    yield must(longestProviderOfInventory, 'an inventory');
}

function* ofClusters({ clusters, homeRegion }: Settings): Iterable<Contradiction> {
  if (clusters === undefined) return;
  const { name } = partitionOf(homeRegion);
  const account = accountIn(clusters.clusterRoleArn);
  for (const setting of ['clusterRoleArn', 'nodeRoleArn'] as const) {
    if (partitionIn(clusters[setting]) !== name)
      yield [`clusters.${setting}`, `must be in the AWS partition ${name}, like ${homeRegion}`];
    if (accountIn(clusters[setting]) !== account)
      yield [
        `clusters.${setting}`,
        `must be in the account ${account}, like clusters.clusterRoleArn: no role can be passed to another account`,
      ];
  }
  for (const [region, { subnets }] of Object.entries(clusters.regions)) {
    const setting = `clusters.regions.${region}.subnets`;
    if (subnets.some(({ zone }) => regionOfZone(zone) !== region))
      yield [setting, `must be in zones of ${region}`];
    if (new Set(subnets.map(({ zone }) => zone)).size < 2)
      yield [setting, 'must be in at least two zones: EKS accepts no cluster in one'];
  }
}

const partitionIn = (arn: string): string | undefined => arn.split(':')[1];

const accountIn = (arn: string): string | undefined => arn.split(':')[4];

function* ofApi(settings: Settings): Iterable<Contradiction> {
  const { api } = settings;
  if (api === undefined) return;
  if (createdTypes(settings).length === 0) yield ['api', `must be omitted without ${anySection}`];
  if (api.tokenSecret === undefined && api.jwt === undefined)
    yield ['api', 'must have a tokenSecret, a jwt, or both: the API always authenticates its callers'];
}

const anySection = 'provisioning, containers and clusters';

function* ofControlPlane(settings: Settings): Iterable<Contradiction> {
  const { api, controlPlane, nats } = settings;
  if (controlPlane === undefined) return;
  if (createdTypes(settings).length === 0)
    yield ['controlPlane', `must be omitted without ${anySection}: there is nothing to register`];
  if (controlPlane.endpointCredentials && api?.tokenSecret === undefined)
    yield ['controlPlane.endpointCredentials', 'must be false without api.tokenSecret'];
  for (const setting of ['url', 'publicUrl'] as const)
    if (controlPlane.endpointCredentials && controlPlane[setting]?.startsWith('http:'))
      yield [
        `controlPlane.${setting}`,
        "must be https:// with controlPlane.endpointCredentials: the API's token is sent there",
      ];
  if (controlPlane.vpc && nats.vpc === undefined)
    yield ['controlPlane.vpc', 'must be false without nats.vpc'];
}

/** Contradictions between the agents and the other settings. */
function* ofAgents(settings: Settings): Iterable<Contradiction> {
  const { agent, agents, controlPlane } = settings;
  if (agent === undefined && agents === undefined) return;
  const block = agent === undefined ? 'agents' : 'agent';
  if (agent !== undefined && agents !== undefined)
    yield ['agent', 'must be omitted with agents, which has an agent for each region'];
  if (controlPlane !== undefined)
    yield ['controlPlane', `must be omitted with ${block}: it is for a DCM without environment agents`];
  if (sectionNames(settings).length === 0)
    yield [block, `must be omitted without ${anySection}: there is nothing to register`];
  yield* ofAgentRegions(settings);
  for (const [region, each] of Object.entries(agentsOf(settings))) {
    const setting = agent === undefined ? `agents.${region}` : 'agent';
    yield* ofCaller(settings, setting, each);
    yield* ofTransport(settings, setting, each);
  }
}

function* ofAgentRegions(settings: Settings): Iterable<Contradiction> {
  const { agent, agents } = settings;
  const regions = Object.keys(createdTypesByRegion(settings));
  const sections = sectionNames(settings).map((section) => `${section}.regions`);
  if (agent !== undefined && regions.length > 1)
    yield [
      'agent',
      `must be replaced by agents, an object with an agent for each of ${regions.join(', ')}: an environment agent accepts one provider of each service type`,
    ];
  if (agents === undefined) return;
  for (const region of regions)
    if (agents[region] === undefined)
      yield ['agents', `must have ${region}, like every region of ${sections.join(' and ')}`];
  for (const region of Object.keys(agents))
    if (!regions.includes(region))
      yield [`agents.${region}`, `must be omitted: it is not in ${sections.join(' or ')}`];
}

function* ofCaller(
  { api }: Settings,
  setting: string,
  { caller, publicUrl }: AgentSettings,
): Iterable<Contradiction> {
  if (caller === 'proxy' && publicUrl === undefined)
    yield [`${setting}.publicUrl`, 'must be the address of the proxy if caller is "proxy"'];
  if (caller === 'proxy') return;
  if (api?.tokenSecret === undefined) yield [`${setting}.caller`, 'must be "proxy" without api.tokenSecret'];
  if (publicUrl?.startsWith('http:'))
    yield [`${setting}.publicUrl`, "must be https://: the agent sends the API's token there"];
}

/** Tokens and secrets are sent over TLS or within the private network: an environment agent has no TLS itself. */
function* ofTransport(
  { nats }: Settings,
  setting: string,
  { auth, caller, url, vpc }: AgentSettings,
): Iterable<Contradiction> {
  if (vpc && nats.vpc === undefined) yield [`${setting}.vpc`, 'must be false without nats.vpc'];
  if (vpc) return;
  if (url.startsWith('http:') && (caller === 'endpointCredentials' || auth !== undefined))
    yield [`${setting}.url`, 'must be https://, or "vpc" must be true: a token is sent there'];
  if (auth !== undefined && 'tokenEndpoint' in auth && auth.tokenEndpoint.startsWith('http:'))
    yield [
      `${setting}.auth.tokenEndpoint`,
      'must be https://, or "vpc" must be true: a secret is sent there',
    ];
}

/** Contradictions between the agents of all regions and accounts. */
function* ofSeveral(settings: Settings): Iterable<Contradiction> {
  const agents = agentPlaces(settings);
  if (new Set(agents.map(([, { vpc }]) => vpc)).size > 1)
    yield ['agents', 'must all have the same vpc: one function registers the provider at all of them'];
  for (const key of ['url', 'topic'] as const)
    for (const [index, [place, { [key]: value }]] of agents.entries()) {
      const first = agents.findIndex(([, other]) => bare(other[key]) === bare(value));
      if (first < index)
        yield [
          `${place}.${key}`,
          `must differ from that of ${agents[first]?.[0].replace(/^agents\./, '')}: an environment agent accepts one provider of each service type, so each region needs its own agent`,
        ];
    }
}

const bare = (text: string): string => text.replace(/\/$/, '');

function* ofAccounts(settings: Settings, homeAccount: string | undefined): Iterable<Contradiction> {
  const { accounts, externalId } = settings;
  if (accounts === undefined) {
    for (const setting of ['externalId', 'organization'] as const)
      if (settings[setting] !== undefined) yield [setting, 'must be omitted without accounts'];
    return;
  }
  if (externalId === undefined)
    yield [
      'externalId',
      'must be set with accounts: a random text of at least 20 characters, such as the output of openssl rand -hex 20',
    ];
  yield* ofAccountIds(settings, homeAccount);
  yield* ofTokens(settings);
  yield* ofWords(settings);
  for (const [alias, account] of accountsOf(settings))
    for (const [setting, must] of ofAccount(settings, account)) yield [`accounts.${alias}.${setting}`, must];
}

function* ofAccountIds(settings: Settings, homeAccount: string | undefined): Iterable<Contradiction> {
  const aliases = accountsOf(settings);
  const ids = aliases.map(([, { id }]) => id);
  for (const [index, [alias, { id }]] of aliases.entries()) {
    const setting = `accounts.${alias}.id`;
    const first = aliases[ids.indexOf(id)]?.[0];
    if (ids.indexOf(id) < index)
      yield [setting, `must differ from that of ${first}: an account has one alias`];
    if (id === homeAccount)
      yield [
        setting,
        'must not be the home account, to which the stacks are deployed: its settings are those outside accounts',
      ];
  }
  for (const id of settings.organization?.deployTo?.accounts ?? [])
    if (!ids.includes(id))
      yield ['organization.deployTo.accounts', `must list only ids of accounts, and ${id} is none`];
}

/** The words for statuses are the same for all accounts, as is how addresses are found: one function reports all of them. */
function* ofWords(settings: Settings): Iterable<Contradiction> {
  const everywhere = [['', settings] as const, ...accountsOf(settings)].flatMap(
    ([alias, { provisioning, containers, clusters }]) =>
      [
        ['provisioning.spotEndsAs', provisioning?.spotEndsAs] as const,
        ['containers.publicAddresses', containers?.publicAddresses] as const,
        ['clusters.vocabulary', clusters?.vocabulary] as const,
      ].flatMap(([setting, value]) =>
        value === undefined
          ? []
          : [{ setting, value, place: `${alias === '' ? '' : `accounts.${alias}.`}${setting}` }],
      ),
  );
  for (const { setting, value, place } of everywhere) {
    const first = everywhere.find((other) => other.setting === setting);
    if (first !== undefined && first.value !== value)
      yield [
        place,
        `must be ${JSON.stringify(first.value)}, like ${first.place}: it is the same for all accounts`,
      ];
  }
}

/** A token opens the targets of one account, so that whoever has it can do nothing in another. */
function* ofTokens(settings: Settings): Iterable<Contradiction> {
  const places = apiTokens(settings);
  for (const [index, [place, secret]] of places.entries()) {
    const first = places.findIndex(([, other]) => other === secret);
    if (first < index)
      yield [place, `must differ from ${places[first]?.[0]}: a token is for the targets of one account`];
  }
}

/** The settings that name a token of the API, with the secret. */
const apiTokens = (settings: Settings): (readonly [place: string, secret: string])[] =>
  [
    ['api', settings.api] as const,
    ...accountsOf(settings).map(([alias, { api }]) => [`accounts.${alias}.api`, api] as const),
  ].flatMap(([place, api]) =>
    api?.tokenSecret === undefined ? [] : [[`${place}.tokenSecret`, api.tokenSecret] as const],
  );

/** Contradictions of the settings of one account, whose paths begin with its own settings. */
function* ofAccount(settings: Settings, account: AccountSettings): Iterable<Contradiction> {
  const within = { ...settingsWithin(settings, account), controlPlane: undefined };
  if (accountRegions(account).length === 0)
    yield [
      'streamingRegions',
      'must list a region, or legacyRegions must: nothing of the account is reported',
    ];
  yield* ofRegionLists(within);
  yield* ofCreationIn(
    within,
    accountRegions(account),
    'must be listed in streamingRegions or legacyRegions of the account',
  );
  yield* ofProvisioning(within);
  yield* ofContainers(within);
  yield* ofClusters(within);
  yield* ofApi(within);
  yield* ofAgents(within);
  yield* ofRoles(account);
  const isInEndpoint = settings.controlPlane?.endpointCredentials === true;
  if (isInEndpoint && sectionNames(account).length > 0 && account.api?.tokenSecret === undefined)
    yield ['api.tokenSecret', 'must be set with controlPlane.endpointCredentials'];
  if (account.agents !== undefined && settings.controlPlane !== undefined)
    yield ['agents', 'must be omitted with controlPlane, which is for a DCM without environment agents'];
}

/** A role can only be passed to a service in the role's own account. */
function* ofRoles({ id, provisioning, containers, clusters }: AccountSettings): Iterable<Contradiction> {
  const roles = [
    ...(provisioning?.instanceProfiles ?? []).map(
      ({ roleArn }) => ['provisioning.instanceProfiles', roleArn] as const,
    ),
    ['containers.executionRoleArn', containers?.executionRoleArn] as const,
    ...(containers?.taskRoles ?? []).map((role) => ['containers.taskRoles', role] as const),
    ['clusters.clusterRoleArn', clusters?.clusterRoleArn] as const,
    ['clusters.nodeRoleArn', clusters?.nodeRoleArn] as const,
  ];
  for (const [setting, role] of roles)
    if (role !== undefined && role.split(':')[4] !== id)
      yield [setting, `must be of the account ${id}: a role is passed only within its account`];
}

function* ofUsage(settings: Settings): Iterable<Contradiction> {
  const { usage } = settings;
  if (usage === undefined) return;
  if (!canCreate(settings))
    yield [
      'usage',
      'must be omitted without api and a section of what is created: the API answers the usage',
    ];
  if (usage.prices.length > 0 && usage.billingAccountId === undefined)
    yield ['usage.billingAccountId', 'must be set with usage.prices'];
  const keys = usage.prices.map(({ region, instanceType, platform, market }) =>
    [region, instanceType, platform, market].join(),
  );
  for (const [index, key] of keys.entries())
    if (keys.indexOf(key) < index)
      yield [`usage.prices[${index}]`, 'must differ from the prices before it: each has one price'];
}

function* ofInventory(settings: Settings): Iterable<Contradiction> {
  const { inventory, accounts = {} } = settings;
  if (inventory === undefined) return;
  const { tokens, jwt, authOptional, development, homeAlias } = inventory;
  if (tokens.length === 0 && jwt === undefined && !authOptional)
    yield ['inventory', 'must have tokens, a jwt, or both: the API authenticates its callers'];
  if (authOptional && !development)
    yield [
      'inventory.authOptional',
      'must be false, or inventory.development must be true: everyone who reaches the API could read the inventory',
    ];
  if (Object.hasOwn(accounts, homeAlias))
    yield ['inventory.homeAlias', `must differ from the aliases of accounts, and ${homeAlias} is one`];
  const targets = reportedTargets(settings).map(({ name }) => name);
  yield* ofPlans(inventory, targets);
  if (hasInventory(settings) && collectionsKept(settings).length === 0)
    yield ['inventory.without', 'must leave a collection, or inventory must be omitted: nothing is kept'];
  yield* ofReaders(settings, inventory);
}

/** Contradictions of the tokens that read the inventory. */
function* ofReaders(settings: Settings, inventory: InventorySettings): Iterable<Contradiction> {
  const { tokens, homeAlias } = inventory;
  const scoped = scopedTargets(settings, homeAlias);
  for (const [index, { secret, scopes }] of tokens.entries()) {
    const setting = `inventory.tokens[${index}]`;
    if (tokens.findIndex((other) => other.secret === secret) < index)
      yield [
        `${setting}.secret`,
        'must differ from those of the other tokens: a token has one list of scopes',
      ];
    const [place] = apiTokens(settings).find(([, other]) => other === secret) ?? [];
    if (place !== undefined)
      yield [
        `${setting}.secret`,
        `must differ from ${place}: who has a token that reads the inventory could create and delete with it`,
      ];
    for (const scope of scopes) yield* ofScope(inventory, `${setting}.scopes`, scope, scoped);
  }
}

/** The targets, and the accounts as a whole, that a scope can be limited to. */
const scopedTargets = (settings: Settings, homeAlias: string): string[] => [
  ...reportedTargets(settings).map(({ name }) => name),
  ...regionNames(settings).map((region) => `${homeAlias}/${region}`),
  ...[homeAlias, ...Object.keys(settings.accounts ?? {})].map((alias) => `${alias}/*`),
];

function* ofPlans({ plans }: InventorySettings, targets: readonly string[]): Iterable<Contradiction> {
  for (const [name, plan] of Object.entries(plans))
    for (const place of ['source', 'destination'] as const)
      if (!targets.includes(plan[place]))
        yield [
          `inventory.plans.${name}.${place}`,
          `must be a target that is reported: ${targets.join(', ')}`,
        ];
  for (const [name, { source, destination }] of Object.entries(plans))
    if (source === destination)
      yield [`inventory.plans.${name}.destination`, `must differ from the source, ${source}: nothing moves`];
}

function* ofScope(
  { consoleOutput }: InventorySettings,
  setting: string,
  scope: string,
  targets: readonly string[],
): Iterable<Contradiction> {
  const [, permission, target] = scope.split(':');
  if (target !== undefined && !targets.includes(target))
    yield [setting, `must name targets that are reported (${targets.join(', ')}), and ${target} is none`];
  if (permission === 'logs' && !consoleOutput)
    yield [setting, 'must be without inventory:logs, or inventory.consoleOutput must be true'];
}

/** What works, and is probably not meant; by a name for the CDK's acknowledgements. */
export const doubts = (settings: Settings): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(unregisteredAccounts(settings)),
  ...(settings.inventory && isUnreadableLog(settings.inventory) ? { 'console-output': unreadableLog } : {}),
});

const unregisteredAccounts = (settings: Settings): [name: string, doubt: string][] =>
  settings.agent === undefined && settings.agents === undefined
    ? []
    : accountsOf(settings).flatMap(([alias, account]) =>
        account.agents !== undefined || sectionNames(account).length === 0
          ? []
          : [
              [
                `no-agents-${alias}`,
                `Nothing registers the providers of the account ${alias} at DCM: accounts.${alias} has ${sectionNames(account).join(' and ')}, and no agents.`,
              ],
            ],
      );

const unreadableLog =
  'Nobody can read logs: inventory.consoleOutput is true, and no token of inventory.tokens has a scope inventory:logs.';

const isUnreadableLog = ({ consoleOutput, tokens, jwt, authOptional }: InventorySettings): boolean =>
  consoleOutput &&
  jwt === undefined &&
  !authOptional &&
  !tokens.some(({ scopes }) => scopes.some((scope) => scope.startsWith('inventory:logs')));
