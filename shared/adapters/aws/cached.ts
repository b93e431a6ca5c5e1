import { LRUCache } from 'lru-cache';
import type { Clock } from '../../ports/clock.ts';

const ttlMs = 10 * 60_000;
const maximumEntries = 500;

/** Caches what a service offers for ten minutes. Concurrent callers share a call. Absent answers and errors are not cached. */
export const cached = <Asked extends readonly unknown[], Answer extends NonNullable<unknown>>(
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
