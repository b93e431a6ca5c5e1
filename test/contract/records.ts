import { describe, expect, it } from 'vitest';
import { launchPlan, vmFacts } from '../fixtures/launches.ts';
import { vmRecordsAdoptionContract } from './records-adoption.ts';
import { vmRecordsIndexContract } from './records-index.ts';
import { leaseMs, type MakeVmRecords, vmRecordsSubject } from './records-subject.ts';
import { vmRecordsTargetsContract } from './records-targets.ts';

/** What every VmRecords is held to. */
export const vmRecordsContract = (name: string, make: MakeVmRecords) => {
  const setup = vmRecordsSubject(make);

  describe(`VM records: ${name}`, () => {
    it('do not know an id that was never begun', async () => {
      const { records, dcmId } = await setup();

      expect(await records.read(dcmId)).toBeUndefined();
      expect(await records.requestDelete(dcmId)).toBeUndefined();
    });

    it('give the creation to exactly one of many callers (C 29)', async () => {
      const { records, dcmId, begin } = await setup();

      const all = await Promise.all(Array.from({ length: 20 }, () => begin()));

      expect(all.filter(({ outcome }) => outcome === 'begun')).toHaveLength(1);
      const record = await records.read(dcmId);
      expect(record).toMatchObject({ dcmId, generation: 0, attempt: 0, leaseNumber: 1 });
      for (const one of all) expect(one.record).toEqual(record);
    });

    it('let another caller take over, with the plan and in the region as noted, once the lease has run out', async () => {
      const { records, clock, region, begin, begun } = await setup();
      const first = await begun();
      const plan = launchPlan();
      await records.attempt(first, plan, 1);

      clock.ms += leaseMs - 1;
      const tooEarly = await begin();
      clock.ms += 1;
      const taken = await begin({ region: 'elsewhere' });

      expect(tooEarly.outcome).toBe('held');
      expect(taken.outcome).toBe('begun');
      expect(taken.record).toMatchObject({ region, launch: plan, attempt: 1, generation: 0, leaseNumber: 2 });
      expect(taken.record.createdAtMs).toBe(first.createdAtMs);
      expect(await records.attempt(first, plan, 2)).toBeUndefined();
    });

    it('note the instance and forget the plan, once and again', async () => {
      const { records, dcmId, begin, begun, vm } = await setup();
      const record = await records.attempt(await begun(), launchPlan(), 0);
      if (!record) throw new Error('expected the attempt to be noted');

      const first = await records.launched(record, vm(1));
      const again = await records.launched(record, vm(1));
      const begunAgain = await begin();

      expect(first).toEqual(again);
      expect(first).toMatchObject({
        resourceId: vm(1).resourceId,
        account: '123456789012',
        facts: vmFacts(),
      });
      expect(first?.launch).toBeUndefined();
      expect(first?.leaseUntilMs).toBeUndefined();
      expect(begunAgain).toEqual({ outcome: 'held', record: await records.read(dcmId) });
    });

    describe('the status of a creation that has failed', () => {
      const status = {
        ...{ key: '17873946000', id: 'vm:17873946000:launch-failed', at: 1_787_394_600 },
        ...{ status: 'FAILED' as const, message: 'it could not be launched: no room', requestId: 'r-1' },
      };

      it('is kept, once, also of an id that was never begun', async () => {
        const { records, dcmId } = await setup();
        const seen = await records.creation(dcmId);

        expect(await records.fail(dcmId, seen, status)).toEqual(status);
        expect(await records.fail(dcmId, seen, { ...status, id: 'another' })).toBeUndefined();

        expect(seen).toEqual({});
        expect(await records.creation(dcmId)).toEqual({ failure: { status, isPublished: false } });
        expect(await records.read(dcmId)).toBeUndefined();
      });

      it('is in the record of a creation until another attempt begins', async () => {
        const { records, dcmId, begun, clock } = await setup();
        await begun();
        clock.ms += leaseMs;
        await records.fail(dcmId, await records.creation(dcmId), status);

        expect(await records.read(dcmId)).toMatchObject({ failure: status });
        await begun();
        expect((await records.read(dcmId))?.failure).toBeUndefined();
      });

      it('need not be published any more once it was', async () => {
        const { records, dcmId } = await setup();
        await records.fail(dcmId, await records.creation(dcmId), status);

        await records.failurePublished(dcmId, 'another');
        expect(await records.creation(dcmId)).toMatchObject({ failure: { isPublished: false } });
        await records.failurePublished(dcmId, status.id);

        expect(await records.creation(dcmId)).toMatchObject({ failure: { status, isPublished: true } });
      });

      it('is gone when another attempt begins, whose time is kept after it was abandoned', async () => {
        const { records, dcmId, begun, clock } = await setup();
        await records.fail(dcmId, await records.creation(dcmId), status);

        const record = await begun();
        const inHand = await records.creation(dcmId);
        await records.abandon(record);
        const abandoned = await records.creation(dcmId);

        expect(inHand).toMatchObject({ record, leaseNumber: 1, attemptedAtMs: clock.ms });
        expect(abandoned).toEqual({ leaseNumber: 1, attemptedAtMs: clock.ms });
      });

      it('is refused where somebody has the creation in hand, has begun it since, or has launched the VM', async () => {
        const { records, dcmId, begun, begin, vm, clock } = await setup();
        const before = await records.creation(dcmId);
        const mine = await begun();

        expect(await records.fail(dcmId, before, status)).toBeUndefined();
        expect(await records.fail(dcmId, await records.creation(dcmId), status)).toBeUndefined();
        clock.ms += leaseMs;
        const seen = await records.creation(dcmId);
        await records.launched(mine, vm(1));
        expect(await records.fail(dcmId, seen, status)).toBeUndefined();
        expect((await begin()).outcome).toBe('held');
      });
    });

    it('take the instance of an attempt from whoever asked for it, also after another took over', async () => {
      const { records, clock, begun, vm } = await setup();
      const late = await records.attempt(await begun(), launchPlan(), 0);
      clock.ms += leaseMs;
      await begun();
      if (!late) throw new Error('expected the attempt to be noted');

      expect(await records.launched(late, vm(1))).toMatchObject({ resourceId: vm(1).resourceId });
    });

    it('refuse the instance of an attempt that was given up for the next one', async () => {
      const { records, clock, begun, vm } = await setup();
      const late = await records.attempt(await begun(), launchPlan(), 0);
      clock.ms += leaseMs;
      const next = await records.attempt(await begun(), launchPlan(), 1);
      if (!late || !next) throw new Error('expected the attempts to be noted');

      expect(await records.launched(late, vm(1))).toBeUndefined();
      expect(await records.launched(next, vm(2))).toMatchObject({ resourceId: vm(2).resourceId });
      expect(await records.launched(late, vm(1))).toBeUndefined();
    });

    it('forget a creation that was refused, but for its generation, so that the id can be used again', async () => {
      const { records, dcmId, begun, vm } = await setup();
      const refused = await begun();

      await records.abandon(refused);
      const between = await records.read(dcmId);
      const late = await records.launched(refused, vm(1));
      const next = await begun();

      expect(between).toBeUndefined();
      expect(late).toBeUndefined();
      expect(next).toMatchObject({ generation: 1, attempt: 0 });
      expect(next.launch).toBeUndefined();
    });

    it('forget nothing that is in the hands of another', async () => {
      const { records, clock, dcmId, begun } = await setup();
      const first = await begun();
      clock.ms += leaseMs;
      const second = await begun();

      await records.abandon(first);

      expect(await records.read(dcmId)).toEqual(second);
    });

    it('remember when its deletion was first asked for, and until that was withdrawn', async () => {
      const { records, clock, dcmId, launched } = await setup();
      const record = await launched();

      const first = await records.requestDelete(dcmId);
      clock.ms += 1000;
      const again = await records.requestDelete(dcmId);
      await records.withdrawDelete(dcmId);
      await records.withdrawDelete(dcmId);

      const deleteRequestedAtMs = clock.ms - 1000;
      expect(first).toEqual({ ...record, deleteRequestedAtMs, deletedAtMs: clock.ms - 1000 });
      expect(again).toEqual({ ...record, deleteRequestedAtMs, deletedAtMs: clock.ms });
      expect(await records.read(dcmId)).toEqual(record);
    });

    it('take the request to delete in the target of the VM alone, where one is named', async () => {
      const { records, dcmId, region, launched } = await setup();
      await launched();

      await expect(records.requestDelete(dcmId, { region: 'elsewhere' })).rejects.toThrow(
        `${dcmId} is not in this target`,
      );
      expect((await records.read(dcmId))?.deleteRequestedAtMs).toBeUndefined();
      expect(await records.requestDelete(dcmId, { region })).toMatchObject({ dcmId });
    });

    it('refuse a request for an id that was deleted, whether there was a VM or not, and no other create', async () => {
      const { records, dcmId, begin, launched } = await setup();
      const request = { key: 'r-1', specDigest: 'd' };
      await records.requestDelete(dcmId);
      const deleted = `${dcmId}-deleted`;
      const record = await launched(deleted);
      await records.requestDelete(deleted);
      await records.end(deleted, record.resourceId);

      await expect(begin({ request })).rejects.toThrow(
        `DCM deleted ${dcmId}; no request creates it any more`,
      );
      const late = await begin({ dcmId: deleted, after: record, request });

      expect(late).toEqual({ outcome: 'held', record: await records.read(deleted) });
      expect((await begin({ dcmId: deleted, after: record })).outcome).toBe('begun');
      expect((await begin()).outcome).toBe('begun');
      expect((await begin({ dcmId: `${dcmId}-other`, request })).outcome).toBe('begun');
    });

    it('refuse such a request also after the creation that was deleted had come to nothing', async () => {
      const { records, dcmId, begin, begun } = await setup();
      const request = { key: 'r-1', specDigest: 'd' };
      const record = await begun({ request });
      await records.requestDelete(dcmId);
      await records.abandon(record);

      await expect(begin({ request })).rejects.toThrow(
        `DCM deleted ${dcmId}; no request creates it any more`,
      );
      expect((await begin()).outcome).toBe('begun');
    });

    it('let a request create where the deletion of its id was withdrawn', async () => {
      const { records, dcmId, begin, launched } = await setup();
      const record = await launched();
      await records.requestDelete(dcmId);
      await records.withdrawDelete(dcmId);
      await records.end(dcmId, record.resourceId);

      const begun = await begin({ after: record, request: { key: 'r-1', specDigest: 'd' } });

      expect(begun.outcome).toBe('begun');
    });

    it('remember the request of a VM, also where another took its creation over, and forget it with the VM', async () => {
      const { records, clock, begun, vm } = await setup();
      const request = { key: 'r-1', specDigest: 'd-1' };
      await begun({ request });
      clock.ms += leaseMs;
      const taken = await begun({ request: { key: 'r-2', specDigest: 'd-2' } });
      const first = await records.launched(taken, vm(1));
      if (!first?.resourceId || !first.account || !first.facts) throw new Error('expected an instance');
      const after = { ...first, resourceId: first.resourceId, account: first.account, facts: first.facts };
      await records.end(first.dcmId, first.resourceId);
      const second = await begun({ after });
      await records.abandon(second);
      const third = await begun({ request: { key: 'r-3', specDigest: 'd-3' } });

      expect(first).toMatchObject({ requestKey: 'r-1', specDigest: 'd-1' });
      expect([second.requestKey, second.specDigest]).toEqual([undefined, undefined]);
      expect(third).toMatchObject({ requestKey: 'r-3', specDigest: 'd-3' });
    });

    it('tell a creation in flight that its VM is to be deleted, and let nobody take it over', async () => {
      const { records, clock, dcmId, begin, begun, vm } = await setup();
      const record = await begun();

      await records.requestDelete(dcmId);
      const attempted = await records.attempt(record, launchPlan(), 0);
      clock.ms += leaseMs;
      const taken = await begin();
      const launched = await records.launched(record, vm(1));

      expect(attempted?.deleteRequestedAtMs).toBeDefined();
      expect(taken.outcome).toBe('held');
      expect(launched?.deleteRequestedAtMs).toBeDefined();
    });

    it('give the id of a VM that is gone to exactly one new one, which knows nothing of it', async () => {
      const { records, clock, dcmId, begin, launched } = await setup();
      const gone = await launched();
      await records.requestDelete(dcmId);
      const deleted = { ...gone, deleteRequestedAtMs: clock.ms };
      clock.ms += 1000;

      const all = await Promise.all(Array.from({ length: 5 }, () => begin({ after: deleted })));

      expect(all.filter(({ outcome }) => outcome === 'begun')).toHaveLength(1);
      const next = await records.read(dcmId);
      expect(next).toMatchObject({ generation: 1, attempt: 0, createdAtMs: clock.ms });
      expect(next?.resourceId ?? next?.facts ?? next?.deleteRequestedAtMs).toBeUndefined();
    });
  });

  vmRecordsAdoptionContract(name, make);
  vmRecordsTargetsContract(name, make);
  vmRecordsIndexContract(name, make);
};
