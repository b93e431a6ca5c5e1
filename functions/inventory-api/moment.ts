import { LRUCache } from 'lru-cache';
import { InvalidArgumentError } from '../../shared/core/errors.ts';
import { type Collection, type Entry, placeKey, type Summary } from '../../shared/core/inventory/entry.ts';
import type { NamedTarget, Target } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { InventoryReader, Snapshot } from '../../shared/ports/inventory.ts';
import type { Rows } from './pages.ts';
import { notKept } from './targets.ts';

/** The collection has never been listed completely. */
export class NotListedError extends Error {
  override name = 'NotListedError' as const;
  readonly collection: Collection;
  constructor(collection: Collection) {
    super(`${collection} has not been listed completely`);
    this.collection = collection;
  }
}

/** Collections of a target as they were at one moment. */
export type Moment = {
  /** Names it: the generations of the collections, in the order in which they were asked for. */
  readonly generation: string;
  /** Of the oldest complete listing among the collections that must be listed. */
  readonly listedAtMs: number;
  readonly ageSeconds: number;
  /** Undefined: the collection may be missing, and is. */
  readonly find: (collection: Collection) => Snapshot | undefined;
  readonly of: (collection: Collection) => Snapshot;
};

type Parts = {
  readonly inventory: InventoryReader;
  /** The collections that a target lists. */
  readonly collectionsIn: (target: Target) => ReadonlySet<Collection>;
  readonly now: Clock;
};

type Wanted = {
  readonly target: NamedTarget;
  /** Must have been listed completely. */
  readonly needed: readonly Collection[];
  /** Are used where they have been listed. @default none */
  readonly used?: readonly Collection[];
  /** @default now */
  readonly generation?: string | undefined;
};

/** Between the generations of several collections. */
const separator = '~';
/** Instead of the generation of a collection that is missing. */
const missing = '-';

/**
 * Reads collections as they are, or as they were in a generation.
 * @throws NotListedError; NotServedError for a collection that the target does not list; GoneError, InvalidArgumentError of the generation.
 */
export const readMoment =
  ({ inventory, collectionsIn, now }: Parts) =>
  async ({ target, needed, used = [], generation }: Wanted): Promise<Moment> => {
    const collections = collectionsIn(target);
    const off = needed.find((collection) => !collections.has(collection));
    if (off !== undefined) throw notKept(off, target);
    const wanted = [...needed, ...used];
    const generations = generation?.split(separator);
    if (generations !== undefined && generations.length !== wanted.length)
      throw new InvalidArgumentError('generation: expected one that an answer of this path has named');
    const snapshots = new Map<Collection, Snapshot | undefined>();
    await Promise.all(
      wanted.map(async (collection, index) => {
        const pinned = generations?.[index];
        if (!collections.has(collection) || pinned === missing) return;
        snapshots.set(collection, await inventory.snapshot({ target, collection }, pinned));
      }),
    );
    const of = (collection: Collection): Snapshot => {
      const snapshot = snapshots.get(collection);
      if (snapshot === undefined) throw new NotListedError(collection);
      return snapshot;
    };
    const listedAtMs = Math.min(...needed.map((collection) => of(collection).listedAtMs));
    return {
      generation: wanted.map((one) => snapshots.get(one)?.generation ?? missing).join(separator),
      listedAtMs,
      ageSeconds: Math.max(Math.round((now() - listedAtMs) / 1000), 0),
      find: (collection) => snapshots.get(collection),
      of,
    };
  };

/** Many small reads at once: chunks of a hundred, twenty at a time. */
const scannedAtOnce = 2000;

/** An entry, perhaps without its object. */
type Shown = Summary & Partial<Pick<Entry, 'object'>>;

/** Calls for every entry, with its place in the collection. `withObjects`: also reads the objects, about ten times as much. */
export const scan = async (
  { count, summaries, page }: Snapshot,
  each: (entry: Shown, position: number) => void,
  { withObjects = false } = {},
): Promise<void> => {
  for (let offset = 0; offset < count; offset += scannedAtOnce) {
    const read: readonly Shown[] = await (withObjects ? page : summaries)(offset, scannedAtOnce);
    for (const [index, entry] of read.entries()) each(entry, offset + index);
  }
};

/** A row of a list: an entry, and which part of it where an entry has several rows. */
type Selected = { readonly position: number; readonly part: string };

type Selection<Answer> = {
  readonly target: NamedTarget;
  readonly collection: Collection;
  readonly snapshot: Snapshot;
  readonly detail: boolean;
  /** Undefined: one row for each entry. */
  readonly where?: {
    /** The same text for the same selection. */
    readonly key: string;
    /** The rows of an entry, by their parts; none: it is not selected. */
    readonly partsOf: (entry: Shown) => readonly string[];
    /** Whether that needs the entries' objects. @default false */
    readonly withObjects?: boolean;
  };
  readonly answer: (entry: Shown, part: string) => Answer;
};

/** Rows of a collection. Which entries a selection has is found by reading all summaries once, and kept for the further pages. */
export const selections = () => {
  const found = new LRUCache<string, readonly Selected[]>({
    maxSize: 1_000_000,
    sizeCalculation: (rows) => rows.length + 1,
  });

  const selectedIn = async (
    snapshot: Snapshot,
    { partsOf, withObjects = false }: NonNullable<Selection<unknown>['where']>,
  ) => {
    const rows: Selected[] = [];
    const each = (entry: Shown, position: number) => {
      for (const part of partsOf(entry)) rows.push({ position, part });
    };
    await scan(snapshot, each, { withObjects });
    return rows;
  };

  return async <Answer>(selection: Selection<Answer>): Promise<Rows<Answer>> => {
    const { target, collection, snapshot, where, detail, answer } = selection;
    const read = (position: number, limit: number): Promise<readonly Shown[]> =>
      detail ? snapshot.page(position, limit) : snapshot.summaries(position, limit);
    if (where === undefined)
      return {
        count: snapshot.count,
        read: async (offset, limit) => (await read(offset, limit)).map((entry) => answer(entry, '')),
      };
    const key = [placeKey({ target, collection }), snapshot.generation, where.key].join(' ');
    const rows = found.get(key) ?? (await selectedIn(snapshot, where));
    found.set(key, rows);
    return {
      count: rows.length,
      read: async (offset, limit) => {
        const wanted = rows.slice(offset, offset + limit);
        const runs = await Promise.all(
          runsOf(wanted).map(async ({ from, length }) =>
            (await read(from, length)).map((entry, index) => [from + index, entry] as const),
          ),
        );
        const byPosition = new Map(runs.flat());
        return wanted.flatMap(({ position, part }) => {
          const entry = byPosition.get(position);
          return entry === undefined ? [] : [answer(entry, part)];
        });
      },
    };
  };
};

/** Positions so near to each other are read at once, with what is between them: they are likely to be in one chunk. */
const nearness = 50;
const longestRun = 1000;

const runsOf = (rows: readonly Selected[]): readonly { readonly from: number; readonly length: number }[] => {
  const runs: { from: number; length: number }[] = [];
  for (const { position } of rows) {
    const last = runs.at(-1);
    const length = last === undefined ? 0 : position - last.from + 1;
    if (last !== undefined && length <= last.length + nearness && length <= longestRun)
      last.length = Math.max(last.length, length);
    else runs.push({ from: position, length: 1 });
  }
  return runs;
};
