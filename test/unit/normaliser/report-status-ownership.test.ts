import { describe, expect, it } from 'vitest';
import { RecentlyLaunchedError, UnavailableError } from '../../../shared/core/errors.ts';
import { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { dcmId, halfPastTen, observed, ourTags, resourceId } from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const stranger = 'i-0000000000000000a';
const minutes = (count: number) => count * 60_000;

describe('normaliser, with an instance that is not ours', () => {
  it('tells nothing of it, and asks EC2 once', async () => {
    const { worker, instances, stream, meter } = awsAccount({ resourceId });
    const deliver = worker();

    await deliver([observed('pending')]);
    await deliver([observed('running', 9), observed('stopping', 60)]);

    expect([instances.calls.length, stream.stored]).toEqual([1, []]);
    expect(meter.counts.foreign).toBe(2);
  });

  it('does not ask EC2 again for a day, also after a restart', async () => {
    const { worker, instances, clock } = awsAccount({ resourceId });
    const deliver = worker();
    await deliver([observed('running')]);

    clock.ms += minutes(5);
    await deliver([observed('stopping', 60)]);
    await worker()([observed('stopped', 70)]);

    expect(instances.calls).toHaveLength(1);
  });

  it('is not misled by a missing answer: one call names all instances of a batch', async () => {
    const { worker, instances } = awsAccount({ resourceId });

    await worker()([observed('running'), observed('running', 0, { resourceId: stranger })]);

    expect(instances.calls).toEqual([[resourceId, stranger]]);
  });

  it('does not remember that where it was already terminated and its tags are gone', async () => {
    const { worker, held, stream } = awsAccount({ resourceId, state: 'terminated' });

    const failures = await worker()([observed('terminated')]);

    expect([failures.size, stream.stored]).toEqual([0, []]);
    expect(await held()).toEqual({ owner: 'unknown' });
  });

  it('leaves another provider’s VMs of the same account to that provider (C2-18)', async () => {
    const theirs = { ...ourTags, 'dcm-provider': 'ec2-sp-2' };
    const { worker, instances, told, stream } = awsAccount(
      { resourceId, tags: ourTags },
      { resourceId: stranger, tags: theirs },
    );
    const other = awsAccount();
    const batch = [observed('running'), observed('running', 0, { resourceId: stranger })];

    await worker()(batch);
    await other.worker({ provider: 'ec2-sp-2', instances })(batch);

    expect(told()).toMatchObject([{ id: dcmId, status: 'RUNNING' }]);
    expect(stream.stored).toHaveLength(1);
    expect(other.statuses(stranger)).toEqual(['RUNNING']);
    expect(other.stream.stored).toHaveLength(1);
  });
});

describe('normaliser, with an instance that it has not seen before', () => {
  it('claims it by the tags that EC2 knows, and tells its status', async () => {
    const { worker, told, held, meter } = awsAccount({ resourceId, tags: ourTags });

    const failures = await worker()([observed('running')]);

    expect(failures.size).toBe(0);
    expect(told()).toEqual([{ id: dcmId, status: 'RUNNING', message: `instance ${resourceId} is running` }]);
    expect(await held()).toMatchObject({ owner: 'ours', vm });
    expect(meter.counts.claimed).toBe(1);
  });

  it('does not claim an instance that EC2 shows in another account', async () => {
    const { worker, held, stream } = awsAccount({
      resourceId,
      tags: ourTags,
      account: '999999999999',
    });

    await worker()([observed('running')]);

    expect(stream.stored).toEqual([]);
    expect((await held())?.owner).not.toBe('ours');
  });

  it('reports one whose DCM id the API does not take, and says why it cannot be addressed', async () => {
    const tags = { ...ourTags, 'dcm-instance-id': 'My VM/1' };
    const { worker, told, meter, log } = awsAccount({ resourceId, tags });

    await worker()([observed('running')]);

    expect(told()).toEqual([
      {
        id: 'My VM/1',
        status: 'RUNNING',
        message: `instance ${resourceId} is running; the API cannot address a VM with this DCM id: expected 1 to 63 lower-case letters, digits and inner hyphens`,
      },
    ]);
    expect(meter.counts.unaddressable).toBe(1);
    expect(log.lines).toContain(
      'warn: the tags of a resource hold a DCM id that the API does not take; it is reported',
    );
  });

  it('asks EC2 about a VM of ours only that once', async () => {
    const { worker, instances, statuses } = awsAccount({ resourceId, tags: ourTags });
    const deliver = worker();

    for (const [step, state] of InstanceState.options.slice(0, -1).entries()) {
      await deliver([observed(state, step * 5)]);
    }

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING', 'STOPPING', 'STOPPED', 'DELETING']);
    expect(instances.calls).toHaveLength(1);
  });

  it.each([
    { what: 'EC2 does not know it yet', known: {} },
    { what: 'its tags are not there yet', known: { resourceId, launchedAtMs: halfPastTen * 1000 } },
  ])('has its message come again while it is young and $what', async ({ known }) => {
    const { worker, instances, held, statuses, clock } = awsAccount(known);
    clock.ms = (halfPastTen + 10) * 1000;
    const deliver = worker();

    const failures = await deliver([observed('pending')]);

    expect(failures.get(0)).toBeInstanceOf(RecentlyLaunchedError);
    expect(await held()).toEqual({ owner: 'unknown' });

    instances.known.set(resourceId, described({ resourceId, tags: ourTags }));
    await deliver([observed('pending')], 2);

    expect(statuses()).toEqual(['PROVISIONING']);
  });

  it('has only its message come again while EC2 throttles (C44)', async () => {
    const { worker, resourceStore, instances, statuses } = awsAccount();
    await resourceStore.claim(vm);
    instances.throttled = true;

    const failures = await worker()([observed('running', 0, { resourceId: stranger }), observed('running')]);

    expect([...failures.keys()]).toEqual([0]);
    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect(statuses()).toEqual(['RUNNING']);
  });
});
