import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../ports/clock.ts';
import type { Offerings } from '../ports.ts';

const forMs = 10 * 60_000;
const most = 500;

/**
 * Offerings that are asked once in ten minutes for each thing: a create then costs EC2 one call, and many creates at once ask together.
 * What was not there, or could not be asked, is asked again.
 */
export const rememberedOfferings = (offerings: Offerings, clock: Clock): Offerings => {
  const instanceTypes = remembered(offerings.instanceTypes, clock);
  return {
    image: remembered(offerings.image, clock),
    newestImage: remembered(offerings.newestImage, clock),
    imageIdOf: remembered(offerings.imageIdOf, clock),
    instanceTypes: async (...asked) => (await instanceTypes(...asked)) ?? [],
  };
};

const remembered = <Asked extends readonly unknown[], Answer extends NonNullable<unknown>>(
  ask: (...asked: Asked) => Promise<Answer | undefined>,
  clock: Clock,
): ((...asked: Asked) => Promise<Answer | undefined>) => {
  const cache = new LRUCache<string, Answer, () => Promise<Answer | undefined>>({
    ...{ max: most, ttl: forMs, ttlResolution: 0, perf: { now: clock } },
    fetchMethod: (_key, _stale, { context: look }) => look(),
    ignoreFetchAbort: true, // an answer that arrives after its entry was evicted is still an answer
  });
  return (...asked) => cache.fetch(JSON.stringify(asked), { context: () => ask(...asked) });
};
