import { type Collection, placeOfKey } from '../../shared/core/inventory/entry.ts';
import { type Target, targetKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { InventoryMaintenance, InventoryReader } from '../../shared/ports/inventory.ts';
import type { Log } from '../../shared/ports/telemetry.ts';

/** A target that was added a moment ago can be unknown to a function of the version before, so only what nobody lists is deleted. */
const unlistedMs = 86_400_000;

type Parts = {
  readonly reader: InventoryReader;
  readonly maintenance: Pick<InventoryMaintenance, 'places' | 'forget'>;
  readonly targets: readonly Target[];
  readonly collections: ReadonlySet<Collection>;
  readonly now: Clock;
  readonly log: Log;
};

/** Deletes what is stored of targets and collections that are no longer configured, a day after their last listing. */
export const forgetRemoved =
  ({ reader, maintenance, targets, collections, now, log }: Parts) =>
  async (): Promise<void> => {
    const configured = new Set(targets.map(targetKey));
    for (const key of await maintenance.places()) {
      const place = placeOfKey(key);
      if (configured.has(targetKey(place.target)) && collections.has(place.collection)) continue;
      const listedAtMs = (await reader.snapshot(place))?.listedAtMs;
      if (listedAtMs === undefined || now() - listedAtMs < unlistedMs) continue;
      await maintenance.forget(place);
      log.info('deleted a collection that is no longer configured', { place: key });
    }
  };
