import { describe, expect, it } from 'vitest';
import { noStatusChecks } from '../../shared/service-types/vm/status-checks.ts';
import { floorMs, type listingsSubject } from './listings-subject.ts';

/** What is wanted of a region, and what a listing remembers beside its pages. */
export const listingsMarks = (setup: ReturnType<typeof listingsSubject>) => {
  describe('marks', () => {
    it('has the next listing tell everything again for whom wants it, once, on all of its pages', async () => {
      const { listings, region, taken, clock } = await setup();
      await listings.requestRepublication(region, 1_000);
      await listings.requestRepublication(region, 900);

      const first = await taken();
      await listings.save(first, { token: 'next', dueAtMs: 0 });
      const second = await taken();
      await listings.save(second, { token: undefined, dueAtMs: 0 });
      clock.ms += floorMs;
      await listings.requestRepublication(region, 1_000);
      const after = await taken();

      expect([first, second, after].map(({ republishAt }) => republishAt)).toEqual([1_000, 1_000, undefined]);
    });

    it('keeps for the next listing, due at once, what is wanted while one goes on', async () => {
      const { listings, region, taken, clock } = await setup();
      await listings.requestRepublication(region, 1_000);
      const first = await taken();
      clock.ms += 1;
      await listings.requestRepublication(region, 2_000);
      await listings.save(first, { token: 'next', dueAtMs: 0 });
      const second = await taken();
      await listings.save(second, { token: undefined, dueAtMs: clock.ms + 300_000 });
      const [dueAtMs] = (await listings.due([region])).values();
      clock.ms += floorMs;

      expect([second.republishAt, (await taken()).republishAt]).toEqual([1_000, 2_000]);
      expect(dueAtMs).toBeLessThanOrEqual(clock.ms);
    });

    it('tells everything again after a listing that failed while it did', async () => {
      const { listings, region, taken, clock } = await setup();
      await listings.requestRepublication(region, 1_000);
      await taken();
      await listings.fail(region, clock.ms + floorMs);
      clock.ms += floorMs;

      expect((await taken()).republishAt).toBe(1_000);
    });

    it('makes a region due at once in which something is wanted, but not within the floor', async () => {
      const { listings, region, take, taken, clock } = await setup();
      await listings.save(await taken(), { token: undefined, dueAtMs: clock.ms + 300_000 });
      clock.ms += 1;

      await listings.requestRepublication(region, 1_000);

      expect(await take()).toBeUndefined();
      clock.ms += floorMs;
      expect(await take()).toBeDefined();
    });

    it('remembers that a breaker was released, and makes the region due at once', async () => {
      const { listings, region, taken, clock } = await setup();
      const first = await taken();
      const later = { token: undefined, dueAtMs: clock.ms + 300_000 };
      await listings.save({ ...first, breakerSinceMs: clock.ms }, later);
      clock.ms += floorMs;

      expect(await listings.release(region)).toBe(true);

      const next = await taken();
      expect(next.releasedAtMs).toBe(clock.ms);
      clock.ms += floorMs;
      await listings.release(region);
      await listings.save({ ...next, breakerSinceMs: undefined }, later);
      expect((await taken()).releasedAtMs).toBe(clock.ms);
    });

    it('releases nothing where there is no breaker', async () => {
      const { listings, region, taken } = await setup();

      const never = await listings.release(region);
      const first = await taken();
      await listings.save(first, { token: undefined, dueAtMs: 0 });

      expect([never, first.releasedAtMs, await listings.release(region)]).toEqual([false, undefined, false]);
    });

    it('remembers who failed which status check', async () => {
      const { listings, taken, clock } = await setup();
      const first = await taken();
      const checks = {
        askedAtMs: clock.ms,
        asked: 'instance',
        failing: { instance: ['i-1'], system: [], 'attached-ebs': ['i-2'] },
      } as const;
      await listings.save({ ...first, checks }, { token: undefined, dueAtMs: 0 });
      clock.ms += floorMs;

      expect([first.checks, (await taken()).checks]).toEqual([noStatusChecks, checks]);
    });
  });
};
