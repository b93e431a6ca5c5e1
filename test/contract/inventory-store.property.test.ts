import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbInventoryMaintenance } from '../../shared/adapters/dynamodb/inventory-compaction.ts';
import { dynamoDbInventoryReader } from '../../shared/adapters/dynamodb/inventory-reader.ts';
import { inventoryStorage, storedEntry } from '../../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbInventoryWriter } from '../../shared/adapters/dynamodb/inventory-writer.ts';
import { GoneError } from '../../shared/core/errors.ts';
import { type Chunk, emptyIndex } from '../../shared/core/inventory/directory.ts';
import type { Entry, EntryChange, Place } from '../../shared/core/inventory/entry.ts';
import type { Change } from '../../shared/ports/change-feed.ts';
import type { Snapshot } from '../../shared/ports/inventory.ts';
import { entryNamed, idsIn } from './inventory.ts';

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const table = 'inventory';
await createTable(dynamoDb.url, inventoryTable(table));

const plainClient = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));

/** Of the binary attributes that were written. */
let largestBytes = 0;

class Crash extends Error {}

const Written = z.object({ Item: z.object({ data: z.instanceof(Uint8Array).optional() }).default({}) });

/** A worker of its own: cold caches, and a client that fails for good after so many calls. */
const worker = (
  clock: { readonly ms: number },
  callsUntilCrash = Number.POSITIVE_INFINITY,
  announced: (changes: readonly Change[]) => Promise<void> = async () => undefined,
) => {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...clientConfig(dynamoDb.url), maxAttempts: 1 }),
  );
  let calls = 0;
  const count = () => {
    calls += 1;
    if (calls > callsUntilCrash) throw new Crash('the worker has crashed');
  };
  client.middlewareStack.add(
    (next) => (args) => {
      count();
      const { data } = Written.parse(args.input).Item;
      largestBytes = Math.max(largestBytes, data?.length ?? 0);
      return next(args);
    },
    { step: 'initialize' },
  );
  const feed = {
    append: async (changes: readonly Change[]) => {
      count();
      await announced(changes);
    },
  };
  const storage = inventoryStorage({ client, table, now: () => clock.ms });
  const maintenance = dynamoDbInventoryMaintenance(storage, { feed, entriesAtOnce: 40 });
  return {
    ...dynamoDbInventoryReader(storage),
    ...dynamoDbInventoryWriter({ storage, requestCompaction: maintenance.compact, feed }),
    ...maintenance,
    /** Compacts however few changes there are. */
    compactNow: dynamoDbInventoryMaintenance(storage, { feed, changes: 0 }).compact,
    storage,
    calls: () => calls,
  };
};

let number = 0;
const newPlace = (): Place => {
  number += 1;
  return { target: { region: `region-${number}` }, collection: 'instances' };
};

const startedAtMs = Date.parse('2026-03-01T10:00:00Z');
const idOf = (n: number): string => `i-${String(n).padStart(6, '0')}`;
const shown = (n: number, word: string): Entry => entryNamed(idOf(n), { tags: { word } });

const pagesOf = async (snapshot: Snapshot, limit: number): Promise<readonly string[]> => {
  const found: string[] = [];
  for (let offset = 0; offset < snapshot.count; offset += limit)
    found.push(...(await snapshot.page(offset, limit)).map(described));
  return found;
};

type Step =
  | { readonly do: 'start' | 'stop'; readonly n: number }
  | { readonly do: 'rename'; readonly n: number; readonly word: string }
  | { readonly do: 'list'; readonly isAbandoned: boolean }
  | { readonly do: 'many'; readonly from: number; readonly count: number }
  | { readonly do: 'compact' };

const n = fc.integer({ min: 0, max: 4 });
const single: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('start' as const, 'stop' as const), n }),
  fc.record({ do: fc.constant('rename' as const), n, word: fc.constantFrom('a', 'b', 'c') }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: single },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list' as const), isAbandoned: fc.boolean() }) },
  fc.record({ do: fc.constant('many' as const), from: n, count: fc.integer({ min: 200, max: 300 }) }),
  fc.record({ do: fc.constant('compact' as const) }),
);
const event = fc.record({
  step,
  isLost: fc.boolean(),
  isLate: fc.boolean(),
  crashAfter: fc.option(fc.integer({ min: 1, max: 25 })),
});

type Worker = ReturnType<typeof worker>;
type Event = typeof event extends fc.Arbitrary<infer Given> ? Given : never;

