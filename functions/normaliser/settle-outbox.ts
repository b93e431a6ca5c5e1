import type { Release } from '../../shared/domain/debounce.ts';
import { republicationTime, type UnpublishedStatus } from '../../shared/domain/vm.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet } from '../../shared/ports/fleet.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { RecordedLane } from './record-signals.ts';

export type SettlingParts = { readonly fleet: Fleet; readonly now: Clock; readonly meter: Meter };

/** By the ids of the statuses. */
type Outcome = {
  /** Acknowledged. */
  readonly told: ReadonlySet<string>;
  /** Never to be published, and in the dead-letter queue. */
  readonly refused: ReadonlySet<string>;
  /** Why it was not acknowledged, where that is known. */
  readonly why: ReadonlyMap<string, string>;
};

/** What became of one lane's VM. */
export type Published = RecordedLane & {
  readonly told: readonly UnpublishedStatus[];
  /** Why not all that may be told is told and settled; undefined where it is. */
  readonly failure: unknown;
};

/**
 * Removes from a VM's outbox what was acknowledged, what can never be published, and what the acknowledged superseded. Answers the VM as it
 * then is: with what was held back, or came in between, still to be told.
 */
export const settleOutbox =
  ({ fleet, now, meter }: SettlingParts) =>
  async (
    { release, ...recorded }: RecordedLane & { readonly release: Release },
    outcome: Outcome,
  ): Promise<Published> => {
    const told = release.tell.filter(({ id }) => outcome.told.has(id));
    const refused = release.tell.filter(({ id }) => outcome.refused.has(id));
    const untold = release.tell.find(({ id }) => !outcome.told.has(id) && !outcome.refused.has(id));
    const unpublished = untold && (outcome.why.get(untold.id) ?? `the bridge did not mention ${untold.id}`);
    const newest = told.at(-1);
    if (newest === undefined && refused.length === 0) return { ...recorded, told, failure: unpublished };

    for (const { at } of told.filter((status) => republicationTime(status) === undefined))
      meter.eventAge(now() - at * 1000);
    const worthless = newest ? release.drop.filter(({ key }) => key < newest.key) : [];
    meter.count('debounced', worthless.length);
    const keys = [...told, ...refused, ...worthless].map(({ key }) => key);
    try {
      const { vm } = recorded;
      const settled = (await fleet.settle(vm, keys)) ?? { ...vm, outbox: [] }; // released: nothing more to tell
      return { ...recorded, vm: settled, told, failure: unpublished };
    } catch (failure) {
      return { ...recorded, told, failure };
    }
  };
