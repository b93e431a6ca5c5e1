import type { PolledRegion } from '../../functions/poller/env.ts';
import { targetKey } from '../../shared/core/target.ts';
import { regionsOf, type Sections } from './service-types.ts';
import type { Settings } from './settings.ts';

/** Without the home region: of an account besides the home account. */
type Regions = Pick<Settings, 'streamingRegions' | 'legacyRegions'> & Partial<Pick<Settings, 'homeRegion'>>;

/** Every region of an account whose instances are reported, the home region first, and whether it is a streaming or a legacy region. */
const reportedRegions = ({ homeRegion, streamingRegions, legacyRegions }: Regions): PolledRegion[] => [
  ...[...(homeRegion === undefined ? [] : [homeRegion]), ...streamingRegions].map((region) => ({
    region,
    kind: 'streaming' as const,
  })),
  ...legacyRegions.map((region) => ({ region, kind: 'legacy' as const })),
];

export const regionNames = (regions: Regions): string[] =>
  reportedRegions(regions).map(({ region }) => region);

/**
 * What the poller lists: the instances of every region that is reported, and the containers and clusters of those regions where they can be
 * created. Clusters are listed everywhere as in a legacy region, because EKS has no events about their states.
 */
export const polledRegions = (reported: readonly PolledRegion[], sections: Sections): PolledRegion[] => {
  const of = (serviceType: 'container' | 'cluster') => {
    const created = regionsOf(sections, serviceType);
    return reported.filter(({ region }) => created.includes(region)).map((one) => ({ ...one, serviceType }));
  };
  return [
    ...reported,
    ...of('container'),
    ...of('cluster').map((one) => ({ ...one, kind: 'legacy' as const })),
  ];
};

/** The same of every account; `region` is the key of a target. */
export const polledTargets = (settings: Settings): PolledRegion[] => [
  ...polledRegions(reportedRegions(settings), settings),
  ...Object.values(settings.accounts ?? {}).flatMap((account) =>
    polledRegions(reportedRegions(account), account).map(({ region, ...polled }) => ({
      region: targetKey({ account: account.id, region }),
      ...polled,
    })),
  ),
];