const startedBy = (change: Step): readonly Entry[] => {
  if (change.do === 'start') return [shown(change.n, 'new')];
  if (change.do === 'rename') return [shown(change.n, change.word)];
  if (change.do !== 'many') return [];
  return Array.from({ length: change.count }, (_, index) => shown(change.from + index, 'many'));
};

const changesBy = (change: Step, at: number): readonly EntryChange[] =>
  change.do === 'stop'
    ? [{ ended: { id: idOf(change.n), at } }]
    : startedBy(change).map((entry) => ({ entry: { ...entry, at } }));

const described = ({ id, tags }: Entry): string => `${id} ${tags.word}`;

/** A reader of the feed who has a copy of a collection, and reads again what is announced, at once. */
const follower = (place: Place, clock: { readonly ms: number }) => {
  const copy = new Map<string, string>();
  let last: Promise<void> = Promise.resolve();
  const readAll = async (snapshot: Snapshot | undefined) => {
    copy.clear();
    for (const entry of (await snapshot?.page(0, 1_000_000)) ?? []) copy.set(entry.id, described(entry));
  };
  const readOne = async (snapshot: Snapshot | undefined, id: string) => {
    const entry = await snapshot?.find(id);
    if (entry === undefined) copy.delete(id);
    else copy.set(id, described(entry));
  };
  const read = async (changes: readonly Change[]) => {
    const snapshot = await worker(clock).snapshot(place);
    const ids = changes.map((change) => (change.kind === 'inventory' ? change.id : undefined));
    if (ids.includes(undefined)) return readAll(snapshot);
    for (const id of ids) if (id !== undefined) await readOne(snapshot, id);
  };
  return {
    announced: (changes: readonly Change[]) => {
      last = last.then(() => read(changes));
      return last;
    },
    entries: () => [...copy.values()].sort(),
  };
};

/** A region whose truth is known, and the inventory of it. */
const knownRegion = () => {
  const place = newPlace();
  const clock = { ms: startedAtMs };
  const truth = new Map<string, Entry>();
  const late: EntryChange[] = [];
  const history: EntryChange[] = [];
  const { announced, entries: followed } = follower(place, clock);
  const started = (callsUntilCrash?: number) => worker(clock, callsUntilCrash, announced);

  const list = async (one: Worker, isAbandoned = false) => {
    clock.ms += 60_000;
    const listing = { startedAtMs: clock.ms };
    const all = [...truth.values()];
    const pages = [all.slice(0, all.length / 2), all.slice(all.length / 2)];
    for (const [page, entries] of pages.entries())
      await one.observePage(place, { ...listing, page }, entries);
    if (!isAbandoned) await one.complete(place, { ...listing, pages: pages.length });
  };

  const happen = (change: Step): readonly EntryChange[] => {
    clock.ms += 10_000;
    const changes = changesBy(change, clock.ms);
    for (const one of changes)
      if ('entry' in one) truth.set(one.entry.id, one.entry);
      else truth.delete(one.ended.id);
    history.push(...changes);
    return changes;
  };

  const workOf = (one: Worker, next: Step): Promise<unknown> => {
    if (next.do === 'list') return list(one, next.isAbandoned);
    return next.do === 'compact' ? one.compact(place) : Promise.resolve();
  };

  /** What happens, and what workers do about it at the same time. What a crash loses, a listing finds. */
  const pass = async ({ step: next, isLost, isLate, crashAfter }: Event) => {
    const one = started(crashAfter ?? undefined);
    const changes = happen(next);
    if (isLate) late.push(...changes);
    const told = isLost || isLate ? [] : changes;
    const others = late.length > 3 ? late.splice(0) : [];
    await Promise.all([workOf(one, next), one.change(place, told), started().change(place, others)]).catch(
      () => undefined,
    );
  };

  const expected = () => [...truth.values()].map(described).sort();
  const opened = (generation?: string) => worker(clock).snapshot(place, generation);
  return { place, clock, history, list, happen, pass, expected, opened, started, followed };
};

/** Has all events pass. @returns the generations that could be seen between them, with their entries. */
const generationsOf = async (
  { place, pass }: ReturnType<typeof knownRegion>,
  steady: Worker,
  events: readonly Event[],
  limit: number,
) => {
  const seen = new Map<string, readonly string[]>();
  for (const one of events) {
    await pass(one);
    await steady.compact(place);
    const snapshot = await steady.snapshot(place);
    if (snapshot) seen.set(snapshot.generation, await pagesOf(snapshot, limit));
  }
  return seen;
};

