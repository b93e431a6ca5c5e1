import { isStateKey } from '../../shared/domain/status-key.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Published } from './settle-outbox.ts';

/** Later than any retry of a healthy pipeline. */
const longMs = 15 * 60_000;

type Parts = {
  readonly listings: Pick<Listings, 'wantRepublish'>;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * After a long outage DCM may have lost more than what was waiting here: its stream may have been made anew. So a change that could be
 * told only so long after it happened has the region's statuses told once more, in a quarter of an hour at most once.
 */
export const afterOutage = ({ listings, now, log }: Parts) => {
  const wantedAtMs = new Map<string, number>();

  return async (published: readonly Published[]): Promise<void> => {
    const late = published.filter(({ told }) => told.some(isLate));
    await Promise.all([...new Set(late.map(({ vm }) => vm.region))].map(want));
  };

  /** Only changes: the time of a warning may be long ago, and that of a request says nothing. */
  function isLate({ key, at }: Published['told'][number]): boolean {
    return isStateKey(key) && now() - at * 1000 > longMs;
  }

  async function want(region: string) {
    const before = wantedAtMs.get(region);
    if (before !== undefined && now() - before < longMs) return;
    wantedAtMs.set(region, now());
    try {
      await listings.wantRepublish(region, Math.floor(now() / 1000));
      log.info('statuses were told long after they changed; the region is republished', { region });
    } catch (error) {
      wantedAtMs.delete(region);
      log.warn('a region could not be marked for republication after an outage', { region, error });
    }
  }
};
