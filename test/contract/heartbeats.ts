import { describe, expect, it } from 'vitest';
import type { Heartbeats } from '../../shared/ports/heartbeats.ts';

export const heartbeatsContract = (name: string, open: () => Promise<Heartbeats>): void => {
  describe(`heartbeats ${name}`, () => {
    it('are at zero before the first', async () => {
      expect(await (await open()).read()).toEqual({ sentAt: 0, waitingSince: 0, processedAt: 0 });
    });

    it('are sent by one of those who claim the same', async () => {
      const heartbeats = await open();
      const claim = () => heartbeats.claim({ sentAt: 100, waitingSince: 90 }, 0);

      expect((await Promise.all([claim(), claim(), claim()])).filter(Boolean)).toEqual([true]);
      expect(await heartbeats.claim({ sentAt: 160, waitingSince: 160 }, 100)).toBe(true);
      expect(await heartbeats.read()).toEqual({ sentAt: 160, waitingSince: 160, processedAt: 0 });
    });

    it('are processed up to the newest, in whatever order they come, and however often', async () => {
      const heartbeats = await open();
      await heartbeats.claim({ sentAt: 200, waitingSince: 100 }, 0);

      for (const sentAt of [100, 200, 200, 100]) await heartbeats.processed(sentAt);

      expect(await heartbeats.read()).toEqual({ sentAt: 200, waitingSince: 100, processedAt: 200 });
    });
  });
};
