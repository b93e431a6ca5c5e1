import { UnavailableError } from '../../core/errors.ts';
import {
  type Change,
  type Changes,
  noChanges,
  withLogged,
  withoutContent,
} from '../../core/inventory/changes.ts';
import {
  type ChangedChunk,
  type Chunk,
  changedChunks,
  compactionPlan,
  mergedEntries,
  mergedIndex,
} from '../../core/inventory/directory.ts';
import { type Place, placeKey } from '../../core/inventory/entry.ts';
import type { ChangeFeed } from '../../ports/change-feed.ts';
import type { InventoryMaintenance } from '../../ports/inventory.ts';
import { logStart, type Position } from './append-log.ts';
import { announceFromLog } from './inventory-announcements.ts';
import { keptUntil, maximumChanges } from './inventory-reader.ts';
import {
  type Head,
  type InventoryStorage,
  type LoggedEntry,
  type StoredChunkEntry,
  storedEntry,
} from './inventory-storage.ts';

const readAtOnce = 2_000;

type Options = {
  readonly feed: Pick<ChangeFeed, 'append'>;
  /** So many changed entries are in memory at once, each of some kilobytes; where there are more, the log is read again for each such part. */
  readonly entriesAtOnce?: number;
  /**
   * From so many changes, or log entries, on: with fewer, a request is one too many, which a second message of the queue can be.
   * @default 500, as in the writer
   */
  readonly changes?: number;
};

/**
 * Writes the next base. The log is sealed first, so base and log are fixed, and the next base follows from them alone: several workers who
 * write it, or one that begins again after a crash, write the same items. The last step makes it the base that is read.
 */
