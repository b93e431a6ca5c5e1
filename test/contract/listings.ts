import { describe, expect, it } from 'vitest';
import type { ServiceType } from '../../shared/core/kind.ts';
import { listingKey } from '../../shared/core/target.ts';
import { listingsMarks } from './listings-marks.ts';
import { floorMs, leaseMs, listingsSubject, type MakeListings } from './listings-subject.ts';

/** The contract of the Listings port. `make` gets the clock, in milliseconds. */
export const listingsContract = (name: string, make: MakeListings, serviceType: ServiceType = 'vm') => {
  const setup = listingsSubject(make, serviceType);

  describe(`listings: ${name}`, () => {
    it('start with the first page of a target that was never listed', async () => {
      const { leased, clock, target } = await setup();

      expect(await leased()).toMatchObject({
        target,
        page: 0,
        token: undefined,
        startedAtMs: clock.ms,
        digests: [],
        absences: {},
        breakerSinceMs: undefined,
      });
    });

    it('lease a page to one worker at a time', async () => {
      const { lease, clock } = await setup();

      const leases = await Promise.all(Array.from({ length: 10 }, lease));
      clock.ms += leaseMs + 1;

      expect(leases.filter((listing) => listing !== undefined)).toHaveLength(1);
      expect(await lease()).toBeDefined();
    });

    it('continue with the next page, with the results so far', async () => {
      const { listings, leased } = await setup();
      const first = await leased();
      const digests = [{ states: 'a', members: 'b', comparedAtMs: 3 }];
      const found = { digests, seen: 1000, busy: true, removed: new Set(['i-1']), added: new Set(['i-2']) };
      await listings.save({ ...first, ...found }, { token: 'next', dueAtMs: first.startedAtMs });

      expect(await leased()).toMatchObject({
        page: 1,
        token: 'next',
        startedAtMs: first.startedAtMs,
        ...found,
      });
    });

    it('start no listing within the floor, however many workers try', async () => {
      const { listings, lease, leased, clock } = await setup();
      const first = await leased();
      await listings.save(first, { token: undefined, dueAtMs: clock.ms });

      clock.ms += floorMs - 1;
      const early = await Promise.all(Array.from({ length: 5 }, lease));
      clock.ms += 1;
      const due = await Promise.all(Array.from({ length: 5 }, lease));

      expect(early.filter((listing) => listing !== undefined)).toEqual([]);
      expect(due.filter((listing) => listing !== undefined)).toHaveLength(1);
    });

    it('start no listing before it is due, and return when that is', async () => {
      const { listings, target, lease, leased, clock } = await setup();
      const dueAtMs = clock.ms + 300_000;
      await listings.save(await leased(), { token: undefined, dueAtMs });

      clock.ms += 299_999;
      expect(await lease()).toBeUndefined();
      expect(await listings.due([target, { region: 'elsewhere' }])).toEqual(
        new Map([
          [listingKey(target), dueAtMs],
          ['elsewhere', 0],
        ]),
      );
      clock.ms += 1;
      expect(await lease()).toBeDefined();
    });

    it('are not due while a worker has the lease', async () => {
      const { listings, target, leased, clock } = await setup();
      await leased();

      expect(await listings.due([target])).toEqual(new Map([[listingKey(target), clock.ms + leaseMs]]));
    });

    it('store as many missing and new instances as a listing can have', async () => {
      const { listings, leased } = await setup();
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
      const first = await leased();
      const found = { absences, digests, removed: new Set(ids(1_000)), added: new Set(ids(5_000)) };
      await listings.save({ ...first, ...found }, { token: 'next', dueAtMs: 0 });

      expect(await leased()).toMatchObject({ absences, digests, added: found.added });
    });

    it('start again after a complete listing, with its results', async () => {
      const { listings, leased, clock } = await setup();
      const kept = {
        digests: [{ states: 'a', members: 'b', comparedAtMs: 3 }],
        absences: { 'i-1': { sinceMs: 1, listings: 2 } },
        lastBusyAtMs: 5,
        intervalSeconds: 60,
        breakerSinceMs: 7,
      };
      const first = await leased();
      await listings.save(
        { ...first, ...kept, seen: 9, busy: true, removed: new Set(['i-1']) },
        { token: undefined, dueAtMs: 0 },
      );
      clock.ms += floorMs;

      expect(await leased()).toMatchObject({
        ...kept,
        page: 0,
        seen: 0,
        busy: false,
        removed: new Set(),
        added: new Set(),
      });
    });

    it('start a failed listing again when it is due, with the instances that its pages lacked', async () => {
      const { listings, target, lease, leased, clock } = await setup();
      const first = await leased();
      await listings.save({ ...first, removed: new Set(['i-1']) }, { token: 'next', dueAtMs: 0 });
      await leased();
      await listings.fail(target, clock.ms + 30_000);

      clock.ms += 29_999;
      expect(await lease()).toBeUndefined();
      clock.ms += 1;
      expect(await leased()).toMatchObject({ page: 0, token: undefined, removed: new Set(['i-1']) });
    });

    it('return the status of every target, also one that was never listed, and one account apart from the other', async () => {
      const { listings, target, leased, clock } = await setup();
      const first = await leased();
      clock.ms += 700;
      const found = { seen: 9, intervalSeconds: 60, breakerSinceMs: 7, healed: 3, healedAtMs: 5 };
      await listings.save({ ...first, ...found }, { token: undefined, dueAtMs: clock.ms });
      await listings.requestRepublication(target, 1_000);
      const elsewhere = { ...target, account: '222222222222' };

      expect(await listings.status([target, elsewhere])).toEqual([
        {
          target,
          listedAtMs: clock.ms,
          intervalSeconds: 60,
          instances: 9,
          breakerSinceMs: 7,
          healed: 3,
          healedAtMs: 5,
          republicationRequestedAt: 1_000,
        },
        {
          target: elsewhere,
          listedAtMs: undefined,
          intervalSeconds: 0,
          instances: 0,
          breakerSinceMs: undefined,
          healed: 0,
          healedAtMs: undefined,
          republicationRequestedAt: undefined,
        },
      ]);
    });

    it('store the members of each page', async () => {
      const { listings, target } = await setup();
      await listings.saveMembers(target, 0, ['i-1', 'i-2']);
      await listings.saveMembers(target, 1, []);

      expect(await listings.members(target, 0)).toEqual(['i-1', 'i-2']);
      expect(await listings.members(target, 1)).toEqual([]);
      expect(await listings.members(target, 2)).toEqual([]);
    });

    it('lease polling to one execution, until the lease ends or is released', async () => {
      const { listings, clock, number } = await setup();
      const minute = 60_000;
      await listings.releasePolling('one');
      clock.ms += number * 10 * minute; // leases of other tests have ended

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
