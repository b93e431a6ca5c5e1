import { describe, expect, it } from 'vitest';
import { minuteMs, polledRegion } from './region.ts';

describe('poller with an instance that carries the DCM id of another instance', () => {
  const listed = async (duplicateOf?: string) => {
    const region = polledRegion();
    await region.resourceStore().markForeign([region.add(1)], duplicateOf);
    await region.listFor(5 * minuteMs);
    return region;
  };

  it('does not report it again at each listing', async () => {
    const { statusesOf, meter } = await listed('vm-1');

    expect(statusesOf(1)).toEqual([]);
    expect(meter.counts.resyncHealed).toBeUndefined();
  });

  it.each([undefined, 'vm-2'])(
    'reports it when another DCM id is stored as its duplicate: %s',
    async (duplicateOf) => {
      const { statusesOf } = await listed(duplicateOf);

      expect(statusesOf(1)).toEqual(['RUNNING']);
    },
  );
});
