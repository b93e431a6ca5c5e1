import type { Collection } from '../../shared/core/inventory/entry.ts';
import {
  type Accounts,
  byTarget,
  type NamedTarget,
  type Target,
  targetKey,
  targetName,
} from '../../shared/core/target.ts';
import { NotServedError, type TargetPaths } from '../../shared/http/router.ts';

/** The targets of the inventory, with the names that paths give them. */
export type Targets = ReturnType<typeof servedTargets>;

type Served = {
  readonly homeAlias: string;
  readonly homeRegions: readonly string[];
  readonly accounts: Accounts;
};

/** What stands before the paths of a target: with the words of Kubernetes, and with those of AWS. */
export const targetPrefixes = [
  '/namespaces/{namespace}/clusters/{cluster}',
  '/targets/{region}',
  '/targets/{alias}/{region}',
] as const;

export const servedTargets = ({ homeAlias, homeRegions, accounts }: Served) => {
  const all: readonly NamedTarget[] = [
    ...homeRegions.map((region) => ({ region })),
    ...Object.entries(accounts).flatMap(([alias, { id, regions }]) =>
      regions.map((region) => ({ region, account: id, alias })),
    ),
  ].sort(byTarget);
  const aliasOf = ({ alias = homeAlias }: Pick<NamedTarget, 'alias'>): string => alias;
  const find = (alias: string, region: string): NamedTarget => {
    const found = all.find((one) => aliasOf(one) === alias && one.region === region);
    if (found === undefined && all.some((one) => targetName(one) === alias))
      throw new NotServedError(
        `collection=${region}`,
        `the target ${alias} has no collection ${region}`,
        true,
      );
    if (found === undefined)
      throw new NotServedError(
        'target',
        `the inventory has no target ${alias}/${region}; /targets lists those that there are`,
      );
    return found;
  };
  const [home = { region: '' }] = all;

  const paths: TargetPaths = {
    prefixes: targetPrefixes.map((prefix) => prefix.replace(/\{(\w+)\}/g, ':$1')),
    targetOf: (parameter) => {
      const region = parameter('cluster') ?? parameter('region');
      if (region === undefined) return home;
      return find(parameter('namespace') ?? parameter('alias') ?? homeAlias, region);
    },
  };

  return {
    all,
    homeAlias,
    aliasOf,
    /** The names of accounts. */
    aliases: [...new Set([homeAlias, ...Object.keys(accounts)])],
    /** The target for its text in settings: `eu-west-1`, `prod/eu-west-1`. @throws NotServedError */
    named(text: string): NamedTarget {
      const found = all.find((one) => targetName(one) === text);
      if (found === undefined) throw new NotServedError('target', `the inventory has no target ${text}`);
      return found;
    },
    paths,
  };
};

type Kept = {
  readonly collections: readonly Collection[];
  readonly listedIn: { readonly [Created in 'containers' | 'clusters']?: readonly string[] | undefined };
};

/** The collections that a target lists, by the settings. */
export const collectionsIn =
  ({ collections, listedIn }: Kept) =>
  (target: Target): ReadonlySet<Collection> =>
    new Set(
      collections.filter((collection) => {
        const only = isCreated(collection) ? listedIn[collection] : undefined;
        return only?.includes(targetKey(target)) ?? true;
      }),
    );

const isCreated = (collection: Collection) => collection === 'containers' || collection === 'clusters';

/** Why a target does not list a collection: 404, with a text that names the settings. */
export const notKept = (collection: Collection, target: NamedTarget): NotServedError => {
  const section = `${target.alias === undefined ? '' : `accounts.${target.alias}.`}${collection}.regions`;
  const settings = isCreated(collection)
    ? `inventory.without has it, or ${section} has no ${target.region}`
    : 'inventory.without has it';
  return new NotServedError(
    `collection=${collection}`,
    `the collection ${collection} is not listed in ${targetName(target)}: in the settings, ${settings}`,
  );
};
