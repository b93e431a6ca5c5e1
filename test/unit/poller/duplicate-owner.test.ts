import { describe, expect, it } from 'vitest';
import { minuteMs, polledRegion } from './region.ts';

describe('poller, with an instance that carries the id of another one’s VM', () => {
  const listed = async (duplicateOf?: string) => {
    const region = polledRegion();
    await region.resourceStore().markForeign([region.add(1)], duplicateOf);
    await region.listFor(5 * minuteMs);
    return region;
  };

  it('does not tell of it at each listing anew', async () => {
    const { statusesOf, meter } = await listed('vm-1');

    expect(statusesOf(1)).toEqual([]);
    expect(meter.counts.resyncHealed).toBeUndefined();
  });

  it.each([undefined, 'vm-2'])(
    'tells of it where what is remembered is something else: %s',
    async (duplicateOf) => {
      const { statusesOf } = await listed(duplicateOf);

      expect(statusesOf(1)).toEqual(['RUNNING']);
    },
  );
});