/** The entries of a generation; undefined where it is no longer kept. */
const entriesIn = async (snapshot: Promise<Snapshot | undefined>, limit: number) => {
  try {
    const found = await snapshot;
    return found && (await pagesOf(found, limit));
  } catch (error) {
    if (error instanceof GoneError) return undefined;
    throw error;
  }
};

describe('any interleaving of events, listings, compactions, crashes and concurrent workers', () => {
  it('ends in the truth of the last listing and the events since, and no snapshot ever changes (B3 18)', async () => {
    const events = fc.array(event, { minLength: 3, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.array(single, { maxLength: 6 }),
        fc.integer({ min: 1, max: 250 }),
        fc.boolean(),
        async (given, afterwards, limit, isCompacted) => {
          const region = knownRegion();
          const { place, history, list, happen, expected, opened, started, followed } = region;
          const steady = started();
          const seen = await generationsOf(region, steady, given, limit);
          await steady.change(place, happen({ do: 'start', n: 999 }));
          happen({ do: 'stop', n: 999 }); // which the listing alone shows
          await list(steady);
          if (isCompacted) await steady.compactNow(place);
          const before = [...history];
          const since = afterwards.flatMap(happen);
          for (const change of since.toReversed()) await steady.change(place, [change]);
          // what happened before is delivered once more, but for the ends
          await started().change(
            place,
            before.filter((change) => 'entry' in change),
          );

          expect(await entriesIn(opened(), limit)).toEqual(expected());
          expect((await opened())?.count).toBe(expected().length);
          expect(followed()).toEqual(expected());
          for (const [generation, entries] of seen)
            expect((await entriesIn(opened(generation), limit)) ?? entries).toEqual(entries);
        },
      ),
      { numRuns: 8, endOnFailure: true },
    );
  }, 240_000);
});

describe('a worker that ends after any of its calls', () => {
  const pass = async (
    region: ReturnType<typeof knownRegion>,
    calls: number,
    work: (one: Worker) => Promise<unknown>,
  ) => {
    const one = region.started(calls);
    const isCrashed = await work(one).then(
      () => false,
      () => true,
    );
    // what wakes another worker: the message that is delivered again, or the next listing
    await work(region.started());
    await region.list(region.started());
    expect(region.followed(), `after ${calls} calls`).toEqual(region.expected());
    return isCrashed;
  };
  const changed = async (region: ReturnType<typeof knownRegion>) => {
    for (const n of [0, 1, 2]) region.happen({ do: 'start', n });
    await region.list(region.started());
    return [
      ...region.happen({ do: 'rename', n: 0, word: 'a' }),
      ...region.happen({ do: 'stop', n: 1 }),
      ...region.happen({ do: 'start', n: 4 }),
    ];
  };

  it('leaves no change of an event out of the feed', async () => {
    let [calls, isCrashed] = [0, true];
    for (; isCrashed; calls += 1) {
      const region = knownRegion();
      const changes = await changed(region);
      isCrashed = await pass(region, calls, (one) => one.change(region.place, changes));
    }
    expect(calls).toBeGreaterThan(8);
  }, 120_000);

  it('leaves no change that a listing showed out of the feed, though the next listing shows nothing new', async () => {
    let [calls, isCrashed] = [0, true];
    for (; isCrashed; calls += 1) {
      const region = knownRegion();
      await changed(region);
      isCrashed = await pass(region, calls, region.list);
    }
    expect(calls).toBeGreaterThan(12);
  }, 120_000);

  it('leaves nothing of a first or a next base out of the feed', async () => {
    for (const [count, step] of [
      [30, 1],
      [250, 2],
    ] as const) {
      let [calls, isCrashed] = [0, true];
      for (; isCrashed; calls += step) {
        const region = knownRegion();
        if (count > 30) await changed(region);
        region.happen({ do: 'many', from: 0, count });
        isCrashed = await pass(region, calls, region.list);
      }
    }
  }, 240_000);
});

