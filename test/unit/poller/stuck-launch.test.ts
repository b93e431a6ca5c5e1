import { describe, expect, it } from 'vitest';
import { minuteMs, polledRegion } from './region.ts';

const launched = (kind: 'legacy' | 'streaming' = 'legacy') => {
  const region = polledRegion(kind);
  region.add(1, { state: 'pending', launchedAtMs: region.clock.ms - 3 * minuteMs });
  return region;
};

describe('poller, and an instance that does not come up', () => {
  it.each(['legacy', 'streaming'] as const)(
    'tells once that it is stuck, in a %s region (C 47)',
    async (kind) => {
      const region = launched(kind);
      await region.list();
      await region.listFor(11 * minuteMs, minuteMs);
      const before = region.statusesOf(1);

      await region.listFor(30 * minuteMs, minuteMs);

      expect(before).toEqual(['PROVISIONING']);
      expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED']);
      expect(region.told().at(-1).message).toContain('stuck: it has not come up within 15 minutes');
    },
  );

  it('tells it once the normaliser has taken it, if not before', async () => {
    const region = launched();
    await region.list();
    region.clock.ms += 15 * minuteMs;
    region.loseQueue();
    await region.list();

    await region.listFor(2 * minuteMs, minuteMs);

    expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED']);
  });

  it('tells it of one that nobody had heard of before (C 47)', async () => {
    const region = polledRegion();
    region.add(1, { state: 'pending', launchedAtMs: region.clock.ms - 60 * minuteMs });

    await region.list();
    await region.listFor(3 * minuteMs, minuteMs);

    expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED']);
  });

  it('tells RUNNING if it comes up after all, and no more of it', async () => {
    const region = launched();
    await region.list();
    await region.listFor(15 * minuteMs, minuteMs);

    region.change(1, { state: 'running' });
    await region.listFor(3 * minuteMs, minuteMs);

    expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED', 'RUNNING']);
    expect(region.told().at(-1).message).not.toContain('stuck');
  });

  it('tells PROVISIONING when it is started again later, and FAILED only when that is stuck, too', async () => {
    const region = launched();
    await region.list();
    await region.listFor(15 * minuteMs, minuteMs);
    region.change(1, { state: 'stopped' });
    await region.listFor(3 * minuteMs, minuteMs);

    region.change(1, { state: 'pending', launchedAtMs: region.clock.ms });
    await region.listFor(5 * minuteMs, minuteMs);
    const recentlyLaunched = region.statusesOf(1).at(-1);
    await region.listFor(15 * minuteMs, minuteMs);

    expect(recentlyLaunched).toBe('PROVISIONING');
    expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED', 'STOPPED', 'PROVISIONING', 'FAILED']);
  });

  it('is not held to be busy any more', async () => {
    const region = launched();
    await region.list();
    await region.listFor(30 * minuteMs);

    const before = region.recalls();
    await region.listFor(30 * minuteMs);

    expect(region.recalls()).toBe(before);
  });
});
