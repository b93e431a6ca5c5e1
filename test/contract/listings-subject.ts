import type { ServiceType } from '../../shared/core/kind.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import { halfPastTen } from '../fixtures/resource-messages.ts';

export const floorMs = 10_000;
export const leaseMs = 20_000;

export type MakeListings = (now: () => number) => Promise<Listings>;

/** Gives each test a target of its own, which was never listed, and a clock. */
export const listingsSubject = (make: MakeListings, serviceType: ServiceType = 'vm') => {
  let number = 0;
  return async () => {
    number += 1;
    const target = { region: `region-${number}`, ...(serviceType !== 'vm' && { serviceType }) };
    const clock = { ms: halfPastTen * 1000 };
    const listings = await make(() => clock.ms);
    const lease = () => listings.lease(target, { floorMs, leaseMs });
    const leased = async () => {
      const listing = await lease();
      if (!listing) throw new Error('expected a listing');
      return listing;
    };
    return { listings, target, clock, lease, leased, number };
  };
};