describe('the storage of the inventory', () => {
  it('does not bring back by an older event what a listing ended and compaction has forgotten', async () => {
    const place = newPlace();
    const clock = { ms: startedAtMs };
    const one = worker(clock);
    const list = async (...entries: readonly Entry[]) => {
      clock.ms += 60_000;
      await one.observePage(place, { startedAtMs: clock.ms, page: 0 }, entries);
      await one.complete(place, { startedAtMs: clock.ms, pages: 1 });
    };
    await list(shown(1, 'a'), shown(2, 'a'));
    await list(shown(2, 'a'));
    await one.compactNow(place);

    const applied = await worker(clock).change(place, [{ entry: { ...shown(1, 'late'), at: startedAtMs } }]);

    expect(applied).toEqual([]);
    expect(await idsIn(await worker(clock).snapshot(place))).toEqual([idOf(2)]);
  });

  it('serves a cold start from the table alone (B3 9)', async () => {
    const place = newPlace();
    const clock = { ms: startedAtMs };
    const one = worker(clock);
    await one.observePage(place, { startedAtMs, page: 0 }, [shown(1, 'a')]);
    await one.complete(place, { startedAtMs, pages: 1 });

    expect(await idsIn(await worker(clock).snapshot(place))).toEqual([idOf(1)]);
  });

  it('has nothing to show of a listing that ended after its first page (B3 17)', async () => {
    const place = newPlace();
    const one = worker({ ms: startedAtMs });
    await one.observePage(place, { startedAtMs, page: 0 }, [shown(1, 'a')]);
    await one.compact(place);

    expect(await one.snapshot(place)).toBeUndefined();
  });

  it('costs two reads a page and one write a listing while nothing changes', async () => {
    const place = newPlace();
    const clock = { ms: startedAtMs };
    const one = worker(clock);
    const entries = Array.from({ length: 300 }, (_, index) => shown(index, 'a'));
    const list = async (atMs: number) => {
      await one.observePage(place, { startedAtMs: atMs, page: 0 }, entries);
      await one.complete(place, { startedAtMs: atMs, pages: 1 });
    };
    await list(startedAtMs);
    await list(startedAtMs + 60_000);
    const before = { ...dynamoDb.operations() };
    await list(startedAtMs + 120_000);
    const after = dynamoDb.operations();
    const of = (operation: string) => (after[operation] ?? 0) - (before[operation] ?? 0);

    expect({ puts: of('PutItem'), updates: of('UpdateItem'), gets: of('GetItem') }).toEqual({
      puts: 1,
      updates: 0,
      gets: 4,
    });
    expect(of('Query')).toBeLessThanOrEqual(3);
  });

  it('deletes what was replaced once nobody may read it, and all of a collection that is forgotten (B3 11)', async () => {
    const place = newPlace();
    const clock = { ms: startedAtMs };
    const one = worker(clock);
    const list = async (word: string) => {
      clock.ms += 60_000;
      const entries = Array.from({ length: 600 }, (_, index) => shown(index, word));
      await one.observePage(place, { startedAtMs: clock.ms, page: 0 }, entries);
      await one.complete(place, { startedAtMs: clock.ms, pages: 1 });
      await one.compact(place);
    };
    await list('a');
    const first = await one.snapshot(place);
    await list('b');
    const kept = await worker(clock).snapshot(place, first?.generation);
    clock.ms += 21 * 60_000;
    await list('c');
    const replaced = await worker(clock)
      .snapshot(place, first?.generation)
      .catch((error: unknown) => error);
    await one.forget(place);

    expect(kept?.count).toBe(600);
    expect(replaced).toBeInstanceOf(GoneError);
    expect(await worker(clock).snapshot(place)).toBeUndefined();
    expect(await one.places()).not.toContain(`${place.target.region}/instances`);
  });

  it('never takes a generation from before everything was lost for one of its own', async () => {
    const place = newPlace();
    const clock = { ms: startedAtMs };
    const listed = async () => {
      const one = worker(clock);
      await one.observePage(place, { startedAtMs: clock.ms, page: 0 }, [shown(1, 'a')]);
      await one.complete(place, { startedAtMs: clock.ms, pages: 1 });
      return (await one.snapshot(place))?.generation ?? '';
    };
    const before = await listed();
    await worker(clock).forget(place);
    clock.ms += 60_000;
    const after = await listed();

    expect(after).not.toBe(before);
    await expect(worker(clock).snapshot(place, before)).rejects.toThrow(GoneError);
    expect(await worker(clock).snapshot(place, after)).toBeDefined();
  });

  it('compacts with two writes for each hundred entries, and reads their log twice', async () => {
    const place = newPlace();
    const one = worker({ ms: startedAtMs });
    const entries = Array.from({ length: 3_000 }, (_, index) => shown(index, 'a'));
    const listing = { startedAtMs, page: 0 };
    const storage = inventoryStorage({ client: plainClient, table, now: () => startedAtMs });
    const feed = { append: async () => undefined };
    const writer = dynamoDbInventoryWriter({ storage, requestCompaction: async () => undefined, feed });
    await writer.observePage(place, listing, entries);
    await writer.complete(place, { startedAtMs, pages: 1 });
    const before = { ...dynamoDb.operations() };
    await dynamoDbInventoryMaintenance(storage, { feed }).compact(place);
    const after = dynamoDb.operations();
    const of = (operation: string) => (after[operation] ?? 0) - (before[operation] ?? 0);

    // the chunks, the seal, the directory and the index
    expect(of('PutItem')).toBe(30 * 2 + 3);
    expect(of('Query')).toBeLessThanOrEqual(12);
    expect((await one.snapshot(place))?.count).toBe(3_000);
  });

  it('divides the largest entries, directories and indexes into items that DynamoDB has room for', async () => {
    const place = newPlace();
    const one = worker({ ms: startedAtMs });
    const large = Array.from({ length: 12 }, (_, index) =>
      entryNamed(idOf(index), { object: { text: randomBytes(120_000).toString('hex') } }),
    );
    const tooLarge = entryNamed(idOf(99), { object: { text: randomBytes(200_000).toString('hex') } });
    await one.observePage(place, { startedAtMs, page: 0 }, [...large, tooLarge]);
    await one.complete(place, { startedAtMs, pages: 1 });
    const snapshot = await worker({ ms: startedAtMs }).snapshot(place);
    const ids = Array.from({ length: 100_000 }, (_, index) => idOf(index));
    const digests = ids.map(() => randomBytes(12).toString('base64url'));
    const index = { ids, digests, ats: ids.map((_, place) => startedAtMs + place), ended: {} };
    const chunks = ids.slice(0, 2_000).map((firstId) => ({ key: `12-${firstId}`, firstId, count: 50 }));
    const other = newPlace();
    await one.storage.writeBase(other, 1, { chunks, listedAtMs: startedAtMs, members: undefined }, index);
    const { storage } = worker({ ms: startedAtMs });

    expect((await snapshot?.find(idOf(3)))?.object).toEqual(large[3]?.object);
    expect((await snapshot?.find(idOf(99)))?.object).toEqual({ omitted: expect.stringContaining('bytes') });
    expect((await storage.base(other, 1))?.chunks).toEqual(chunks);
    expect((await storage.index(other, 1)).digests).toEqual(digests);
    expect(largestBytes).toBeGreaterThan(300 * 1024);
    expect(largestBytes).toBeLessThan(390 * 1024);
  }, 60_000);

  it('reads a page at the end of a hundred thousand entries at the cost of one at their beginning', async () => {
    const place = newPlace();
    const { storage } = worker({ ms: startedAtMs });
    const all = Array.from({ length: 100_000 }, (_, index) => idOf(index));
    const chunks: Chunk[] = [];
    for (let start = 0; start < all.length; start += 100) {
      const ids = all.slice(start, start + 100);
      const key = `1-${start}`;
      chunks.push({ key, firstId: ids[0] ?? '', count: ids.length });
      if (start > 0 && start < 99_900) continue; // neither page reads it
      await storage.writeChunk(
        place,
        key,
        ids.map((id) => storedEntry(entryNamed(id))),
      );
    }
    const marks = { listedAtMs: startedAtMs, members: undefined };
    await storage.writeBase(place, 1, { chunks, ...marks }, emptyIndex);
    await storage.replaceBase(place, 0, { isAnnounced: true });

    const costOf = async (offset: number) => {
      const one = worker({ ms: startedAtMs });
      const page = await (await one.snapshot(place))?.page(offset, 100);
      return {
        first: page?.[0]?.id,
        entries: page?.length,
        calls: one.calls(),
        bytes: JSON.stringify(page).length,
      };
    };
    const [beginning, end] = [await costOf(0), await costOf(99_900)];

    expect([beginning.first, end.first]).toEqual([all[0], all[99_900]]);
    expect(beginning.entries).toBe(100);
    expect({ ...end, first: beginning.first }).toEqual(beginning);
    expect(end.calls).toBeLessThanOrEqual(5);
  }, 240_000);
});
