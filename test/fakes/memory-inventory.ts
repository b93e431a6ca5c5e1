import { GoneError, InvalidArgumentError } from '../../shared/core/errors.ts';
import { isLater } from '../../shared/core/inventory/changes.ts';
import { canonical, type Entry, listedAt, type Place, placeKey } from '../../shared/core/inventory/entry.ts';
import { type ChangeFeed, inventoryChanges } from '../../shared/ports/change-feed.ts';
import type {
  AppliedChange,
  InventoryReader,
  InventoryWriter,
  Snapshot,
} from '../../shared/ports/inventory.ts';

type Held = { readonly at: number; readonly entry: Entry | undefined };
type Stored = {
  readonly held: Map<string, Held>;
  readonly pages: Map<number, ReadonlySet<string>>;
  readonly moments: Snapshot[];
  /** Whether something has changed since the newest moment. */
  isChanged: boolean;
  listedAtMs: number | undefined;
};

/** The inventory in memory. It keeps every generation, unless a test drops them. What the feed did not take is announced by the next call. */
export const memoryInventory = (
  feed?: Pick<ChangeFeed, 'append'>,
): InventoryReader & InventoryWriter & { dropGenerations(): void } => {
  const places = new Map<string, Stored>();
  const pending = new Map<string, AppliedChange[]>();
  const announced = async (place: Place, changes: readonly AppliedChange[]) => {
    const all = [...(pending.get(placeKey(place)) ?? []), ...changes];
    pending.set(placeKey(place), all);
    if (all.length > 0) await feed?.append(inventoryChanges(place, all));
    pending.delete(placeKey(place));
    return changes;
  };
  const storedOf = (place: Place): Stored => {
    const stored = places.get(placeKey(place)) ?? {
      ...{ held: new Map(), pages: new Map(), moments: [], isChanged: true, listedAtMs: undefined },
    };
    places.set(placeKey(place), stored);
    return stored;
  };
  const apply = (stored: Stored, id: string, { at, entry }: Held): AppliedChange[] => {
    const before = stored.held.get(id);
    if (!isLater({ at }, before, stored.listedAtMs)) return [];
    if (before?.at === at && canonical(before.entry) === canonical(entry)) return [];
    stored.held.set(id, { at, entry });
    stored.isChanged = true;
    return [{ id, change: entry === undefined ? 'ended' : 'changed' }];
  };

  return {
    snapshot: async (place, generation) => {
      const stored = storedOf(place);
      if (stored.listedAtMs === undefined) return undefined;
      if (generation === undefined) return moment(stored);
      const [, number] = /^1\.(\d+)$/.exec(generation) ?? [];
      if (number === undefined) throw new InvalidArgumentError(`generation ${generation} is malformed`);
      const found = stored.moments.find((one) => one.generation === generation);
      if (found === undefined) throw new GoneError(`generation ${generation} is no longer kept`);
      return found;
    },
    change: (place, changes) =>
      announced(
        place,
        changes.flatMap((change) => {
          const { id, at } = 'entry' in change ? change.entry : change.ended;
          return apply(storedOf(place), id, { at, entry: 'entry' in change ? change.entry : undefined });
        }),
      ),
    observePage: async (place, { startedAtMs, page }, entries) => {
      const stored = storedOf(place);
      const at = listedAt({ startedAtMs });
      stored.pages.set(page, new Set(entries.map(({ id }) => id)));
      const changes = entries.flatMap((entry) => {
        const before = stored.held.get(entry.id)?.entry;
        const { at: _, ...same } = before ?? { at };
        if (before !== undefined && canonical(same) === canonical(entry)) return [];
        return apply(stored, entry.id, { at, entry: { ...entry, at } });
      });
      return announced(place, changes);
    },
    complete: async (place, { startedAtMs, pages }) => {
      const stored = storedOf(place);
      const at = listedAt({ startedAtMs });
      if (stored.listedAtMs !== undefined && stored.listedAtMs >= at) return [];
      const shown = new Set(Array.from({ length: pages }, (_, n) => [...(stored.pages.get(n) ?? [])]).flat());
      const ended = [...stored.held].flatMap(([id, held]) =>
        held.entry === undefined || shown.has(id) ? [] : apply(stored, id, { at, entry: undefined }),
      );
      stored.listedAtMs = at;
      stored.isChanged = true;
      return announced(place, ended);
    },
    dropGenerations: () => {
      for (const { moments } of places.values()) moments.length = 0;
    },
  };
};

/** The same moment as long as nothing changed. */
const moment = (stored: Stored): Snapshot => {
  const { held, listedAtMs = 0, moments, isChanged } = stored;
  const newest = moments.at(-1);
  if (newest !== undefined && !isChanged) return newest;
  stored.isChanged = false;
  const entries = [...held.values()].flatMap(({ entry }) => entry ?? []);
  entries.sort((one, other) => (one.id < other.id ? -1 : 1));
  const made = snapshotOf(entries, { generation: `1.${moments.length}`, listedAtMs });
  moments.push(made);
  return made;
};

const snapshotOf = (
  entries: readonly Entry[],
  named: Pick<Snapshot, 'generation' | 'listedAtMs'>,
): Snapshot => {
  const summaries = entries.map(({ object: _, ...summary }) => summary);
  async function* stretches<Item>(items: readonly Item[]) {
    for (let start = 0; start < items.length; start += 100) yield items.slice(start, start + 100);
  }
  return {
    ...named,
    count: entries.length,
    page: async (offset, limit) => entries.slice(offset, offset + limit),
    summaries: async (offset, limit) => summaries.slice(offset, offset + limit),
    find: async (id) => entries.find((one) => one.id === id),
    all: () => stretches(entries),
    allSummaries: () => stretches(summaries),
  };
};
