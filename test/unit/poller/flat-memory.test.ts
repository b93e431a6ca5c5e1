import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { pollTarget } from '../../../functions/poller/poll-target.ts';
import type { Instance, Instances } from '../../../shared/service-types/vm/ports.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, tagKeys } from '../../fixtures/resource-messages.ts';
import { idOf } from './region.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const pageSize = 1_000;

/** A region of so many VMs, each made when its page is asked for, and told to nobody but who asks. */
const endlessRegion = (vms: number) => {
  const made: WeakRef<object>[] = [];
  const list: Instances['list'] = async ({ token = '0' }) => {
    const first = Number(token);
    const instances = Array.from({ length: pageSize }, (_, index): Instance => {
      const n = first + index;
      const tags = { 'managed-by': 'dcm', 'dcm-instance-id': `vm-${n}` };
      return described({ resourceId: idOf(n), tags });
    });
    made.push(...instances.map((instance) => new WeakRef(instance)));
    const next = first + pageSize;
    return { resources: instances, nextToken: next < vms ? String(next) : undefined };
  };
  /** How many of those made are still held by somebody. A WeakRef holds what it refers to until the turn ends. */
  const held = async () => {
    await turn();
    collectGarbage();
    return made.filter((one) => one.deref() !== undefined).length;
  };
  return { instances: { ...scriptedInstances(), list }, made, held };
};

/** The most instances that are held at once between two pages, where a region of so many VMs is listed for the first time. */
const mostHeld = async (vms: number, { hoard }: { readonly hoard: boolean }) => {
  const now = () => halfPastTen * 1000;
  const region = endlessRegion(vms);
  const hoarded: unknown[] = [];
  let queued = 0;
  const poll = pollTarget({
    ...{ provider: 'ec2-sp', tagKeys, floorSeconds: 10, now, random: () => 0 },
    ...{
      resourceStore: memoryResourceStore(now),
      listings: memoryListings(now),
      meter: countingMeter(),
      log: memoryLog(),
    },
    types: [
      servedVms({
        ...region.instances,
        list: async (query) => {
          const page = await region.instances.list(query);
          if (hoard) hoarded.push(page);
          return page;
        },
      }),
    ],
    observations: {
      send: async (events) => {
        queued += events.length;
      },
    },
  });
  let most = 0;
  for (let page = 1; page <= vms / pageSize; page++) {
    await poll({ target: { region: 'us-east-1' }, mode: 'legacy' });
    if (page % 10 === 0) most = Math.max(most, await region.held());
  }
  return { most, made: region.made.length, queued };
};

describe('a listing of a hundred thousand VMs', () => {
  it('holds at most two pages in memory, however many it has listed (C 66)', async () => {
    const { most, made, queued } = await mostHeld(100_000, { hoard: false });

    expect({ made, queued }).toEqual({ made: 100_000, queued: 100_000 });
    expect(most).toBeLessThanOrEqual(2 * pageSize);
  });

  it('is found to hold all of them when a test keeps the pages', async () => {
    const { most } = await mostHeld(20_000, { hoard: true });

    expect(most).toBe(20_000);
  });
});