export const dynamoDbInventoryMaintenance = (
  storage: InventoryStorage,
  { feed, entriesAtOnce = 20_000, changes: longLog = 500 }: Options,
): InventoryMaintenance => {
  const announce = announceFromLog(storage, feed);
  return {
    async compact(place) {
      const head = await storage.head(place);
      const base = head?.base ?? 0;
      const directory = await storage.base(place, base);
      if (directory === undefined) return; // another worker has replaced it meanwhile
      const read = await changesOf(place, base, { changes: noChanges(directory), next: logStart });
      const { changes, sealed } = read;
      const isDue =
        sealed ||
        (head === undefined
          ? changes.listedAtMs !== undefined
          : Math.max(changes.entries, changes.newest.size) >= longLog);
      if (isDue) await replace(place, base, directory.chunks, read);
      await deleteReplaced(place);
      await announce(place);
    },

    async forget(place) {
      const head = await storage.head(place);
      const bases = [...(head?.replaced.map((one) => one.base) ?? []), head?.base ?? 0];
      for (const base of bases) {
        for (const { key } of (await storage.base(place, base))?.chunks ?? [])
          await storage.deleteChunk(place, key);
        await storage.deleteBase(place, base);
      }
      await storage.deleteHead(place);
      await storage.notePlace(place, false);
    },

    places: () => storage.places(),
  };

  /** `read`: the log as it was before it is sealed. */
  async function replace(place: Place, base: number, chunks: readonly Chunk[], read: Read): Promise<void> {
    await storage.log(place, base).seal();
    const { changes } = await changesOf(place, base, read);
    const contents = contentsOf(place, base, changes);
    const changed = changedChunks(chunks, changes.newest.values());
    const next: Chunk[] = [];
    let written = 0;
    for (const step of compactionPlan(changed)) {
      if ('keep' in step) {
        next.push(step.keep);
        continue;
      }
      const entries = entriesOf(place, step.rewrite, contents);
      for (const size of step.sizes) {
        const taken = await take(entries, size);
        const key = `${base + 1}-${written}`;
        written += 1;
        await storage.writeChunk(place, key, taken);
        next.push({ key, firstId: taken[0]?.summary.id ?? '', count: taken.length });
      }
    }
    const { listedAtMs, members } = changes;
    const index = mergedIndex(await storage.index(place, base), changes.newest, listedAtMs);
    await storage.writeBase(place, base + 1, { chunks: next, listedAtMs, members }, index);
    await announce(place); // the next base has a log of its own
    // readers had no first base before, and of a log that long not all changes
    const isAnnounced = base > 0 && changes.entries <= maximumChanges;
    await storage.replaceBase(place, base, { isAnnounced });
  }

  /** The changes without their contents, read on to the end of the log. */
  async function changesOf(place: Place, base: number, { changes: start, next: from }: Read) {
    let [changes, next, sealed] = [start, from, false];
    for await (const page of pagesOf(place, base, from)) {
      changes = withLogged(changes, page.logged.map(withoutContent));
      ({ next, sealed } = page);
    }
    return { changes, next, sealed };
  }

  async function* pagesOf(place: Place, base: number, from = logStart) {
    const log = storage.log(place, base);
    for (let next = from, complete = false; !complete; ) {
      const page = await log.read(next, readAtOnce);
      next = page.next;
      complete = page.complete;
      yield { logged: page.entries.map(({ entry }) => entry), next, sealed: page.sealed };
    }
  }

  /** The contents of changes, which are asked for ascending by id. */
  function contentsOf(place: Place, base: number, { newest }: Changes<undefined>) {
    const living = [...newest.values()].filter(({ digest }) => digest !== undefined);
    const ids = living.map(({ id }) => id).sort();
    let held: ReadonlyMap<string, StoredChunkEntry> = new Map();
    return async (id: string): Promise<StoredChunkEntry> => {
      if (!held.has(id)) {
        const start = ids.indexOf(id);
        held = await load(new Set(ids.slice(start, start + entriesAtOnce)));
      }
      const found = held.get(id);
      if (found !== undefined) return found;
      throw new UnavailableError(`the log of ${placeKey(place)} has no content for ${id}`);
    };

    async function load(part: ReadonlySet<string>): Promise<ReadonlyMap<string, StoredChunkEntry>> {
      const loaded = new Map<string, StoredChunkEntry>();
      const isWanted = (one: LoggedChange) => part.has(one.id) && isSame(newest.get(one.id), one);
      for await (const { logged } of pagesOf(place, base)) {
        const wanted = logged.flatMap((one) =>
          'listed' in one || !isWanted(one) ? [] : (one.content ?? []),
        );
        for (const entry of wanted) loaded.set(entry.id, storedEntry(entry));
      }
      return loaded;
    }
  }

  async function* entriesOf(
    place: Place,
    chunks: readonly ChangedChunk<undefined>[],
    contentOf: (id: string) => Promise<StoredChunkEntry>,
  ): AsyncGenerator<StoredChunkEntry> {
    for (const chunk of chunks) {
      const [summaries, objects] = await Promise.all([
        storage.summaries(place, chunk),
        storage.objects(place, chunk),
      ]);
      if (summaries === undefined || objects === undefined)
        throw new UnavailableError(
          `a chunk of ${placeKey(place)} was replaced meanwhile; nothing is to be done`,
        );
      const stored = summaries.map((summary, index) => ({
        id: summary.id,
        stored: { summary, object: objects[index] ?? '{}' },
      }));
      const merged = mergedEntries<{ readonly id: string; readonly stored?: StoredChunkEntry }, undefined>(
        stored,
        chunk.changes,
        ({ id }) => ({ id }),
      );
      for (const one of merged) yield one.stored ?? (await contentOf(one.id));
    }
  }

  /** Deletes bases that were replaced so long ago that nobody may read them, with those of their chunks that no later base has. */
  async function deleteReplaced(place: Place): Promise<void> {
    const head = await storage.head(place);
    if (head === undefined) return;
    const old = head.replaced.filter(({ atMs }) => keptUntil(atMs) <= storage.now());
    for (const { base } of old) await deleteBase(place, base);
    if (old.length > 0) await storage.noteDeleted(place, head, without(head.replaced, old));
  }

  async function deleteBase(place: Place, base: number): Promise<void> {
    const directory = await storage.base(place, base);
    const following = await storage.base(place, base + 1);
    if (directory === undefined || following === undefined) return;
    const kept = new Set(following.chunks.map(({ key }) => key));
    for (const { key } of directory.chunks) if (!kept.has(key)) await storage.deleteChunk(place, key);
    await storage.deleteBase(place, base);
  }
};

/** The changes of a log, without their contents, up to a place. */
type Read = { readonly changes: Changes<undefined>; readonly next: Position };

const without = (all: Head['replaced'], some: Head['replaced']): Head['replaced'] =>
  all.filter((one) => !some.includes(one));

type LoggedChange = Exclude<LoggedEntry, { readonly listed: number }>;

const isSame = (
  newest: Pick<Change<unknown>, 'at' | 'digest'> | undefined,
  one: Pick<Change<unknown>, 'at' | 'digest'>,
): boolean => newest !== undefined && newest.at === one.at && newest.digest === one.digest;

const take = async <Item>(items: AsyncGenerator<Item>, count: number): Promise<readonly Item[]> => {
  const taken: Item[] = [];
  while (taken.length < count) {
    const { value, done } = await items.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
};
