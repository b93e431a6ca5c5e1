import { describe, expect, it } from 'vitest';
import { listCollection } from '../../../functions/poller/list-collection.ts';
import { pollTarget } from '../../../functions/poller/poll-target.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { Collection, type ListedEntry, type Place } from '../../../shared/core/inventory/entry.ts';
import type { Change } from '../../../shared/ports/change-feed.ts';
import type { Instances } from '../../../shared/service-types/vm/ports.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryInventory } from '../../fakes/memory-inventory.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, tagKeys } from '../../fixtures/resource-messages.ts';
import { idOf } from './region.ts';

const target = { region: 'us-east-1' };
const instancesPlace: Place = { target, collection: 'instances' };

/** A region with one VM of ours and one foreign instance, a poller and an inventory. */
const region = () => {
  const clock = { ms: (halfPastTen + 86_400) * 1000 };
  const now = () => clock.ms;
  const instances = scriptedInstances();
  const fed: Change[] = [];
  const inventory = memoryInventory({ append: async (more) => void fed.push(...more) });
  const queued: EventBridgeEvent[] = [];
  const asked: boolean[] = [];
  const meter = countingMeter();
  const log = memoryLog();
  const ours = { 'managed-by': 'dcm', 'dcm-instance-id': 'vm-1' };
  instances.known.set(idOf(1), described({ resourceId: idOf(1), tags: ours }));
  instances.known.set(idOf(2), described({ resourceId: idOf(2), tags: { Name: 'foreign' } }));
  const list: Instances['list'] = async (query) => {
    asked.push(query.withEntries ?? false);
    const page = await instances.list(query);
    const entries = [...instances.known.values()].map(
      ({ resourceId: id, tags }): ListedEntry => ({ id, tags, name: tags.Name, object: { InstanceId: id } }),
    );
    return { ...page, ...(query.withEntries && { resources: [...instances.known.values()], entries }) };
  };
  const listings = memoryListings(now);
  const polled = {
    writer: inventory,
  };
  const parts = (collections: ReadonlySet<Collection> | undefined) => ({
    ...{ provider: 'ec2-sp', tagKeys, floorSeconds: 10, now, random: () => 0, meter, log, listings },
    resourceStore: memoryResourceStore(now),
    types: [{ ...servedVms({ ...instances, list }), statusChecks: instances }],
    observations: { send: async (events: readonly EventBridgeEvent[]) => void queued.push(...events) },
    inventory: collections && { ...polled, collections },
  });
  const poll = (collections: ReadonlySet<Collection> | 'no inventory' = new Set(Collection.options)) => {
    clock.ms += 300_000;
    return pollTarget(parts(collections === 'no inventory' ? undefined : collections))({
      target,
      mode: 'legacy',
    });
  };
  const find = async (id: string) => (await inventory.snapshot(instancesPlace))?.find(id);
  return { clock, now, instances, inventory, fed, queued, asked, meter, log, listings, polled, poll, find };
};

describe('a listing of VMs with an inventory', () => {
  it('has every instance in one call, those outside DCM too (B3 6)', async () => {
    const { poll, find, queued, asked } = region();
    await poll();

    expect(asked).toEqual([true]);
    expect(await find(idOf(2))).toMatchObject({ name: 'foreign' });
    expect(queued).toHaveLength(1);
  });

  it('asks for the tagged instances alone where there is no inventory', async () => {
    const { poll, asked, inventory } = region();
    await poll('no inventory');
    await poll(new Set(['volumes'] as const));

    expect(asked).toEqual([false, false]);
    expect(await inventory.snapshot(instancesPlace)).toBeUndefined();
  });

  it('shows an instance as unhealthy from the listing after its check failed, until it passes', async () => {
    const { poll, find, instances } = region();
    instances.failing.instance.set(idOf(2), undefined);
    await poll();
    await poll();
    const failing = await find(idOf(2));
    instances.failing.instance.delete(idOf(2));
    for (let check = 0; check < 4; check += 1) await poll();

    expect(failing?.unhealthy).toBe('its instance status check fails');
    expect((await find(idOf(2)))?.unhealthy).toBeUndefined();
  });

  it('reports VMs to DCM although the inventory cannot be written, and fills it later (B3 12)', async () => {
    const { poll, find, inventory, queued, meter } = region();
    const { observePage } = inventory;
    const down = async () => {
      throw new UnavailableError('the table throttles');
    };
    Object.assign(inventory, { observePage: down });
    await poll();
    const during = await inventory.snapshot(instancesPlace);
    Object.assign(inventory, { observePage });
    await poll();

    expect(queued.length).toBeGreaterThan(0);
    expect(during).toBeUndefined();
    expect(meter.counts.inventoryNotWritten).toBe(1);
    expect(await find(idOf(1))).toBeDefined();
  });

  it('announces what is new, once', async () => {
    const { poll, fed } = region();
    await poll();
    const first = fed.length;
    await poll();

    expect(first).toBe(2);
    expect(fed).toHaveLength(first);
  });
});

describe('a collection that only the inventory has', () => {
  const listed = (collections: ReadonlySet<Collection> = new Set(Collection.options)) => {
    const { clock, now, meter, log, listings, polled, inventory } = region();
    const failing = new Set<Collection>();
    const calls: Collection[] = [];
    const poll = listCollection({
      ...{ now, meter, log, listings, seconds: 3600 },
      inventory: { ...polled, collections },
      collections: {
        list: async ({ place: { collection }, token = '0' }) => {
          calls.push(collection);
          if (failing.has(collection)) throw new UnavailableError('UnauthorizedOperation');
          const start = Number(token);
          const entries = [0, 1].map(
            (n): ListedEntry => ({ id: `${collection}-${start + n}`, tags: {}, object: {} }),
          );
          return { entries, nextToken: start < 4 ? String(start + 2) : undefined, calls: 1 };
        },
      },
    });
    const list = (collection: Collection) => poll({ target: { ...target, collection }, mode: 'legacy' });
    const count = async (collection: Collection) => (await inventory.snapshot({ target, collection }))?.count;
    return { clock, meter, list, count, failing, calls };
  };

  it('is listed with all its pages, and again an hour later', async () => {
    const { list, count, calls, clock } = listed();
    await list('volumes');
    await list('volumes');
    const within = calls.length;
    clock.ms += 2 * 3_600_000;
    await list('volumes');

    expect(await count('volumes')).toBe(6);
    expect([within, calls.length]).toEqual([3, 6]);
  });

  it('that fails does not keep another one from being listed (B3 12)', async () => {
    const { list, count, failing, meter } = listed();
    failing.add('volumes');
    await list('volumes');
    await list('vpcs');

    expect([await count('volumes'), await count('vpcs')]).toEqual([undefined, 6]);
    expect(meter.counts.collectionsNotListed).toBe(1);
  });

  it('costs a bounded number of calls an hour, which are counted (B3 36)', async () => {
    const { list, calls, clock, meter } = listed();
    for (let minute = 0; minute < 240; minute += 1) {
      clock.ms += 60_000;
      for (const collection of ['volumes', 'vpcs', 'subnets'] as const) await list(collection);
    }

    expect(calls.length).toBeLessThanOrEqual(3 * 3 * 5);
    expect(meter.counts.inventoryCalls).toBe(calls.length);
  });

  it('that is switched off is not listed', async () => {
    const { list, calls } = listed(new Set(['vpcs'] as const));
    await list('volumes');

    expect(calls).toEqual([]);
  });
});
