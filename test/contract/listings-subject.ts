import type { Listings } from '../../shared/ports/listings.ts';
import { halfPastTen } from '../fixtures/resource-messages.ts';

export const floorMs = 10_000;
export const leaseMs = 20_000;

export type MakeListings = (now: () => number) => Promise<Listings>;

/** Gives each test a region of its own, that was never listed, and a clock in its hand. */
export const listingsSubject = (make: MakeListings) => {
  let number = 0;
  return async () => {
    number += 1;
    const region = `region-${number}`;
    const clock = { ms: halfPastTen * 1000 };
    const listings = await make(() => clock.ms);
    const take = () => listings.take(region, { floorMs, leaseMs });
    const taken = async () => {
      const listing = await take();
      if (!listing) throw new Error('expected a listing');
      return listing;
    };
    return { listings, region, clock, take, taken, number };
  };
};
