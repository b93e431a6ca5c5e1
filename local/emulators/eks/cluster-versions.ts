import * as z from 'zod';
import { Paging, page } from './page.ts';
import { operation, QueryFlag, QueryList } from './rest-json.ts';

/** A Kubernetes version that EKS offers, or has offered. */
export type ClusterVersion = {
  /** The minor version, such as 1.33. */
  readonly version: string;
  readonly releasedAtMs: number;
  readonly standardSupportEndsAtMs: number;
  readonly extendedSupportEndsAtMs: number;
  /** The version of a cluster that names none; true for one version. */
  readonly isDefault: boolean;
};

const monthMs = 30 * 86_400_000;

/** The versions, and how many months ago each was released. */
const monthsAgo = { '1.34': 1, '1.33': 5, '1.32': 9, '1.31': 17, '1.30': 21, '1.29': 29 };

/**
 * What EKS offers at a time, with 14 months of standard support and 12 of extended support. The dates follow the time, so that the emulator
 * never runs out of versions: 1.29 is always out of support, and 1.30 and 1.31 are always in extended support.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
 */
export const versionsAt = (nowMs: number): readonly ClusterVersion[] =>
  Object.entries(monthsAgo).map(([version, months]) => {
    const releasedAtMs = nowMs - (nowMs % monthMs) - months * monthMs;
    return {
      version,
      releasedAtMs,
      standardSupportEndsAtMs: releasedAtMs + 14 * monthMs,
      extendedSupportEndsAtMs: releasedAtMs + 26 * monthMs,
      isDefault: version === '1.33',
    };
  });

const statuses = ['STANDARD_SUPPORT', 'EXTENDED_SUPPORT', 'UNSUPPORTED'] as const;

export const supportOf = (
  { standardSupportEndsAtMs, extendedSupportEndsAtMs }: ClusterVersion,
  nowMs: number,
): (typeof statuses)[number] => {
  if (nowMs < standardSupportEndsAtMs) return 'STANDARD_SUPPORT';
  return nowMs < extendedSupportEndsAtMs ? 'EXTENDED_SUPPORT' : 'UNSUPPORTED';
};

const Request = Paging.extend({
  clusterVersions: QueryList.optional(),
  defaultOnly: QueryFlag.default(false),
  includeAll: QueryFlag.default(false),
  versionStatus: z.enum(statuses).optional(),
  status: z.enum(['standard-support', 'extended-support', 'unsupported']).optional(),
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeClusterVersions.html */
export const describeClusterVersions = operation(Request, (request, { account }) => {
  const nowMs = account.clock();
  const isWanted = (one: ClusterVersion): boolean => {
    const support = supportOf(one, nowMs);
    if (request.clusterVersions) return request.clusterVersions.includes(one.version);
    if (request.defaultOnly) return one.isDefault;
    if (request.versionStatus) return support === request.versionStatus;
    if (request.status) return olderWord(support) === request.status;
    return request.includeAll || support !== 'UNSUPPORTED';
  };
  const { items, nextToken } = page(account.versions().filter(isWanted), request, ({ version }) => version);
  return { clusterVersions: items.map((one) => versionJson(one, nowMs)), nextToken };
});

const versionJson = (one: ClusterVersion, nowMs: number) => ({
  clusterVersion: one.version,
  clusterType: 'eks',
  defaultPlatformVersion: platformVersion,
  defaultVersion: one.isDefault,
  releaseDate: one.releasedAtMs / 1000,
  endOfStandardSupportDate: one.standardSupportEndsAtMs / 1000,
  endOfExtendedSupportDate: one.extendedSupportEndsAtMs / 1000,
  status: olderWord(supportOf(one, nowMs)),
  versionStatus: supportOf(one, nowMs),
  kubernetesPatchVersion: patchVersion(one.version),
});

const olderWord = (support: (typeof statuses)[number]): string => support.toLowerCase().replace('_', '-');

export const platformVersion = 'eks.12';
export const patchVersion = (version: string): string => `${version}.4`;
