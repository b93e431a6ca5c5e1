import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../ports/clock.ts';
import type { Offerings } from '../ports.ts';

const ttlMs = 10 * 60_000;
const maximumEntries = 500;

/**
 * Caches each answer for ten minutes, so that most creates call EC2 once, and concurrent creates share a call. Absent answers and errors are
 * not cached.
 */
export const rememberedOfferings = (offerings: Offerings, clock: Clock): Offerings => {
  const instanceTypes = cached(offerings.instanceTypes, clock);
  return {
    image: cached(offerings.image, clock),
    newestImage: cached(offerings.newestImage, clock),
    imageIdOf: cached(offerings.imageIdOf, clock),
    instanceTypes: async (...asked) => (await instanceTypes(...asked)) ?? [],
  };
};

const cached = <Asked extends readonly unknown[], Answer extends NonNullable<unknown>>(
  ask: (...asked: Asked) => Promise<Answer | undefined>,
  clock: Clock,
): ((...asked: Asked) => Promise<Answer | undefined>) => {
  const cache = new LRUCache<string, Answer, () => Promise<Answer | undefined>>({
    ...{ max: maximumEntries, ttl: ttlMs, ttlResolution: 0, perf: { now: clock } },
    fetchMethod: (_key, _stale, { context: fetch }) => fetch(),
    ignoreFetchAbort: true, // an answer that arrives after its entry was evicted is still valid
  });
  return (...asked) => cache.fetch(JSON.stringify(asked), { context: () => ask(...asked) });
};
