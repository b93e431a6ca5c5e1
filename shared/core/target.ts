import { SettingsError } from './errors.ts';
import type { Collection } from './inventory/entry.ts';
import type { ServiceType } from './kind.ts';

/** Where resources are: one region of one account. */
export type Target = {
  readonly region: string;
  /** Id of the account; undefined: the home account, which the provider itself is deployed in. */
  readonly account?: string | undefined;
};

/** The target for a region and an account's id. Where the home account is not known, every account counts as home. */
export const targetOf = (
  { account, region }: { readonly account: string; readonly region: string },
  homeAccount: string | undefined,
): Target => (homeAccount === undefined || account === homeAccount ? { region } : { account, region });

/** A target as text, for keys: `eu-west-1` in the home account, `222222222222/eu-west-1` in another one. */
export const targetKey = ({ account, region }: Target): string =>
  account === undefined ? region : `${account}/${region}`;

/** The inverse of `targetKey`. */
export const targetOfKey = (key: string): Target => {
  const [region = '', account] = key.split('/').reverse();
  return account === undefined ? { region } : { account, region };
};

/** The accounts besides the home account, by alias. */
export type Accounts = Readonly<
  Record<
    string,
    {
      /** Of 12 digits. */
      readonly id: string;
      /** The regions of its targets. */
      readonly regions: readonly string[];
    }
  >
>;

/**
 * A target with the alias of its account. The alias is what people and DCM see: it is in paths, in the names of providers, in messages, logs
 * and metrics. The account's id stays inside.
 */
export type NamedTarget =
  | { readonly region: string; readonly account?: undefined; readonly alias?: undefined }
  | { readonly region: string; readonly account: string; readonly alias: string };

/** @throws SettingsError where no account with the target's id is configured. */
export const namedTarget = (accounts: Accounts, { account, region }: Target): NamedTarget => {
  if (account === undefined) return { region };
  const [alias] = Object.entries(accounts).find(([, { id }]) => id === account) ?? [];
  if (alias === undefined) throw new SettingsError(`no account ${account} is configured`);
  return { region, account, alias };
};

/** The target with a key, by the alias of its account. @throws SettingsError for a key of another account without an alias. */
export const namedTargetOfKey = (key: string, alias: string | undefined): NamedTarget => {
  const { account, region } = targetOfKey(key);
  if (account === undefined) return { region };
  if (alias === undefined) throw new SettingsError(`${key} has no alias`);
  return { account, region, alias };
};

/** A target as people and DCM see it, and as it stands in paths: `eu-west-1` in the home account, `prod/eu-west-1` in the account `prod`. */
export const targetName = ({ alias, region }: Pick<NamedTarget, 'alias' | 'region'>): string =>
  alias === undefined ? region : `${alias}/${region}`;

/** A target in log lines and metrics, also where its account is no longer configured: then with the account's id. */
export const loggedTarget = (accounts: Accounts, target: Target): string => {
  const [alias] = Object.entries(accounts).find(([, { id }]) => id === target.account) ?? [];
  return alias === undefined ? targetKey(target) : `${alias}/${target.region}`;
};

/** The target with an alias and a region. Undefined where no account has the alias, or the account not the region. */
export const targetOfAlias = (accounts: Accounts, alias: string, region: string): NamedTarget | undefined => {
  const account = Object.hasOwn(accounts, alias) ? accounts[alias] : undefined;
  return account?.regions.includes(region) ? { region, account: account.id, alias } : undefined;
};

/** What one listing covers: the resources of one service type in one target, or a collection that only the inventory has. */
export type ListedTarget = Target & {
  /** @default 'vm' */
  readonly serviceType?: ServiceType | undefined;
  readonly collection?: Collection | undefined;
};

/** A listed target as text, for keys: of VMs, the target's key; of others, such as `container#eu-west-1` or `volumes#eu-west-1`. */
export const listingKey = (listed: ListedTarget): string => `${whatIsListed(listed)}${targetKey(listed)}`;

/** The same with the alias of the account, as people see it: `container#prod/eu-west-1`. */
export const listingName = (accounts: Accounts, listed: ListedTarget): string =>
  `${whatIsListed(listed)}${loggedTarget(accounts, listed)}`;

const whatIsListed = ({ serviceType = 'vm', collection }: ListedTarget): string => {
  const listed = collection ?? (serviceType === 'vm' ? undefined : serviceType);
  return listed === undefined ? '' : `${listed}#`;
};

/** What a listing's key or name says: what is listed, `vm` where it does not say, and the key or name of the target. */
export const listingIn = (text: string): { readonly listed: string; readonly target: string } => {
  const [target = '', listed = 'vm'] = text.split('#').reverse();
  return { listed, target };
};

/** Targets of the home account first, then by account and region. */
export const byTarget = (a: Target, b: Target): number =>
  compare(a.account ?? '', b.account ?? '') || compare(a.region, b.region);

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
