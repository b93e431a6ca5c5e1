import { describe, expect, it } from 'vitest';
import { launchPlan } from '../fixtures/launches.ts';
import { type MakeVmRecords, vmRecordsSubject } from './records-subject.ts';

/** What every VmRecords is held to about listing and counting. */
export const vmRecordsIndexContract = (name: string, make: MakeVmRecords) => {
  const setup = vmRecordsSubject(make);

  describe(`VM records: ${name}, listed`, () => {
    it('come by region, in the order of their ids, page by page, and the last page says so (C 27, C 28)', async () => {
      const { records, region, begun } = await setup();
      for (const id of ['c', 'a', 'e', 'b', 'd']) await begun({ vmId: `${region}-${id}` });
      await begun({ vmId: `${region}-f`, region: `${region}-other` });

      const first = await records.list(region, '', 2);
      const second = await records.list(region, first.last ?? '', 2);
      const third = await records.list(region, second.last ?? '', 2);
      const whole = await records.list(region, '', 5);

      const ids = (page: typeof first) => page.records.map(({ vmId }) => vmId.at(-1)).join('');
      expect([first, second, third, whole].map(ids)).toEqual(['ab', 'cd', 'e', 'abcde']);
      expect([first.last, second.last]).toEqual([`${region}-b`, `${region}-d`]);
      expect([third.last, whole.last]).toEqual([undefined, undefined]);
    });

    it('skip and repeat nothing where VMs come and go between two pages (C 26)', async () => {
      const { records, region, begun } = await setup();
      for (const id of ['b', 'd', 'f']) await begun({ vmId: `${region}-${id}` });

      const first = await records.list(region, '', 2);
      await records.abandon(await recordOf(`${region}-b`));
      await begun({ vmId: `${region}-a` });
      await begun({ vmId: `${region}-e` });
      const second = await records.list(region, first.last ?? '', 2);

      expect(second.records.map(({ vmId }) => vmId)).toEqual([`${region}-e`, `${region}-f`]);

      async function recordOf(vmId: string) {
        const record = await records.read(vmId);
        if (!record) throw new Error(`expected ${vmId}`);
        return record;
      }
    });

    it('are an empty page in a region without any', async () => {
      const { records, region } = await setup();

      expect(await records.list(region, '', 50)).toEqual({ records: [], last: undefined });
      expect(await records.count(region)).toBe(0);
    });

    it('are not those that were refused or are gone', async () => {
      const { records, region, vmId, begun, launched } = await setup();
      await records.abandon(await begun({ vmId: `${vmId}-refused` }));
      const { instanceId } = await launched();

      await records.end(vmId, 'i-another');
      const before = await records.list(region, '', 50);
      await records.end(vmId, instanceId);
      const after = await records.list(region, '', 50);

      expect(before.records.map((record) => record.vmId)).toEqual([vmId]);
      expect(after.records).toEqual([]);
      expect(await records.read(vmId)).toMatchObject({ instanceId, endedAtMs: expect.any(Number) });
    });

    it('are counted from when they are planned, while nobody asked for their deletion', async () => {
      const { records, region, vmId, begun, launched } = await setup();
      for (const id of ['a', 'b']) await launched(`${region}-${id}`);
      await begun({ vmId: `${region}-c` });
      await records.attempt(await begun({ vmId: `${region}-d` }), launchPlan(), 0);
      await records.attempt(await begun({ vmId, region: `${region}-other` }), launchPlan(), 0);

      await records.requestDelete(`${region}-b`);

      expect(await records.count(region)).toBe(2);
    });
  });
};
