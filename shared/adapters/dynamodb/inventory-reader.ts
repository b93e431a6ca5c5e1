import { LRUCache } from 'lru-cache';
import { GoneError, InvalidArgumentError, UnavailableError } from '../../core/errors.ts';
import { type Change, type Changes, noChanges, withLogged } from '../../core/inventory/changes.ts';
import {
  type ChangedChunk,
  changedChunks,
  chunkOf,
  chunksOf,
  countOf,
  mergedEntries,
} from '../../core/inventory/directory.ts';
import { type Entry, type Place, placeKey, type Summary } from '../../core/inventory/entry.ts';
import type { InventoryReader, Snapshot } from '../../ports/inventory.ts';
import { logStart, type Position } from './append-log.ts';
import { type Base, entryOf, type InventoryStorage } from './inventory-storage.ts';

/**
 * A snapshot has at most about so many changes in memory. Where very much changes at once, it is some seconds older, until the next base is
 * written.
 */
export const maximumChanges = 5_000;
const readAtOnce = 500;

/** What is read at once by `all`, in entries. */
const stretch = 100;

type Read = { readonly changes: Changes<Entry>; readonly next: Position };

/** The inventory as its storage has it. Bases and chunks never change, so they stay in memory; a log is read on from where it was read to. */
export const dynamoDbInventoryReader = (storage: InventoryStorage): InventoryReader => {
  const logs = new LRUCache<string, Read>({ max: 200 });
  const snapshots = new LRUCache<string, Snapshot>({ max: 100 });

  /** The changes since a base: the first `upTo` entries of its log. */
  const changesOf = async (
    place: Place,
    number: number,
    base: Base,
    upTo: number,
  ): Promise<Changes<Entry>> => {
    const name = `${placeKey(place)} ${number}`;
    const log = storage.log(place, number);
    const known = logs.get(name);
    let read: Read =
      known !== undefined && known.changes.entries <= upTo
        ? known
        : { changes: noChanges(base), next: logStart };
    while (read.changes.entries < upTo) {
      const limit = Math.min(readAtOnce, upTo - read.changes.entries);
      const { entries, next, complete } = await log.read(read.next, limit);
      const logged = entries.map(({ entry }) => entry);
      read = { changes: withLogged(read.changes, logged), next };
      if (complete) break;
    }
    if (known === undefined || known.changes.entries < read.changes.entries) logs.set(name, read);
    return read.changes;
  };

  const snapshotOf = (place: Place, number: number, { chunks }: Base, changes: Changes<Entry>): Snapshot => {
    const generation = generationOf(number, changes);
    const name = `${placeKey(place)} ${generation}`;
    const known = snapshots.get(name);
    if (known !== undefined) return known;
    const all = changedChunks(chunks, changes.newest.values());
    const made = openSnapshot(storage, place, all, { generation, listedAtMs: changes.listedAtMs ?? 0 });
    snapshots.set(name, made);
    return made;
  };

  const current = async (place: Place): Promise<Snapshot | undefined> => {
    const head = await storage.head(place);
    if (head === undefined) return undefined;
    const base = await storage.base(place, head.base);
    if (base === undefined)
      throw new UnavailableError(
        `base ${head.base} of ${placeKey(place)} was replaced meanwhile; a retry helps`,
      );
    return snapshotOf(place, head.base, base, await changesOf(place, head.base, base, maximumChanges));
  };

  const earlier = async (place: Place, generation: string): Promise<Snapshot | undefined> => {
    const [, base, entries] = /^(\d{1,15})\.(\d{1,15})(?:\.[\da-z]{1,12})?$/.exec(generation) ?? [];
    if (base === undefined || entries === undefined)
      throw new InvalidArgumentError(
        `generation ${JSON.stringify(generation)} is not one that an answer has named`,
      );
    const head = await storage.head(place);
    if (head === undefined) return undefined;
    const found = await storage.base(place, Number(base));
    const isKept =
      head.base === Number(base) ||
      head.replaced.some((one) => one.base === Number(base) && keptUntil(one.atMs) > storage.now());
    if (found === undefined || !isKept) throw gone(place, generation);
    const changes = await changesOf(place, Number(base), found, Number(entries));
    if (generationOf(Number(base), changes) !== generation) throw gone(place, generation);
    return snapshotOf(place, Number(base), found, changes);
  };

  return {
    snapshot: (place, generation) => (generation === undefined ? current(place) : earlier(place, generation)),
  };
};

