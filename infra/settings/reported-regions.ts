import type { PolledRegion } from '../../functions/poller/env.ts';
import type { Settings } from './settings.ts';

type Regions = Pick<Settings, 'homeRegion' | 'streamingRegions' | 'legacyRegions'>;

/** Every region whose instances are reported, the home region first, and whether it is a streaming or a legacy region. */
export const reportedRegions = ({ homeRegion, streamingRegions, legacyRegions }: Regions): PolledRegion[] => [
  ...[homeRegion, ...streamingRegions].map((region) => ({ region, kind: 'streaming' as const })),
  ...legacyRegions.map((region) => ({ region, kind: 'legacy' as const })),
];

export const regionNames = (regions: Regions): string[] =>
  reportedRegions(regions).map(({ region }) => region);
