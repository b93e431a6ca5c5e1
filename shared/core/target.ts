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

/** What one listing covers: the resources of one service type in one target. */
export type ListedTarget = Target & {
  /** @default 'vm' */
  readonly serviceType?: ServiceType | undefined;
};

/** A listed target as text, for keys: of VMs, the target's key; of others, such as `container#eu-west-1`. */
export const listingKey = ({ serviceType = 'vm', ...target }: ListedTarget): string =>
  serviceType === 'vm' ? targetKey(target) : `${serviceType}#${targetKey(target)}`;

/** Targets of the home account first, then by account and region. */
export const byTarget = (a: Target, b: Target): number =>
  compare(a.account ?? '', b.account ?? '') || compare(a.region, b.region);

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
