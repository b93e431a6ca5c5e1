import type { Listings, Standing } from '../../shared/ports/listings.ts';
import type { PolledRegion } from './env.ts';
import type { RegionReport } from './request.ts';

type Parts = { readonly listings: Listings; readonly regions: readonly PolledRegion[] };

/** Tells people how polling stands in every region: above all what a breaker holds back. */
export const reportRegions =
  ({ listings, regions }: Parts) =>
  async (): Promise<{ readonly regions: readonly RegionReport[] }> => ({
    regions: (await listings.standing(regions.map(({ region }) => region))).map(reportOf),
  });

const reportOf = ({ listedAtMs, breakerSinceMs, republishWantedAt, ...rest }: Standing): RegionReport => ({
  ...rest,
  ...(listedAtMs !== undefined && { lastListedAt: new Date(listedAtMs).toISOString() }),
  ...(breakerSinceMs !== undefined && { breakerSince: new Date(breakerSinceMs).toISOString() }),
  republishWanted: republishWantedAt !== undefined,
});
