import * as z from 'zod';
import { AccountAlias, AccountId, type AccountsFile, ExternalId } from '../../shared/runtime/accounts.ts';
import { Agent } from './agent.ts';
import { Clusters } from './clusters.ts';
import { Containers } from './containers.ts';
import { AccountApi, Api, Provisioning } from './provisioning.ts';
import { flag, region, text } from './setting-kinds.ts';
import type { Settings } from './settings.ts';

/** An account besides the home account. */
const Account = z.strictObject({
  id: AccountId.register(z.globalRegistry, {
    description: 'The 12 digits of the account. DCM never sees them.',
  }),
  streamingRegions: z
    .array(region)
    .default([])
    .describe(
      'Regions of the account whose resources are reported. Their events are forwarded to the home region.',
    ),
  legacyRegions: z
    .array(region)
    .default([])
    .describe(
      'Regions of the account whose resources are reported and that cannot forward events. They are polled.',
    ),
  alarmTopicName: text(/^[\w-]{1,256}$/, 'must be the name of an SNS topic')
    .optional()
    .describe(
      'The name of an SNS topic that the alarms in the account notify. Each of `streamingRegions` must have one of this name in that account. Default: they notify nobody.',
    ),
  provisioning: Provisioning.optional(),
  containers: Containers.optional(),
  clusters: Clusters.optional(),
  api: AccountApi.optional(),
  agents: z
    .record(region, Agent)
    .optional()
    .describe(
      'The environment agent of each region of the account where resources are created; each with the settings of `agent`.',
    ),
});
export type AccountSettings = z.infer<typeof Account>;

/**
 * A rule's event pattern lists all accounts in at most 2,048 characters, and the policy of the event bus in at most 10,240 bytes.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
 */
const mostAccounts = 100;

/** The accounts besides the home account, by alias. */
export const Accounts = z
  .record(AccountAlias, Account)
  .refine((accounts) => Object.keys(accounts).length > 0, 'must have at least one account, or be omitted')
  .refine(
    (accounts) => Object.keys(accounts).length <= mostAccounts,
    `must have at most ${mostAccounts} accounts: a rule lists all of them`,
  )
  .describe(
    'Other accounts whose resources are reported and created ([accounts.md](accounts.md)), by an alias of 2 to 16 lower-case letters and digits: the account’s name in paths, at DCM, in logs and metrics.',
  );

export const externalId = ExternalId.register(z.globalRegistry, {
  description:
    'The external id with which the roles in other accounts are assumed: a random text of at least 20 characters, such as the output of `openssl rand -hex 20`. Required with `accounts`.',
});

export const Organization = z.strictObject({
  id: text(/^o-[a-z0-9]{10,32}$/, 'must be the id of an organization, such as o-a1b2c3d4e5').describe(
    'The organization of AWS Organizations that all accounts are in. The roles and the event bus then refuse principals of other organizations.',
  ),
  deployTo: z
    .strictObject({
      organizationalUnits: z
        .array(
          text(
            /^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$/,
            'must be the id of an organizational unit or of the root, such as ou-ab12-11111111',
          ),
        )
        .min(1, 'must list at least one organizational unit')
        .describe('Organizational units, or the root, that the accounts are in.'),
      accounts: z
        .array(AccountId)
        .min(1, 'must list at least one account, or be omitted')
        .optional()
        .describe('Ids of the accounts to deploy to. Default: all `accounts`.'),
      delegatedAdministrator: flag
        .default(true)
        .describe(
          'Whether the home account is a delegated administrator of CloudFormation StackSets. `false`: it is the management account.',
        ),
    })
    .optional(),
});

/** Settings with which there are accounts besides the home account. */
type WithAccounts = Pick<Settings, 'accounts' | 'externalId'>;

/** The aliases of the accounts, with their settings. */
export const accountsOf = ({
  accounts = {},
}: Pick<Settings, 'accounts'>): [alias: string, AccountSettings][] => Object.entries(accounts);

/** The regions of an account whose resources are reported. */
export const accountRegions = ({
  streamingRegions,
  legacyRegions,
}: Pick<AccountSettings, 'streamingRegions' | 'legacyRegions'>): string[] => [
  ...streamingRegions,
  ...legacyRegions,
];

/** What the functions know of the accounts. Undefined without accounts. */
export const accountsFileOf = (settings: WithAccounts): AccountsFile | undefined => {
  const { accounts, externalId: id } = settings;
  if (accounts === undefined || id === undefined) return undefined;
  return {
    externalId: id,
    accounts: Object.fromEntries(
      accountsOf(settings).map(([alias, account]) => [
        alias,
        { id: account.id, regions: accountRegions(account) },
      ]),
    ),
  };
};

/** The settings as they are within an account: its regions, what is created there, its credentials and agents in place of the home account's. */
export const settingsWithin = (settings: Settings, account: AccountSettings): Settings => {
  const { streamingRegions, legacyRegions, provisioning, containers, clusters, api, agents } = account;
  return {
    ...settings,
    ...{ streamingRegions, legacyRegions, provisioning, containers, clusters, agents },
    api: api && { ...api, throttling: settings.api?.throttling ?? Api.parse({}).throttling },
    agent: undefined,
    accounts: undefined,
  };
};
