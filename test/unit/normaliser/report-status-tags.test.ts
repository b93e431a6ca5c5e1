import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
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

describe('normaliser, with a change of tags', () => {
  it('claims by it where EC2 does not know the instance any more', async () => {
    const { worker, instances, told } = awsAccount();

    await worker()([tagged(ourTags), observed('running', 1, { privateAddress: '10.0.0.4' })]);

    expect(told()).toMatchObject([{ id: dcmId, status: 'RUNNING' }]);
    expect(instances.calls).toEqual([[vm.resourceId]]);
  });

  it('lists the state where the instance was tagged while it ran', async () => {
    const { worker, instances, statuses, stream } = awsAccount({ resourceId, tags: ourTags });
    const deliver = worker();

    await deliver([tagged(ourTags)]);

    expect(statuses()).toEqual(['RUNNING']);
    expect(stream.stored).toMatchObject([{ time: '2026-08-22T11:29:54Z' }]); // six seconds ago
    expect(instances.calls).toHaveLength(2); // before the claim, and after it
  });

  it('publishes at once that a recently launched instance runs, before its event and after that of its launch', async () => {
    const { worker, statuses, held, clock } = awsAccount({
      resourceId,
      tags: ourTags,
      launchedAtMs: halfPastTen * 1000,
    });
    clock.ms = (halfPastTen + 10) * 1000;
    const deliver = worker();

    const failures = await deliver([tagged(ourTags)]);

    expect([failures.size, statuses()]).toEqual([0, ['RUNNING']]);
    expect(await held()).toMatchObject({ owner: 'ours' });

    await deliver([observed('pending', 1), observed('running', 9)]);

    expect(statuses()).toEqual(['RUNNING']);
  });

  it('has an instance reported that was somebody else’s until now', async () => {
    const { worker, instances, statuses } = awsAccount({ resourceId });
    const deliver = worker();
    await deliver([observed('running')]);

    instances.known.set(resourceId, described({ resourceId, tags: ourTags }));
    await deliver([tagged(ourTags, 60)]);
    await deliver([observed('stopping', 3601)]);

    expect(statuses()).toEqual(['RUNNING', 'STOPPING']);
  });

  it('tells nothing, and does not ask EC2, where it is about other tags', async () => {
    const { worker, resourceStore, instances, statuses } = awsAccount();
    await resourceStore.claim(vm);
    const deliver = worker();
    await deliver([observed('running')]);

    const failures = await deliver([tagged({ ...ourTags, Name: 'web-1' }, 60)]);

    expect([failures.size, statuses(), instances.calls]).toEqual([0, ['RUNNING'], []]);
  });

  it('gives a VM the id that its tags say', async () => {
    const { worker, resourceStore, told } = awsAccount({ resourceId, tags: ourTags });
    await resourceStore.claim({ ...vm, dcmId: 'another' });

    await worker()([tagged(ourTags), observed('running', 1)]);

    expect(told()).toMatchObject([
      { id: 'another', status: 'DELETED' },
      { id: dcmId, status: 'RUNNING' },
    ]);
  });

  it('has a living VM reported no more whose tags were taken off, and warns of it', async () => {
    const { worker, resourceStore, held, log, meter, stream } = awsAccount({ resourceId });
    await resourceStore.claim(vm);
    const deliver = worker();

    await deliver([tagged({})]);
    await deliver([observed('stopping', 60)]);

    expect(await held()).toEqual({ owner: 'foreign' });
    expect(stream.stored).toEqual([]);
    expect(meter.counts.released).toBe(1);
    expect(log.lines).toEqual([expect.stringMatching(/^warn: ownership tags were removed from/)]);
  });

  it('comes again while EC2 does not say whether the tags are gone', async () => {
    const { worker, resourceStore, instances, held } = awsAccount({ resourceId });
    await resourceStore.claim(vm);
    const deliver = worker();
    instances.throttled = true;

    const failures = await deliver([tagged({})]);

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);

    instances.throttled = false;
    await deliver([tagged({})], 2);

    expect(await held()).toEqual({ owner: 'foreign' });
  });

  it('does not keep DELETED from a VM that lost its tags by being terminated', async () => {
    const { worker, resourceStore, statuses } = awsAccount({
      resourceId,
      state: 'terminated',
      reason: { code: 'Client.UserInitiatedShutdown' },
    });
    await resourceStore.claim(vm);
    const deliver = worker();

    await deliver([tagged({})]);
    await deliver([observed('terminated', 60)]);

    expect(statuses()).toEqual(['DELETED']);
  });

  it('does not bring a VM back by a late copy of the tags it had before (C2-18)', async () => {
    const { worker, resourceStore, held, stream } = awsAccount({ resourceId });
    await resourceStore.claim(vm);
    const deliver = worker();
    await deliver([tagged({}, 9)]);

    await deliver([tagged(ourTags, 3)]);

    expect((await held())?.owner).not.toBe('ours');
    expect(stream.stored).toEqual([]);
  });
});
