import { describe, expect, it } from 'vitest';
import { listingsMarks } from './listings-marks.ts';
import { floorMs, leaseMs, listingsSubject, type MakeListings } from './listings-subject.ts';

/** What every Listings is held to. `make` is given the clock, in milliseconds. */
export const listingsContract = (name: string, make: MakeListings) => {
  const setup = listingsSubject(make);

  describe(`listings: ${name}`, () => {
    it('begins with the first page of a region that was never listed', async () => {
      const { taken, clock, region } = await setup();

      expect(await taken()).toMatchObject({
        region,
        page: 0,
        token: undefined,
        startedAtMs: clock.ms,
        digests: [],
        absences: {},
        breakerSinceMs: undefined,
      });
    });

    it('gives a page to one worker at a time, until its lease ends', async () => {
      const { take, clock } = await setup();

      const takes = await Promise.all(Array.from({ length: 10 }, take));
      clock.ms += leaseMs + 1;

      expect(takes.filter((listing) => listing !== undefined)).toHaveLength(1);
      expect(await take()).toBeDefined();
    });

    it('goes on with the next page, with what was found so far', async () => {
      const { listings, taken } = await setup();
      const first = await taken();
      const digests = [{ states: 'a', members: 'b', comparedAtMs: 3 }];
      const found = { digests, seen: 1000, busy: true, removed: new Set(['i-1']), added: new Set(['i-2']) };
      await listings.save({ ...first, ...found }, { token: 'next', dueAtMs: first.startedAtMs });

      expect(await taken()).toMatchObject({
        page: 1,
        token: 'next',
        startedAtMs: first.startedAtMs,
        ...found,
      });
    });

    it('does not begin a listing within the floor, however many try', async () => {
      const { listings, take, taken, clock } = await setup();
      const first = await taken();
      await listings.save(first, { token: undefined, dueAtMs: clock.ms });

      clock.ms += floorMs - 1;
      const early = await Promise.all(Array.from({ length: 5 }, take));
      clock.ms += 1;
      const due = await Promise.all(Array.from({ length: 5 }, take));

      expect(early.filter((listing) => listing !== undefined)).toEqual([]);
      expect(due.filter((listing) => listing !== undefined)).toHaveLength(1);
    });

    it('does not begin a listing before it is due, and tells when that is', async () => {
      const { listings, region, take, taken, clock } = await setup();
      const dueAtMs = clock.ms + 300_000;
      await listings.save(await taken(), { token: undefined, dueAtMs });

      clock.ms += 299_999;
      expect(await take()).toBeUndefined();
      expect(await listings.due([region, 'elsewhere'])).toEqual(
        new Map([
          [region, dueAtMs],
          ['elsewhere', 0],
        ]),
      );
      clock.ms += 1;
      expect(await take()).toBeDefined();
    });

    it('is not due while somebody has it', async () => {
      const { listings, region, taken, clock } = await setup();
      await taken();

      expect(await listings.due([region])).toEqual(new Map([[region, clock.ms + leaseMs]]));
    });

    it('keeps as many missing and new instances in mind as a listing may have', async () => {
      const { listings, taken } = await setup();
      const id = (n: number) => `i-${String(n).padStart(17, '0')}`;
      const ids = (count: number) => Array.from({ length: count }, (_, n) => id(n));
      const absences = Object.fromEntries(
        ids(3_000).map((one) => [one, { sinceMs: 1_787_394_600_000, listings: 2 }]),
      );
      const digests = Array.from({ length: 200 }, () => ({
        states: 'sixteen letters.',
        members: 'sixteen letters.',
        comparedAtMs: 1_787_394_600_000,
      }));
      const first = await taken();
      const found = { absences, digests, removed: new Set(ids(1_000)), added: new Set(ids(5_000)) };
      await listings.save({ ...first, ...found }, { token: 'next', dueAtMs: 0 });

      expect(await taken()).toMatchObject({ absences, digests, added: found.added });
    });

    it('begins anew after a complete listing, remembering what it looked like', async () => {
      const { listings, taken, clock } = await setup();
      const kept = {
        digests: [{ states: 'a', members: 'b', comparedAtMs: 3 }],
        absences: { 'i-1': { sinceMs: 1, listings: 2 } },
        lastBusyAtMs: 5,
        intervalSeconds: 60,
        breakerSinceMs: 7,
      };
      const first = await taken();
      await listings.save(
        { ...first, ...kept, seen: 9, busy: true, removed: new Set(['i-1']) },
        { token: undefined, dueAtMs: 0 },
      );
      clock.ms += floorMs;

      expect(await taken()).toMatchObject({
        ...kept,
        page: 0,
        seen: 0,
        busy: false,
        removed: new Set(),
        added: new Set(),
      });
    });

    it('begins a failed listing anew when it is due, and overlooks nothing that was missing on its pages', async () => {
      const { listings, region, take, taken, clock } = await setup();
      const first = await taken();
      await listings.save({ ...first, removed: new Set(['i-1']) }, { token: 'next', dueAtMs: 0 });
      await taken();
      await listings.fail(region, clock.ms + 30_000);

      clock.ms += 29_999;
      expect(await take()).toBeUndefined();
      clock.ms += 1;
      expect(await taken()).toMatchObject({ page: 0, token: undefined, removed: new Set(['i-1']) });
    });

    it('tells how the regions stand, the one that was never listed too', async () => {
      const { listings, region, taken, clock } = await setup();
      const first = await taken();
      clock.ms += 700;
      const found = { seen: 9, intervalSeconds: 60, breakerSinceMs: 7 };
      await listings.save({ ...first, ...found }, { token: undefined, dueAtMs: clock.ms });
      await listings.requestRepublication(region, 1_000);
      const elsewhere = `not-${region}`;

      expect(await listings.status([region, elsewhere])).toEqual([
        {
          region,
          listedAtMs: clock.ms,
          intervalSeconds: 60,
          instances: 9,
          breakerSinceMs: 7,
          republishWantedAt: 1_000,
        },
        {
          region: elsewhere,
          listedAtMs: undefined,
          intervalSeconds: 0,
          instances: 0,
          breakerSinceMs: undefined,
          republishWantedAt: undefined,
        },
      ]);
    });

    it('remembers who was on which page', async () => {
      const { listings, region } = await setup();
      await listings.saveMembers(region, 0, ['i-1', 'i-2']);
      await listings.saveMembers(region, 1, []);

      expect(await listings.members(region, 0)).toEqual(['i-1', 'i-2']);
      expect(await listings.members(region, 1)).toEqual([]);
      expect(await listings.members(region, 2)).toEqual([]);
    });

    it('has one execution in charge, until its lease ends or it resigns', async () => {
      const { listings, clock, number } = await setup();
      const minute = 60_000;
      await listings.releasePolling('one');
      clock.ms += number * 10 * minute; // whoever was in charge before is not any more

      expect([
        await listings.leasePolling('one', minute),
        await listings.leasePolling('one', minute),
      ]).toEqual([1, 2]);
      expect(await listings.leasePolling('two', minute)).toBeUndefined();
      clock.ms += minute;
      expect(await listings.leasePolling('two', minute)).toBe(1);
      expect(await listings.leasePolling('one', minute)).toBeUndefined();
      await listings.releasePolling('two');
      expect(await listings.leasePolling('one', minute)).toBe(1);
    });
    listingsMarks(setup);
  });
};
