import { describe, expect, it } from 'vitest';
import { FailedPreconditionError, NotFoundError } from '../../shared/core/errors.ts';
import { launchPlan } from '../fixtures/launches.ts';
import { leaseMs, type MakeVmRecords, vmRecordsSubject } from './records-subject.ts';

const other = '222222222222';

/** What every VmRecords is held to about ids that exist in another target. */
export const vmRecordsTargetsContract = (name: string, make: MakeVmRecords) => {
  const setup = vmRecordsSubject(make);

  describe(`VM records: ${name}, of several targets`, () => {
    it('do not give the creation of a record in another target, also once its lease has run out', async () => {
      const { records, clock, dcmId, region, begin, begun } = await setup();
      await begun();
      clock.ms += leaseMs;
      const elsewhere = { region: `${other}/${region}`, thereAlone: true };

      await expect(begin(elsewhere)).rejects.toThrow(FailedPreconditionError);
      await expect(begin({ region: 'elsewhere', thereAlone: true })).rejects.toThrow(FailedPreconditionError);
      expect(await records.read(dcmId)).toMatchObject({ region, leaseNumber: 1 });
      expect((await begin({ thereAlone: true })).outcome).toBe('begun');
    });

    it('do not give the id of a VM that has ended to one in another target', async () => {
      const { records, region, begin, launched } = await setup();
      const after = await launched();
      await records.end(after.dcmId, after.resourceId);
      const elsewhere = { region: `${other}/${region}`, thereAlone: true, after };

      await expect(begin(elsewhere)).rejects.toThrow(FailedPreconditionError);
      expect((await begin({ thereAlone: true, after })).outcome).toBe('begun');
    });

    it('do not record a deletion that is requested in another target', async () => {
      const { records, dcmId, region, launched } = await setup();
      await launched();

      const elsewhere = records.requestDelete(dcmId, { region, account: other });

      await expect(elsewhere).rejects.toThrow(NotFoundError);
      expect((await records.read(dcmId))?.deletedAtMs).toBeUndefined();
      expect((await records.requestDelete(dcmId, { region }))?.deleteRequestedAtMs).toBeDefined();
    });

    it('keep the id of a refused creation for its account', async () => {
      const { records, dcmId, region, begin, begun, vm } = await setup();
      await records.abandon(await begun());
      const elsewhere = `${other}/${region}`;

      await expect(begin({ region: elsewhere, thereAlone: true })).rejects.toThrow(FailedPreconditionError);
      await expect(records.requestDelete(dcmId, { region, account: other })).rejects.toThrow(NotFoundError);
      expect(await records.adopt(vm(2, { region: elsewhere, account: other }))).toBe('another');
      expect((await records.creation(dcmId)).deletedAtMs).toBeUndefined();
      expect((await begin({ region: `${region}-b`, thereAlone: true })).outcome).toBe('begun');
    });

    it('keep the id of a deletion without a VM for its account', async () => {
      const { records, dcmId, region, begin, vm } = await setup();
      const request = { key: 'request-1', specDigest: 'digest' };
      await records.requestDelete(dcmId, { region, account: other });

      await expect(records.requestDelete(dcmId, { region })).rejects.toThrow(NotFoundError);
      await expect(begin({ thereAlone: true })).rejects.toThrow(FailedPreconditionError);
      expect(await records.adopt(vm(1))).toBe('another');
      const there = { region: `${other}/${region}`, thereAlone: true };
      await expect(begin({ ...there, request })).rejects.toThrow(FailedPreconditionError);
      expect((await begin(there)).outcome).toBe('begun');
      expect(await records.requestDelete(dcmId, { region, account: other })).toMatchObject({ dcmId });
    });

    it.each([true, false])(
      'are not taken over by an instance in another account: adopted %s',
      async (adopted) => {
        const { records, dcmId, region, begun, vm, clock } = await setup();
        await records.attempt(await begun(), launchPlan(), 0);
        clock.ms += leaseMs;
        const inOther = vm(2, { region: `${other}/${region}`, account: other, adopted });

        expect(await records.adopt(inOther)).toBe('another');
        expect(await records.adopt(vm(1, { adopted: false }))).toBe('adopted');
        expect(await records.adopt(inOther)).toBe('another');
        await records.end(dcmId, vm(1).resourceId);
        expect(await records.adopt(inOther)).toBe('another');
        expect((await records.read(dcmId))?.resourceId).toBe(vm(1).resourceId);
      },
    );

    it('list and count each account’s VMs apart', async () => {
      const { records, region, vm } = await setup();
      const place = { region, account: other };
      await records.adopt(vm(1));
      await records.adopt(vm(2, { dcmId: `${vm(1).dcmId}-b`, region: `${other}/${region}`, account: other }));

      const ids = async (target: { region: string; account?: string }) =>
        (await records.list(target, '', 10)).records.map(({ resourceId }) => resourceId);
      expect([await ids({ region }), await ids(place)]).toEqual([[vm(1).resourceId], [vm(2).resourceId]]);
      expect([await records.count({ region }), await records.count(place)]).toEqual([1, 1]);
    });
  });
};
