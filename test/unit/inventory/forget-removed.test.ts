import { describe, expect, it } from 'vitest';
import { forgetRemoved } from '../../../functions/inventory/forget-removed.ts';
import type { Collection, Place } from '../../../shared/core/inventory/entry.ts';
import { placeKey } from '../../../shared/core/inventory/entry.ts';
import type { Target } from '../../../shared/core/target.ts';
import { memoryInventory } from '../../fakes/memory-inventory.ts';
import { memoryLog } from '../../fakes/silent.ts';

const dayMs = 86_400_000;
const startedAtMs = Date.parse('2026-03-01T10:00:00Z');
const home: Target = { region: 'eu-west-1' };
const other: Target = { region: 'eu-west-1', account: '222222222222' };
const instances: Place = { target: home, collection: 'instances' };

/** An inventory of these places, the last of which was never listed completely, and what is forgotten of it so long after the listing. */
const forgottenAfter = async (
  ageMs: number,
  { targets = [home], collections = ['instances'] }: { targets?: Target[]; collections?: Collection[] } = {},
) => {
  const inventory = memoryInventory();
  const listed: Place[] = [
    instances,
    { target: home, collection: 'volumes' },
    { target: other, collection: 'instances' },
  ];
  for (const place of listed) {
    await inventory.observePage(place, { startedAtMs, page: 0 }, [{ id: 'one', tags: {}, object: {} }]);
    await inventory.complete(place, { startedAtMs, pages: 1 });
  }
  const unlisted: Place = { target: { region: 'us-east-1' }, collection: 'instances' };
  const forgotten: string[] = [];
  await forgetRemoved({
    reader: inventory,
    maintenance: {
      places: async () => [...listed, unlisted].map(placeKey),
      forget: async (place) => void forgotten.push(placeKey(place)),
    },
    ...{ targets, collections: new Set(collections), now: () => startedAtMs + ageMs, log: memoryLog() },
  })();
  return forgotten;
};

describe('what is stored of the inventory', () => {
  it('is forgotten of targets and collections that are no longer configured, a day after their last listing', async () => {
    expect(await forgottenAfter(dayMs)).toEqual(['eu-west-1/volumes', '222222222222/eu-west-1/instances']);
  });

  it('is kept while another version of the function may still list it', async () => {
    expect(await forgottenAfter(dayMs - 10_000)).toEqual([]);
  });

  it('is kept of all that is configured, however old', async () => {
    const all = { targets: [home, other], collections: ['instances' as const, 'volumes' as const] };

    expect(await forgottenAfter(30 * dayMs, all)).toEqual([]);
  });
});
