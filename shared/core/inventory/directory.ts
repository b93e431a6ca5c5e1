import { byId, type Change } from './changes.ts';

/** A chunk of a base: up to `largestChunk` entries, ascending by id. */
export type Chunk = {
  /** Where it is stored; '' in a base without chunks. */
  readonly key: string;
  readonly firstId: string;
  readonly count: number;
};

/** A chunk with the changes that fall into it. */
export type ChangedChunk<Content> = Chunk & {
  /** Ascending by id. */
  readonly changes: readonly Change<Content>[];
  /** Its number of entries with the changes, and where they begin in the collection. */
  readonly merged: number;
  readonly offset: number;
};

const usualChunk = 100;
const smallestChunk = 50;
const largestChunk = 150;

/**
 * The chunks of a base with the changes since. A chunk takes the ids from its first one up to the first one of the next chunk, the first
 * chunk also those before it. No chunk is read: each change says whether the base has its id.
 */
export const changedChunks = <Content>(
  chunks: readonly Chunk[],
  newest: Iterable<Change<Content>>,
): readonly ChangedChunk<Content>[] => {
  const sorted = [...newest].sort(byId);
  const all = chunks.length > 0 ? chunks : [{ key: '', firstId: '', count: 0 }];
  let offset = 0;
  let taken = 0;
  return all.map((chunk, index) => {
    const end = all[index + 1]?.firstId;
    const from = taken;
    let merged = chunk.count;
    for (let one = sorted[taken]; one !== undefined; one = sorted[taken]) {
      if (end !== undefined && one.id >= end) break;
      merged += (one.digest === undefined ? 0 : 1) - (one.inBase ? 1 : 0);
      taken += 1;
    }
    const changed = { ...chunk, changes: sorted.slice(from, taken), merged, offset };
    offset += merged;
    return changed;
  });
};

export const countOf = (chunks: readonly ChangedChunk<unknown>[]): number => {
  const last = chunks.at(-1);
  return last === undefined ? 0 : last.offset + last.merged;
};

/** The chunks that a page's entries are in. */
export const chunksOf = <Content>(
  chunks: readonly ChangedChunk<Content>[],
  { offset, limit }: { readonly offset: number; readonly limit: number },
): readonly ChangedChunk<Content>[] => {
  const found: ChangedChunk<Content>[] = [];
  const end = offset + limit;
  for (let index = firstWhere(chunks, (one) => one.offset + one.merged > offset); ; index += 1) {
    const chunk = chunks[index];
    if (chunk === undefined || chunk.offset >= end) return found;
    if (chunk.merged > 0) found.push(chunk);
  }
};

/** The chunk that an id falls into. */
export const chunkOf = <Content>(
  chunks: readonly ChangedChunk<Content>[],
  id: string,
): ChangedChunk<Content> | undefined =>
  chunks[Math.max(firstWhere(chunks, (one) => one.firstId > id) - 1, 0)];

