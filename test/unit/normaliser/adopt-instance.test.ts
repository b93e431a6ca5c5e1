import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { clientToken } from '../../../shared/service-types/client-token.ts';
import type { Instance } from '../../../shared/service-types/vm/ports.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { described } from '../../fakes/scripted-instances.ts';
import {
  dcmId,
  halfPastTen,
  observed,
  ourTags,
  resourceId,
  tagged,
} from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const second = 'i-0000000000000000a';
const launched = {
  instanceType: 't3.small',
  imageId: 'ami-1',
  zone: 'us-east-1a',
  privateAddress: '10.0.0.7',
};
const facts = { ...launched, launchedAtMs: (halfPastTen - 3600) * 1000 };

const withRecords = (...known: Partial<Instance>[]) => {
  const account = awsAccount(...known.map((one) => ({ ...one, ...facts, tags: ourTags })));
  const records = memoryVmRecords(() => account.clock.ms);
  return { ...account, records, deliver: account.worker({ records }) };
};

describe('normaliser, claiming an instance', () => {
  it('notes it as the VM, with what EC2 tells of it', async () => {
    const { deliver, records } = withRecords({ resourceId });

    await deliver([observed('running')]);

    expect(await records.read(dcmId)).toMatchObject({
      resourceId,
      account: vm.account,
      region: vm.region,
      facts,
    });
  });

  it('notes what is known where EC2 does not know the instance any more: a tag change tells whose it is', async () => {
    const { deliver, records, instances } = withRecords();

    await deliver([[tagged(ourTags), observed('running', 3)]]);

    expect(instances.calls).toEqual([[resourceId]]);
    expect((await records.read(dcmId))?.facts).toEqual({ launchedAtMs: halfPastTen * 1000 });
  });

  it('reads no record of what is claimed already', async () => {
    const { worker, records, resourceStore, statuses } = withRecords();
    await resourceStore.claim(vm);
    const never = () => Promise.reject(new Error('asked for a record'));

    const failures = await worker({ records: { ...records, read: never, adopt: never, end: never } })([
      observed('running'),
    ]);

    expect([failures.size, statuses()]).toEqual([0, ['RUNNING']]);
  });

  it('claims nothing that could not be noted, and tries it again', async () => {
    const { worker, records, held } = withRecords({ resourceId });
    const adopt = () => Promise.reject(new UnavailableError('the table is down'));

    const failures = await worker({ records: { ...records, adopt } })([observed('running')]);

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect(await held()).toEqual({ owner: 'unknown' });
  });
});

describe('normaliser, claiming an instance whose DCM id was deleted while EC2 was asked for it', () => {
  const token = clientToken('ec2-sp', { dcmId, generation: 0, attempt: 0 });
  /** DCM deletes the id during the creation, which is given up or not. */
  const deletedInCreation = async (isGivenUp: boolean, clientToken = token) => {
    const account = withRecords({ resourceId, clientToken });
    const { records } = account;
    const { record } = await records.begin({ dcmId, region: vm.region, leaseMs: 11_000 });
    await records.requestDelete(dcmId);
    if (isGivenUp) await records.abandon(record);
    return account;
  };
  const isDeletionHeld = async ({ held }: ReturnType<typeof withRecords>) => {
    const found = await held();
    return found?.owner === 'ours' && found.vm.deleteRequested === true;
  };

  it.each([true, false])(
    'holds the deletion of the instance, too; the creation was given up: %s',
    async (isGivenUp) => {
      const account = await deletedInCreation(isGivenUp);

      await account.deliver([observed('running')]);

      expect(await account.records.read(dcmId)).toMatchObject({
        ...{ resourceId, deleteRequestedAtMs: expect.any(Number) },
      });
      expect(await isDeletionHeld(account)).toBe(true);
    },
  );

  it('holds it although a worker crashed before the claim', async () => {
    const account = await deletedInCreation(true);
    const claim = () => Promise.reject(new UnavailableError('crashed'));
    const { resourceStore, records } = account;
    await account.worker({ records, resourceStore: { ...resourceStore, claim } })([observed('running')]);

    await account.deliver([observed('running')], 2);

    expect(await isDeletionHeld(account)).toBe(true);
  });

  it('holds none of an instance that others launched with the same tags', async () => {
    const account = await deletedInCreation(true, 'the token of another program');

    await account.deliver([observed('running')]);

    expect(await isDeletionHeld(account)).toBe(false);
  });

  it('holds none of an instance that was launched for the id after its deletion', async () => {
    const next = clientToken('ec2-sp', { dcmId, generation: 1, attempt: 0 });
    const account = await deletedInCreation(true, next);

    await account.deliver([observed('running')]);

    expect(await isDeletionHeld(account)).toBe(false);
    expect(await account.records.read(dcmId)).not.toHaveProperty('deleteRequestedAtMs');
  });
});

