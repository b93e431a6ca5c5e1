import { describe, expect, it } from 'vitest';
import { launchPlan } from '../fixtures/launches.ts';
import { type MakeVmRecords, vmRecordsSubject } from './records-subject.ts';

/** What every VmRecords is held to about listing and counting. */
export const vmRecordsIndexContract = (name: string, make: MakeVmRecords) => {
  const setup = vmRecordsSubject(make);

  describe(`VM records: ${name}, listed`, () => {
    it('come by region, in the order of their ids, page by page, and the last page says so (C 27, C 28)', async () => {
      const { records, region, begun } = await setup();
      for (const id of ['c', 'a', 'e', 'b', 'd']) await begun({ dcmId: `${region}-${id}` });
      await begun({ dcmId: `${region}-f`, region: `${region}-other` });

      const first = await records.list({ region }, '', 2);
      const second = await records.list({ region }, first.last ?? '', 2);
      const third = await records.list({ region }, second.last ?? '', 2);
      const whole = await records.list({ region }, '', 5);

      const ids = (page: typeof first) => page.records.map(({ dcmId }) => dcmId.at(-1)).join('');
      expect([first, second, third, whole].map(ids)).toEqual(['ab', 'cd', 'e', 'abcde']);
      expect([first.last, second.last]).toEqual([`${region}-b`, `${region}-d`]);
      expect([third.last, whole.last]).toEqual([undefined, undefined]);
    });

    it('skip and repeat nothing where VMs come and go between two pages (C 26)', async () => {
      const { records, region, begun } = await setup();
      for (const id of ['b', 'd', 'f']) await begun({ dcmId: `${region}-${id}` });

      const first = await records.list({ region }, '', 2);
      await records.abandon(await recordOf(`${region}-b`));
      await begun({ dcmId: `${region}-a` });
      await begun({ dcmId: `${region}-e` });
      const second = await records.list({ region }, first.last ?? '', 2);

      expect(second.records.map(({ dcmId }) => dcmId)).toEqual([`${region}-e`, `${region}-f`]);

      async function recordOf(dcmId: string) {
        const record = await records.read(dcmId);
        if (!record) throw new Error(`expected ${dcmId}`);
        return record;
      }
    });

    it('are an empty page in a region without any', async () => {
      const { records, region } = await setup();

      expect(await records.list({ region }, '', 50)).toEqual({ records: [], last: undefined });
      expect(await records.count({ region })).toBe(0);
    });

    it('are not those that were refused or are gone', async () => {
      const { records, region, dcmId, begun, launched } = await setup();
      await records.abandon(await begun({ dcmId: `${dcmId}-refused` }));
      const { resourceId } = await launched();

      await records.end(dcmId, 'i-another');
      const before = await records.list({ region }, '', 50);
      await records.end(dcmId, resourceId);
      const after = await records.list({ region }, '', 50);

      expect(before.records.map((record) => record.dcmId)).toEqual([dcmId]);
      expect(after.records).toEqual([]);
      expect(await records.read(dcmId)).toMatchObject({ resourceId, endedAtMs: expect.any(Number) });
    });

    it('are to be deleted from the request on, until they have ended or EC2 refuses it', async () => {
      const { records, region, clock, begun, launched } = await setup();
      const ids = ['begun', 'refused', 'ended', 'living', 'late'].map((name) => `${region}-${name}`);
      const [creating = '', refused = '', ended = '', living = '', late = ''] = ids;
      for (const id of [refused, ended, living, late]) await launched(id);
      await begun({ dcmId: creating });
      await begun({ dcmId: `${region}-elsewhere`, region: `${region}-other` });
      for (const id of [creating, refused, ended, `${region}-elsewhere`]) await records.requestDelete(id);
      const untilMs = clock.ms;
      clock.ms += 1;
      await records.requestDelete(late);

      const before = await records.deletionsRequested({ region }, untilMs);
      await records.withdrawDelete(refused);
      await records.end(ended, (await records.read(ended))?.resourceId ?? '');
      clock.ms += 1;
      await records.requestDelete(creating);
      const after = await records.deletionsRequested({ region }, untilMs);

      expect(before).toEqual([creating, ended, refused]);
      expect(after).toEqual([creating]);
    });

    it('are counted from when they are planned, while nobody asked for their deletion', async () => {
      const { records, region, dcmId, begun, launched } = await setup();
      for (const id of ['a', 'b']) await launched(`${region}-${id}`);
      await begun({ dcmId: `${region}-c` });
      await records.attempt(await begun({ dcmId: `${region}-d` }), launchPlan(), 0);
      await records.attempt(await begun({ dcmId, region: `${region}-other` }), launchPlan(), 0);

      await records.requestDelete(`${region}-b`);

      expect(await records.count({ region })).toBe(2);
    });
  });
};
