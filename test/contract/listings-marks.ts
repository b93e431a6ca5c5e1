import { describe, expect, it } from 'vitest';
import { floorMs, type listingsSubject } from './listings-subject.ts';

/** Requests of a target, and what a listing stores beside its pages. */
export const listingsMarks = (setup: ReturnType<typeof listingsSubject>) => {
  describe('marks', () => {
    it('republish on all pages of the next listing, once', async () => {
      const { listings, target, leased, clock } = await setup();
      await listings.requestRepublication(target, 1_000);
      await listings.requestRepublication(target, 900);

      const first = await leased();
      await listings.save(first, { token: 'next', dueAtMs: 0 });
      const second = await leased();
      await listings.save(second, { token: undefined, dueAtMs: 0 });
      clock.ms += floorMs;
      await listings.requestRepublication(target, 1_000);
      const after = await leased();

      expect([first, second, after].map(({ republishAt }) => republishAt)).toEqual([1_000, 1_000, undefined]);
    });

    it('keep a request during a listing for the next one, which is due at once', async () => {
      const { listings, target, leased, clock } = await setup();
      await listings.requestRepublication(target, 1_000);
      const first = await leased();
      clock.ms += 1;
      await listings.requestRepublication(target, 2_000);
      await listings.save(first, { token: 'next', dueAtMs: 0 });
      const second = await leased();
      await listings.save(second, { token: undefined, dueAtMs: clock.ms + 300_000 });
      const [dueAtMs] = (await listings.due([target])).values();
      clock.ms += floorMs;

      expect([second.republishAt, (await leased()).republishAt]).toEqual([1_000, 2_000]);
      expect(dueAtMs).toBeLessThanOrEqual(clock.ms);
    });

    it('republish again after a listing that failed', async () => {
      const { listings, target, leased, clock } = await setup();
      await listings.requestRepublication(target, 1_000);
      await leased();
      await listings.fail(target, clock.ms + floorMs);
      clock.ms += floorMs;

      expect((await leased()).republishAt).toBe(1_000);
    });

    it('make a target due at once by a request, but not within the floor', async () => {
      const { listings, target, lease, leased, clock } = await setup();
      await listings.save(await leased(), { token: undefined, dueAtMs: clock.ms + 300_000 });
      clock.ms += 1;

      await listings.requestRepublication(target, 1_000);

      expect(await lease()).toBeUndefined();
      clock.ms += floorMs;
      expect(await lease()).toBeDefined();
    });

    it('store that a breaker was released, and make the target due at once', async () => {
      const { listings, target, leased, clock } = await setup();
      const first = await leased();
      const later = { token: undefined, dueAtMs: clock.ms + 300_000 };
      await listings.save({ ...first, breakerSinceMs: clock.ms }, later);
      clock.ms += floorMs;

      expect(await listings.releaseBreaker(target)).toBe(true);

      const next = await leased();
      expect(next.releasedAtMs).toBe(clock.ms);
      clock.ms += floorMs;
      await listings.releaseBreaker(target);
      await listings.save({ ...next, breakerSinceMs: undefined }, later);
      expect((await leased()).releasedAtMs).toBe(clock.ms);
    });

    it('release nothing where no breaker has tripped', async () => {
      const { listings, target, leased } = await setup();

      const never = await listings.releaseBreaker(target);
      const first = await leased();
      await listings.save(first, { token: undefined, dueAtMs: 0 });

      expect([never, first.releasedAtMs, await listings.releaseBreaker(target)]).toEqual([
        false,
        undefined,
        false,
      ]);
    });

    it('store the checks of the service type', async () => {
      const { listings, leased, clock } = await setup();
      const first = await leased();
      const checks = {
        askedAtMs: clock.ms,
        asked: 'instance',
        failing: { instance: ['i-1'], system: [], 'attached-ebs': ['i-2'] },
      } as const;
      await listings.save({ ...first, checks }, { token: undefined, dueAtMs: 0 });
      clock.ms += floorMs;

      expect([first.checks, (await leased()).checks]).toEqual([undefined, checks]);
    });
  });
};