describe('normaliser, with two instances that carry one DCM id', () => {
  it('reports the first, and not the second', async () => {
    const { deliver, statuses, log, meter, held } = withRecords({ resourceId }, { resourceId: second });
    await deliver([observed('running')]);

    await deliver([observed('stopped', 60, { resourceId: second })]);

    expect([statuses(), statuses(second)]).toEqual([['RUNNING'], []]);
    expect(await held(second)).toEqual({ owner: 'foreign', duplicateOf: dcmId });
    expect(meter.counts.duplicateOwner).toBe(1);
    expect(log.lines).toContain('error: two resources carry one DCM id; the second is not reported');
  });

  it('asks nobody about the second one’s further events', async () => {
    const { deliver, instances, meter } = withRecords({ resourceId }, { resourceId: second });
    await deliver([observed('running')]);
    await deliver([observed('running', 60, { resourceId: second })]);
    const calls = instances.calls.length;

    await deliver([observed('stopping', 90, { resourceId: second })]);

    expect(instances.calls).toHaveLength(calls);
    expect(meter.counts.duplicateOwner).toBe(1);
  });

  it('reports a VM no more that is given the id of another one', async () => {
    const { deliver, resourceStore, held, statuses } = withRecords({ resourceId }, { resourceId: second });
    await deliver([observed('running')]);
    await resourceStore.claim({ ...vm, resourceId: second, dcmId: 'vm-a' });

    await deliver([tagged(ourTags, 60, { resourceId: second })]);
    await deliver([observed('stopped', 90, { resourceId: second })]);

    expect(await held(second)).toEqual({ owner: 'foreign', duplicateOf: dcmId });
    expect(statuses(second)).toEqual(['DELETED']); // of vm-a, which no instance is any more
  });

  it('reports the second where the first has been terminated: it is its replacement', async () => {
    const { deliver, statuses, records } = withRecords({ resourceId }, { resourceId: second });
    await deliver([observed('running'), observed('terminated', 30)], 2);

    await deliver([observed('running', 60, { resourceId: second })]);

    expect(statuses(second)).toEqual(['RUNNING']);
    expect(await records.read(dcmId)).toMatchObject({ resourceId: second });
  });

  it('reports the second where the tags were taken off the first and put on it', async () => {
    const { deliver, statuses, records, instances } = withRecords({ resourceId }, { resourceId: second });
    await deliver([observed('running')]);
    instances.known.set(resourceId, described({ resourceId, tags: {} }));
    await deliver([tagged({}, 30)]);

    await deliver([observed('running', 60, { resourceId: second })]);

    expect(statuses(second)).toEqual(['RUNNING']);
    expect(await records.read(dcmId)).toMatchObject({ resourceId: second });
  });

  it('reports the second where the fleet has forgotten the first: it forgets none that lives', async () => {
    const { deliver, statuses, records, clock } = withRecords({ resourceId: second });
    const { region, account } = vm;
    await records.adopt({
      dcmId,
      region,
      account,
      resourceId,
      facts: { launchedAtMs: clock.ms - 7_200_000 },
    });

    await deliver([observed('running', 0, { resourceId: second })]);

    expect(statuses(second)).toEqual(['RUNNING']);
  });

  it('reports the second later, when the first is gone and a day has passed', async () => {
    const { deliver, clock, statuses, instances } = withRecords({ resourceId }, { resourceId: second });
    await deliver([observed('running')]);
    await deliver([observed('running', 60, { resourceId: second })]);
    await deliver([observed('terminated', 90)], 2);
    instances.known.set(second, described({ resourceId: second, tags: ourTags }));

    clock.ms += 25 * 3_600_000;
    await deliver([observed('stopping', 120, { resourceId: second })]);

    expect(statuses(second)).toEqual(['STOPPING']);
  });
});
