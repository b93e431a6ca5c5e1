import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, inventoryTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { dynamoDbInventoryMaintenance } from '../../shared/adapters/dynamodb/inventory-compaction.ts';
import { dynamoDbInventoryReader } from '../../shared/adapters/dynamodb/inventory-reader.ts';
import { inventoryStorage, storedEntry } from '../../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbInventoryWriter } from '../../shared/adapters/dynamodb/inventory-writer.ts';
import { GoneError } from '../../shared/core/errors.ts';
import { type Chunk, emptyIndex } from '../../shared/core/inventory/directory.ts';
import type { Entry, EntryChange, Place } from '../../shared/core/inventory/entry.ts';
import type { Snapshot } from '../../shared/ports/inventory.ts';
import { entryNamed, idsIn } from './inventory.ts';

const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const table = 'inventory';
await createTable(dynamoDb.url, inventoryTable(table));

class Crash extends Error {}

/** A worker of its own: cold caches, and a client that fails for good after so many calls. */
const worker = (clock: { readonly ms: number }, callsUntilCrash = Number.POSITIVE_INFINITY) => {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...clientConfig(dynamoDb.url), maxAttempts: 1 }),
  );
  let calls = 0;
  client.middlewareStack.add(
    (next) => (input) => {
      calls += 1;
      if (calls > callsUntilCrash) throw new Crash('the worker has crashed');
      return next(input);
    },
    { step: 'initialize' },
  );
  const storage = inventoryStorage({ client, table, now: () => clock.ms });
  const maintenance = dynamoDbInventoryMaintenance(storage, { entriesAtOnce: 40 });
  return {
    ...dynamoDbInventoryReader(storage),
    ...dynamoDbInventoryWriter({ storage, requestCompaction: maintenance.compact }),
    ...maintenance,
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
    found.push(...(await snapshot.page(offset, limit)).map(({ id, tags }) => `${id} ${tags.word}`));
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
  fc.record({ do: fc.constant('many' as const), from: n, count: fc.integer({ min: 200, max: 600 }) }),
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

/** A region whose truth is known, and the inventory of it. */
const knownRegion = () => {
  const place = newPlace();
  const clock = { ms: startedAtMs };
  const truth = new Map<string, Entry>();
  const late: EntryChange[] = [];
  const history: EntryChange[] = [];

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
    const one = worker(clock, crashAfter ?? undefined);
    const changes = happen(next);
    if (isLate) late.push(...changes);
    const told = isLost || isLate ? [] : changes;
    const others = late.length > 3 ? late.splice(0) : [];
    await Promise.all([
      workOf(one, next),
      one.change(place, told),
      worker(clock).change(place, others),
    ]).catch(() => undefined);
  };

  const expected = () => [...truth.values()].map(({ id, tags }) => `${id} ${tags.word}`).sort();
  const opened = (generation?: string) => worker(clock).snapshot(place, generation);
  return { place, clock, history, list, happen, pass, expected, opened };
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
        async (given, afterwards, limit) => {
          const region = knownRegion();
          const { place, clock, history, list, happen, expected, opened } = region;
          const steady = worker(clock);
          const seen = await generationsOf(region, steady, given, limit);
          await list(steady);
          const before = [...history];
          const since = afterwards.flatMap(happen);
          for (const change of since.toReversed()) await steady.change(place, [change]);
          await worker(clock).change(place, before); // all that happened before is delivered once more

          expect(await entriesIn(opened(), limit)).toEqual(expected());
          expect((await opened())?.count).toBe(expected().length);
          for (const [generation, entries] of seen)
            expect((await entriesIn(opened(generation), limit)) ?? entries).toEqual(entries);
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  }, 240_000);
});

describe('the storage of the inventory', () => {
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

  it('reads a page at the end of a hundred thousand entries at the cost of one at their beginning', async () => {
    const place = newPlace();
    const { storage } = worker({ ms: startedAtMs });
    const all = Array.from({ length: 100_000 }, (_, index) => idOf(index));
    const chunks: Chunk[] = [];
    for (let start = 0; start < all.length; start += 100) {
      const ids = all.slice(start, start + 100);
      const key = `1-${start}`;
      await storage.writeChunk(
        place,
        key,
        ids.map((id) => storedEntry(entryNamed(id))),
      );
      chunks.push({ key, firstId: ids[0] ?? '', count: ids.length });
    }
    const marks = { listedAtMs: startedAtMs, members: undefined };
    await storage.writeBase(place, 1, { chunks, ...marks }, emptyIndex);
    await storage.replaceBase(place, 0);

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
