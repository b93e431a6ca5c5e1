import { describe, expect, it } from 'vitest';
import { GoneError, InvalidArgumentError } from '../../shared/core/errors.ts';
import type { Entry, Place } from '../../shared/core/inventory/entry.ts';
import type { InventoryReader, InventoryWriter, Snapshot } from '../../shared/ports/inventory.ts';

export const entryNamed = (id: string, change: Partial<Entry> = {}): Entry => ({
  ...{ id, name: `${id} name`, tags: { Name: `${id} name` }, at: 0, object: { InstanceId: id } },
  ...change,
});

export const idsIn = async (snapshot: Snapshot | undefined): Promise<readonly string[]> =>
  (await snapshot?.page(0, 1_000_000))?.map(({ id }) => id) ?? [];

export type MakeInventory = () => Promise<InventoryReader & InventoryWriter>;

const startedAtMs = Date.parse('2026-03-01T10:00:00Z');
const minuteMs = 60_000;

/** The contract of the ports InventoryReader and InventoryWriter. */
export const inventoryContract = (name: string, make: MakeInventory) => {
  let number = 0;
  const setup = async () => {
    number += 1;
    const place: Place = { target: { region: `region-${number}` }, collection: 'instances' };
    const inventory = await make();
    const list = async (atMs: number, ...pages: readonly (readonly Entry[])[]) => {
      for (const [page, entries] of pages.entries())
        await inventory.observePage(place, { startedAtMs: atMs, page }, entries);
      return inventory.complete(place, { startedAtMs: atMs, pages: pages.length });
    };
    const current = async () => {
      const snapshot = await inventory.snapshot(place);
      if (snapshot === undefined) throw new Error('expected a snapshot');
      return snapshot;
    };
    return { inventory, place, list, current };
  };

  describe(`inventory: ${name}`, () => {
    it('has nothing to show of a collection before a first complete listing', async () => {
      const { inventory, place } = await setup();
      const before = await inventory.snapshot(place);
      await inventory.observePage(place, { startedAtMs, page: 0 }, [entryNamed('i-1')]);
      const during = await inventory.snapshot(place);
      await inventory.complete(place, { startedAtMs, pages: 1 });

      expect([before, during]).toEqual([undefined, undefined]);
      expect(await idsIn(await inventory.snapshot(place))).toEqual(['i-1']);
    });

    it('shows an empty collection once it was listed', async () => {
      const { list, current } = await setup();
      await list(startedAtMs, []);

      expect(await current()).toMatchObject({ count: 0, listedAtMs: startedAtMs - 5_000 });
      expect(await (await current()).page(0, 10)).toEqual([]);
    });

    it('has what the pages of a listing showed, by id, and finds each', async () => {
      const { list, current } = await setup();
      const entry = entryNamed('i-2', { unhealthy: 'fails a check', vpcId: 'vpc-1', unused: true });
      await list(startedAtMs, [entryNamed('i-3'), entryNamed('i-1')], [entry]);
      const snapshot = await current();

      expect(snapshot.count).toBe(3);
      expect(await idsIn(snapshot)).toEqual(['i-1', 'i-2', 'i-3']);
      expect(await snapshot.find('i-2')).toEqual({ ...entry, at: startedAtMs - 5_000 });
      expect(await snapshot.find('i-4')).toBeUndefined();
      expect(await snapshot.summaries(1, 1)).toEqual([
        (({ object: _, ...summary }) => ({ ...summary, at: startedAtMs - 5_000 }))(entry),
      ]);
    });

    it('applies an event at once, and returns what was new', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1'), entryNamed('i-2')]);
      const at = startedAtMs + 1000;
      const changes = [
        { entry: entryNamed('i-1', { at, tags: { Name: 'other' } }) },
        { ended: { id: 'i-2', at } },
        { entry: entryNamed('i-3', { at }) },
      ];

      const applied = await inventory.change(place, changes);
      const again = await inventory.change(place, changes);

      expect(applied).toEqual([
        { id: 'i-1', change: 'changed' },
        { id: 'i-2', change: 'ended' },
        { id: 'i-3', change: 'changed' },
      ]);
      expect(again).toEqual([]);
      expect(await idsIn(await current())).toEqual(['i-1', 'i-3']);
      expect(await (await current()).find('i-1')).toMatchObject({ tags: { Name: 'other' } });
    });

    it('keeps the later of two changes, in whichever order they come', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1')]);
      const named = (word: string, at: number) => ({ entry: entryNamed('i-1', { at, tags: { word } }) });

      await inventory.change(place, [named('late', startedAtMs + 2000)]);
      const applied = await inventory.change(place, [named('early', startedAtMs + 1000)]);

      expect(applied).toEqual([]);
      expect(await (await current()).find('i-1')).toMatchObject({ tags: { word: 'late' } });
    });

    it('does not bring back what ended by an older event', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1')]);

      await inventory.change(place, [{ ended: { id: 'i-1', at: startedAtMs + 2000 } }]);
      await inventory.change(place, [{ entry: entryNamed('i-1', { at: startedAtMs + 1000 }) }]);

      expect(await idsIn(await current())).toEqual([]);
    });

    it('ends what a complete listing does not show, and says so', async () => {
      const { list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1'), entryNamed('i-2')]);

      expect(await list(startedAtMs + minuteMs, [entryNamed('i-2')])).toEqual([
        { id: 'i-1', change: 'ended' },
      ]);
      expect(await idsIn(await current())).toEqual(['i-2']);
    });

    it('ends nothing by a listing that is not completed', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1')], [entryNamed('i-2')]);
      await inventory.observePage(place, { startedAtMs: startedAtMs + minuteMs, page: 0 }, [
        entryNamed('i-3'),
      ]);

      expect(await idsIn(await current())).toEqual(['i-1', 'i-2', 'i-3']);
    });

    it('loses nothing that events show during a listing (B3 7)', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1'), entryNamed('i-2')]);
      const later = startedAtMs + minuteMs;
      await inventory.observePage(place, { startedAtMs: later, page: 0 }, [
        entryNamed('i-1'),
        entryNamed('i-2'),
      ]);
      await inventory.change(place, [
        { entry: entryNamed('i-3', { at: later + 1000 }) },
        { ended: { id: 'i-1', at: later + 1000 } },
        { entry: entryNamed('i-2', { at: later + 1000, tags: { word: 'event' } }) },
      ]);
      await inventory.complete(place, { startedAtMs: later, pages: 1 });

      expect(await idsIn(await current())).toEqual(['i-2', 'i-3']);
      expect(await (await current()).find('i-2')).toMatchObject({ tags: { word: 'event' } });
    });

    it('corrects by a listing what an event said wrongly before it', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1')]);
      await inventory.change(place, [{ entry: entryNamed('i-1', { at: startedAtMs + 1000, tags: {} }) }]);
      await list(startedAtMs + minuteMs, [entryNamed('i-1')]);

      expect(await (await current()).find('i-1')).toMatchObject({ tags: { Name: 'i-1 name' } });
    });

    it('ignores events that are older than the newest complete listing', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1')]);
      const at = startedAtMs - 6000;
      await inventory.change(place, [{ entry: entryNamed('i-2', { at }) }, { ended: { id: 'i-1', at } }]);

      expect(await idsIn(await current())).toEqual(['i-1']);
    });

    it('repeats no page and no end of a listing', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1')]);
      const before = await current();

      const page = await inventory.observePage(place, { startedAtMs, page: 0 }, [entryNamed('i-1')]);
      const end = await inventory.complete(place, { startedAtMs, pages: 1 });

      expect([page, end]).toEqual([[], []]);
      expect((await current()).listedAtMs).toBe(before.listedAtMs);
    });

    it('does not change a snapshot, which its generation names', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1'), entryNamed('i-2')]);
      const { generation } = await current();
      await inventory.change(place, [{ ended: { id: 'i-1', at: startedAtMs + 1000 } }]);
      await list(startedAtMs + minuteMs, [entryNamed('i-3')]);

      expect(await idsIn(await inventory.snapshot(place, generation))).toEqual(['i-1', 'i-2']);
      expect(await idsIn(await current())).toEqual(['i-3']);
    });

    it('refuses a generation that is not kept, and a text that is none', async () => {
      const { inventory, place, list } = await setup();
      await list(startedAtMs, [entryNamed('i-1')]);

      await expect(inventory.snapshot(place, '1.99')).rejects.toBeInstanceOf(GoneError);
      await expect(inventory.snapshot(place, '../1')).rejects.toBeInstanceOf(InvalidArgumentError);
    });

    it('never mixes the places', async () => {
      const { inventory, place, list, current } = await setup();
      await list(startedAtMs, [entryNamed('i-1')]);
      const others: Place[] = [
        { ...place, collection: 'volumes' },
        { ...place, target: { ...place.target, account: '222222222222' } },
      ];
      for (const other of others) {
        await inventory.observePage(other, { startedAtMs, page: 0 }, [entryNamed(`of-${other.collection}`)]);
        await inventory.complete(other, { startedAtMs, pages: 1 });
      }

      expect(await idsIn(await current())).toEqual(['i-1']);
      expect(await Promise.all(others.map(async (other) => idsIn(await inventory.snapshot(other))))).toEqual([
        ['of-volumes'],
        ['of-instances'],
      ]);
    });

    it.each([1, 7, 100, 1000])('pages of %i, concatenated, are the whole snapshot', async (limit) => {
      const { inventory, place, list, current } = await setup();
      const all = Array.from({ length: 350 }, (_, n) => entryNamed(`i-${String(n).padStart(4, '0')}`));
      await list(startedAtMs, all.slice(0, 200), all.slice(200));
      const gone = all.filter((_, n) => n % 7 === 0);
      await inventory.change(
        place,
        gone.map(({ id }) => ({ ended: { id, at: startedAtMs + 1000 } })),
      );
      const snapshot = await current();

      const pages: string[] = [];
      for (let offset = 0; offset < snapshot.count; offset += limit)
        pages.push(...(await snapshot.page(offset, limit)).map(({ id }) => id));
      const stretches: string[] = [];
      for await (const some of snapshot.allSummaries()) stretches.push(...some.map(({ id }) => id));

      expect(pages).toEqual(all.filter((_, n) => n % 7 !== 0).map(({ id }) => id));
      expect(pages).toHaveLength(snapshot.count);
      expect(stretches).toEqual(pages);
      expect(await snapshot.page(snapshot.count, limit)).toEqual([]);
    });
  });
};
