import { describe, expect, it } from 'vitest';
import { FailedPreconditionError, NotFoundError } from '../../shared/core/errors.ts';
import { type Target, targetKey } from '../../shared/core/target.ts';
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

    it.each([
      { name: 'another account', there: { account: other } },
      { name: 'the home account', there: {} },
    ])(
      'refuse a late create where an id that was never used was deleted, in $name, and nowhere else',
      async ({ there }) => {
        const { records, dcmId, region, begin, clock } = await setup();
        const [deletedIn, usedIn] = [
          { ...there, region },
          { region, ...(there.account === undefined && { account: other }) },
        ];
        const create = (target: Target) =>
          begin({ region: targetKey(target), thereAlone: true, request: { key: 'r-1', specDigest: 'd' } });
        await records.requestDelete(dcmId, deletedIn);

        await expect(create(deletedIn)).rejects.toThrow(
          `DCM deleted ${dcmId}; no request creates it any more`,
        );
        expect((await records.creation(dcmId, deletedIn)).deletedAtMs).toBe(clock.ms);
        expect((await records.creation(dcmId, usedIn)).deletedAtMs).toBeUndefined();
        expect((await create(usedIn)).outcome).toBe('begun');
        expect((await records.read(dcmId))?.deletedAtMs).toBeUndefined();
        await expect(records.requestDelete(dcmId, deletedIn)).rejects.toThrow(NotFoundError);
        expect((await records.requestDelete(dcmId, usedIn))?.deletedAtMs).toBe(clock.ms);
      },
    );

    it('let an id that was never used be deleted in several targets, and adopted in another one', async () => {
      const { records, dcmId, region, begin, vm } = await setup();
      const targets = [{ region }, { region, account: other }];
      for (const target of targets) expect(await records.requestDelete(dcmId, target)).toBeUndefined();

      for (const target of targets)
        await expect(
          begin({ region: targetKey(target), request: { key: 'r-1', specDigest: 'd' } }),
        ).rejects.toThrow(FailedPreconditionError);
      expect(await records.adopt(vm(1, { region: `${region}-b` }))).toBe('adopted');
    });

    it('refuse a late create also after a create without a request had the id', async () => {
      const { records, dcmId, region, begin, launched } = await setup();
      await records.requestDelete(dcmId, { region });
      const after = await launched();
      await records.end(dcmId, after.resourceId);

      const late = await begin({ after, thereAlone: true, request: { key: 'r-1', specDigest: 'd' } });

      expect(late).toMatchObject({ outcome: 'held', record: { deletedAtMs: after.deletedAtMs } });
      expect(after.deletedAtMs).toBeDefined();
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