/** A base, how many changes since, and when it was listed: another table has the same numbers at another time. */
const generationOf = (base: number, { entries, listedAtMs = 0 }: Changes<Entry>): string =>
  `${base}.${entries}.${listedAtMs.toString(36)}`;

/** A base that was replaced can be read for so long. */
const keptMs = 20 * 60_000;
export const keptUntil = (replacedAtMs: number): number => replacedAtMs + keptMs;

const gone = (place: Place, generation: string) =>
  new GoneError(
    `generation ${generation} of ${placeKey(place)} is no longer kept; begin again without a generation`,
  );

const openSnapshot = (
  storage: InventoryStorage,
  place: Place,
  chunks: readonly ChangedChunk<Entry>[],
  { generation, listedAtMs }: Pick<Snapshot, 'generation' | 'listedAtMs'>,
): Snapshot => {
  const count = countOf(chunks);

  const summariesOf = async (chunk: ChangedChunk<Entry>): Promise<readonly Summary[]> => {
    const stored = await storage.summaries(place, chunk);
    if (stored === undefined) throw gone(place, generation);
    return mergedEntries(stored, chunk.changes, (change) => summaryOf(contentOf(change)));
  };

  const entriesOf = async (chunk: ChangedChunk<Entry>): Promise<readonly Entry[]> => {
    const [summaries, objects] = await Promise.all([
      storage.summaries(place, chunk),
      storage.objects(place, chunk),
    ]);
    if (summaries === undefined || objects === undefined) throw gone(place, generation);
    const stored = summaries.map((summary, index) => ({
      id: summary.id,
      summary,
      object: objects[index] ?? '{}',
    }));
    const merged = mergedEntries<{ readonly id: string; readonly entry: () => Entry }, Entry>(
      stored.map((one) => ({ id: one.id, entry: () => entryOf(one) })),
      chunk.changes,
      (change) => ({ id: change.id, entry: () => contentOf(change) }),
    );
    return merged.map(({ entry }) => entry());
  };

  const cut = async <Item>(
    { offset, limit }: { readonly offset: number; readonly limit: number },
    itemsOf: (chunk: ChangedChunk<Entry>) => Promise<readonly Item[]>,
  ): Promise<readonly Item[]> => {
    const found = chunksOf(chunks, { offset, limit });
    const items = (await Promise.all(found.map(itemsOf))).flat();
    const skipped = offset - (found[0]?.offset ?? offset);
    return items.slice(skipped, skipped + limit);
  };

  async function* stretches<Item>(
    read: (offset: number, limit: number) => Promise<readonly Item[]>,
  ): AsyncGenerator<readonly Item[]> {
    for (let offset = 0; offset < count; offset += stretch) yield read(offset, stretch);
  }

  const page: Snapshot['page'] = (offset, limit) => cut({ offset, limit }, entriesOf);
  const summaries: Snapshot['summaries'] = (offset, limit) => cut({ offset, limit }, summariesOf);
  return {
    ...{ generation, listedAtMs, count, page, summaries },
    find: async (id) => {
      const chunk = chunkOf(chunks, id);
      const change = chunk?.changes.find((one) => one.id === id);
      if (change !== undefined) return change.digest === undefined ? undefined : contentOf(change);
      return chunk && (await entriesOf(chunk)).find((one) => one.id === id);
    },
    all: () => stretches(page),
    allSummaries: () => stretches(summaries),
  };
};

const contentOf = ({ id, content }: Change<Entry>): Entry => {
  if (content !== undefined) return content;
  throw new UnavailableError(`the log of the inventory has no content for ${id}`);
};

const summaryOf = ({ object: _, ...summary }: Entry): Summary => summary;
