import { describe, expect, it } from 'vitest';
import { minuteMs, polledRegion } from './region.ts';

const launched = (kind: 'legacy' | 'streaming' = 'legacy') => {
  const region = polledRegion(kind);
  region.add(1, { state: 'pending', launchedAtMs: region.clock.ms - 3 * minuteMs });
  return region;
};

describe('poller with an instance that does not start', () => {
  it.each(['legacy', 'streaming'] as const)(
    'publishes once that it is stuck, in a %s region (C 47)',
    async (kind) => {
      const region = launched(kind);
      await region.list();
      await region.listFor(11 * minuteMs, minuteMs);
      const before = region.statusesOf(1);

      await region.listFor(30 * minuteMs, minuteMs);

      expect(before).toEqual(['PROVISIONING']);
      expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED']);
      expect(region.published().at(-1).message).toContain('stuck: it has not come up within 15 minutes');
    },
  );

  it('publishes it again when the normaliser did not process it', async () => {
    const region = launched();
    await region.list();
    region.clock.ms += 15 * minuteMs;
    region.loseQueue();
    await region.list();

    await region.listFor(2 * minuteMs, minuteMs);

    expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED']);
  });

  it('publishes it of an instance that was unknown before (C 47)', async () => {
    const region = polledRegion();
    region.add(1, { state: 'pending', launchedAtMs: region.clock.ms - 60 * minuteMs });

    await region.list();
    await region.listFor(3 * minuteMs, minuteMs);

    expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED']);
  });

  it('publishes RUNNING if it starts after all, without the warning', async () => {
    const region = launched();
    await region.list();
    await region.listFor(15 * minuteMs, minuteMs);

    region.change(1, { state: 'running' });
    await region.listFor(3 * minuteMs, minuteMs);

    expect(region.statusesOf(1)).toEqual(['PROVISIONING', 'FAILED', 'RUNNING']);
    expect(region.published().at(-1).message).not.toContain('stuck');
  });

  it('publishes PROVISIONING when it is started again later, and FAILED only when that start is stuck too', async () => {
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

  it('does not count as busy any more', async () => {
    const region = launched();
    await region.list();
    await region.listFor(30 * minuteMs);

    const before = region.reads();
    await region.listFor(30 * minuteMs);

    expect(region.reads()).toBe(before);
  });
});
