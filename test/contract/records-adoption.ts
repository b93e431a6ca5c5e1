import { describe, expect, it } from 'vitest';
import { launchPlan, vmFacts } from '../fixtures/launches.ts';
import { type MakeVmRecords, vmRecordsSubject } from './records-subject.ts';

/** What every VmRecords is held to about instances that were found by their tags. */
export const vmRecordsAdoptionContract = (name: string, make: MakeVmRecords) => {
  const setup = vmRecordsSubject(make);

  describe(`VM records: ${name}, adopting`, () => {
    it('take an instance in whose id nobody had noted (C 41)', async () => {
      const { records, dcmId, region, vm } = await setup();

      expect(await records.adopt(vm(1))).toBe('adopted');
      expect(await records.adopt(vm(1))).toBe('known');
      expect(await records.read(dcmId)).toMatchObject({
        region,
        resourceId: vm(1).resourceId,
        facts: vmFacts(),
      });
    });

    it('finish a creation that crashed before it noted the instance, with what its plan tells (C 32)', async () => {
      const { records, dcmId, begun, vm } = await setup();
      const record = await records.attempt(await begun(), launchPlan(), 2);
      if (!record) throw new Error('expected the attempt to be noted');

      const adopted = await records.adopt(vm(1, { facts: { launchedAtMs: 1000 } }));
      const late = await records.launched(record, vm(1));

      expect(adopted).toBe('adopted');
      expect(late).toMatchObject({ resourceId: vm(1).resourceId });
      expect((await records.read(dcmId))?.launch).toBeUndefined();
    });

    it('know type, image and who logs in from the plan', async () => {
      const { records, dcmId, begun, vm } = await setup();
      await records.attempt(await begun(), launchPlan(), 2);

      await records.adopt(vm(1, { facts: { launchedAtMs: 1000 } }));

      expect((await records.read(dcmId))?.facts).toEqual({
        instanceType: 'm7i.large',
        imageId: 'ami-0123456789abcdef0',
        zone: 'us-east-1a',
        sshUser: 'ec2-user',
        chosenBy: { image: 'guest_os.type', instanceType: 'vcpu and memory' },
        getsPublicAddress: false,
        launchedAtMs: 1000,
      });
    });

    it('leave no attempt to a creation whose instance was adopted meanwhile', async () => {
      const { records, begun, vm } = await setup();
      const record = await begun();

      await records.adopt(vm(1));

      expect(await records.attempt(record, launchPlan(), 0)).toBeUndefined();
      expect(await records.launched(record, vm(2))).toBeUndefined();
    });

    it('leave a creation in hand to an instance that we launched', async () => {
      const { records, dcmId, begun, vm } = await setup();
      const record = await begun();

      expect(await records.adopt(vm(1, { adopted: true }))).toBe('another');
      expect(await records.read(dcmId)).toEqual(record);
      expect(await records.adopt(vm(2, { adopted: false }))).toBe('adopted');
      expect(await records.read(dcmId)).toMatchObject({ resourceId: vm(2).resourceId, adopted: false });
    });

    it('remember whether the instance was launched by us, and nothing where that is not known', async () => {
      const { records, dcmId, launched, vm } = await setup();
      expect(await launched()).toMatchObject({ adopted: false });
      await records.end(dcmId, vm(1).resourceId);

      await records.adopt(vm(2, { adopted: true }));
      expect(await records.read(dcmId)).toMatchObject({ adopted: true });

      await records.end(dcmId, vm(2).resourceId);
      await records.adopt(vm(3));
      expect((await records.read(dcmId))?.adopted).toBeUndefined();
    });

    it('keep to the instance that is the VM', async () => {
      const { records, dcmId, launched, vm } = await setup();
      const record = await launched();

      expect(await records.adopt(vm(2))).toBe('another');
      expect(await records.read(dcmId)).toEqual(record);
    });

    it('take another instance in where the VM is known to be gone', async () => {
      const { records, dcmId, launched, vm } = await setup();
      const { resourceId } = await launched();
      await records.requestDelete(dcmId);
      await records.end(dcmId, resourceId);

      expect(await records.adopt(vm(2))).toBe('adopted');
      const record = await records.read(dcmId);
      expect(record).toMatchObject({ generation: 1, resourceId: vm(2).resourceId });
      expect(record?.deleteRequestedAtMs ?? record?.endedAtMs).toBeUndefined();
    });

    it('take the same instance in again that was taken for gone: its tags were off it for a while (C 41)', async () => {
      const { records, dcmId, region, launched, vm } = await setup();
      const { resourceId, facts } = await launched();
      await records.end(dcmId, resourceId);

      expect(await records.adopt(vm(1, { facts: { launchedAtMs: 1000 } }))).toBe('adopted');

      const record = await records.read(dcmId);
      expect(record).toMatchObject({ resourceId, facts });
      expect(record?.endedAtMs).toBeUndefined();
      expect((await records.list({ region }, '', 10)).records).toHaveLength(1);
      expect(await records.requestDelete(dcmId)).toMatchObject({ resourceId });
    });

    it('do not forget that the deletion was asked for', async () => {
      const { records, dcmId, begun, vm } = await setup();
      await begun();
      await records.requestDelete(dcmId);

      await records.adopt(vm(1));

      expect((await records.read(dcmId))?.deleteRequestedAtMs).toBeDefined();
    });
  });
};