/** Index of the first one for which it holds; it must hold for all that follow. */
const firstWhere = <Item>(items: readonly Item[], holds: (item: Item) => boolean): number => {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** The entries of a chunk with its changes. `of`: the entry that a change leads to, in whichever form the chunk's entries have. */
export const mergedEntries = <Entry extends { readonly id: string }, Content>(
  entries: readonly Entry[],
  changes: readonly Change<Content>[],
  of: (change: Change<Content>) => Entry,
): readonly Entry[] => {
  if (changes.length === 0) return entries;
  const replaced = new Set(changes.map(({ id }) => id));
  const added = changes.filter(({ digest }) => digest !== undefined).map(of);
  return [...entries.filter(({ id }) => !replaced.has(id)), ...added].sort(byId);
};

/** One step of writing the next base: a chunk that stays as it is, or neighbours whose entries make new chunks of these sizes. */
export type CompactionStep<Content> =
  | { readonly keep: Chunk }
  | { readonly rewrite: readonly ChangedChunk<Content>[]; readonly sizes: readonly number[] };

/**
 * How the next base comes from a base and its changes. Chunks without changes stay; a chunk that has become small is joined with the next
 * one, and one that has become large is divided. It depends on nothing else, so that all writers who try make the same base.
 */
export const compactionPlan = <Content>(
  chunks: readonly ChangedChunk<Content>[],
): readonly CompactionStep<Content>[] => {
  const steps: CompactionStep<Content>[] = [];
  let rewrite: ChangedChunk<Content>[] = [];
  let total = 0;
  const flush = () => {
    if (rewrite.length > 0) steps.push({ rewrite, sizes: sizesOf(total) });
    rewrite = [];
    total = 0;
  };
  for (const chunk of chunks) {
    const stays = chunk.changes.length === 0 && chunk.count >= smallestChunk && rewrite.length === 0;
    if (stays) {
      steps.push({ keep: { key: chunk.key, firstId: chunk.firstId, count: chunk.count } });
      continue;
    }
    rewrite.push(chunk);
    total += chunk.merged;
    if (total >= smallestChunk) flush();
  }
  flush();
  return steps;
};

const sizesOf = (total: number): readonly number[] => {
  const sizes: number[] = [];
  let left = total;
  while (left > largestChunk) {
    sizes.push(usualChunk);
    left -= usualChunk;
  }
  return left > 0 ? [...sizes, left] : sizes;
};

/** What a base knows of each of its ids, for comparisons: ascending by id. */
export type Index = {
  readonly ids: readonly string[];
  readonly digests: readonly string[];
  readonly ats: readonly number[];
  /** Ids that ended after the newest complete listing, and when: older events about them may still arrive. */
  readonly ended: Readonly<Record<string, number>>;
};

export const emptyIndex: Index = { ids: [], digests: [], ats: [], ended: {} };

/** The digest and time of an id; the digest is undefined where it ended. */
export const heldIn = (
  { ids, digests, ats, ended }: Index,
  id: string,
): { readonly at: number; readonly digest: string | undefined; readonly inBase: boolean } | undefined => {
  const place = firstWhere(ids, (one) => one >= id);
  if (ids[place] === id) return { at: ats[place] ?? 0, digest: digests[place], inBase: true };
  const at = Object.hasOwn(ended, id) ? ended[id] : undefined;
  return at === undefined ? undefined : { at, digest: undefined, inBase: false };
};

/** The index of the next base. */
export const mergedIndex = (
  index: Index,
  newest: ReadonlyMap<string, Pick<Change<unknown>, 'id' | 'at' | 'digest'>>,
  listedAtMs: number | undefined,
): Index => {
  const living = [...newest.values()].filter(({ digest }) => digest !== undefined).sort(byId);
  const [ids, digests, ats]: [string[], string[], number[]] = [[], [], []];
  const add = (id: string, digest: string, at: number) => {
    ids.push(id);
    digests.push(digest);
    ats.push(at);
  };
  let next = 0;
  const addBefore = (end: string | undefined) => {
    for (let one = living[next]; one !== undefined; one = living[next]) {
      if (end !== undefined && one.id >= end) return;
      add(one.id, one.digest ?? '', one.at);
      next += 1;
    }
  };
  for (const [place, id] of index.ids.entries()) {
    addBefore(id);
    if (!newest.has(id)) add(id, index.digests[place] ?? '', index.ats[place] ?? 0);
  }
  addBefore(undefined);
  const ended = [
    ...Object.entries(index.ended).filter(([id]) => !newest.has(id)),
    ...[...newest.values()]
      .filter(({ digest }) => digest === undefined)
      .map(({ id, at }): [string, number] => [id, at]),
  ].filter(([, at]) => at > (listedAtMs ?? Number.NEGATIVE_INFINITY));
  return { ids, digests, ats, ended: Object.fromEntries(ended) };
};
