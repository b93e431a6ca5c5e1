import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { Instance } from '../../../shared/service-types/vm/ports.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { dcmId, observed, ourTags, resourceId } from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const gone = (reason: Instance['reason']) => ({ resourceId, state: 'terminated', reason }) as const;
const byUser = {
  code: 'Client.UserInitiatedShutdown',
  message: 'Client.UserInitiatedShutdown: User initiated',
};
const noCapacity = {
  code: 'Server.InsufficientInstanceCapacity',
  message: 'Server.InsufficientInstanceCapacity: no capacity',
};

/** An account with one VM, which runs. */
const withVm = async (...known: Partial<Instance>[]) => {
  const account = awsAccount(...known);
  await account.resourceStore.claim(vm);
  const deliver = account.worker();
  await deliver([observed('running')]);
  return { ...account, deliver };
};

describe('normaliser, with a terminated VM', () => {
  it.each([
    { what: 'a user', reason: byUser, status: 'DELETED' },
    { what: 'the guest', reason: { code: 'Client.InstanceInitiatedShutdown' }, status: 'DELETED' },
    { what: 'lack of capacity', reason: noCapacity, status: 'FAILED' },
    { what: 'an error on launch', reason: { code: 'Client.InternalError' }, status: 'FAILED' },
  ])('tells $status, and why, where it was ended by $what (C22)', async ({ reason, status }) => {
    const { deliver, told, instances } = await withVm(gone(reason));

    const failures = await deliver([observed('terminated', 60)]);

    expect(failures.size).toBe(0);
    expect(told().at(-1)).toEqual({
      id: dcmId,
      status,
      message: `instance ${resourceId} is terminated: ${'message' in reason ? reason.message : reason.code}`,
    });
    expect(instances.calls).toHaveLength(1);
  });

  it.each([
    {
      what: 'for a reason that EC2’s list does not have',
      reason: { code: 'Client.InvalidKMSKey.InvalidState', message: 'The KMS key is disabled' },
      status: 'FAILED',
    },
    { what: 'at its owner’s request', reason: byUser, status: 'DELETED' },
    {
      what: 'by its own operating system',
      reason: { code: 'Client.InstanceInitiatedShutdown', message: 'Instance initiated shutdown' },
      status: 'DELETED',
    },
  ])('reports $status, and why, where it ends $what without having run', async ({ reason, status }) => {
    const account = awsAccount(gone(reason));
    await account.resourceStore.claim(vm);
    const deliver = account.worker();

    await deliver([observed('pending')]);
    await deliver([observed('terminated', 20)]);

    expect(account.told()).toMatchObject([
      { status: 'PROVISIONING' },
      { status, message: `instance ${resourceId} is terminated: ${reason.message}` },
    ]);
  });

  it('does not report a failed launch where it ran before, and was stopped and started since', async () => {
    const reason = { code: 'Client.SomethingNew', message: 'something new' };
    const { deliver, statuses } = await withVm(gone(reason));

    for (const resourceMessage of [
      observed('stopping', 10),
      observed('stopped', 20),
      observed('pending', 30),
    ])
      await deliver([resourceMessage]);
    await deliver([observed('terminated', 40)]);

    expect(statuses().at(-1)).toBe('DELETED');
  });

  it('does not ask EC2 for the reason before it is terminated', async () => {
    const { deliver, statuses, instances } = await withVm();

    await deliver([observed('shutting-down', 60)]);

    expect(statuses()).toEqual(['RUNNING', 'DELETING']);
    expect(instances.calls).toEqual([]);
  });

  it('does not ask EC2 where DCM asked for the deletion', async () => {
    const { worker, resourceStore, told, instances } = awsAccount(gone(noCapacity));
    const deleted = { ...vm, deleteRequested: true };
    await resourceStore.claim(deleted);

    await worker()([observed('terminated')]);

    const message = `instance ${resourceId} is terminated: deleted by request`;
    expect(told()).toEqual([{ id: dcmId, status: 'DELETED', message }]);
    expect(instances.calls).toEqual([]);
  });

  it('asks a second time, on the next delivery, where EC2 does not say why', async () => {
    const { deliver, statuses, told, instances } = await withVm(gone(undefined));

    const failures = await deliver([observed('terminated', 60)]);

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect(statuses()).toEqual(['RUNNING']);

    instances.known.set(resourceId, described(gone(noCapacity)));
    await deliver([observed('terminated', 60)], 2);

    expect(told().at(-1)).toMatchObject({
      status: 'FAILED',
      message: expect.stringContaining('no capacity'),
    });
  });

  it.each([
    { what: 'gives no reason', known: gone(undefined), throttled: false },
    {
      what: 'still answers with the state before',
      known: { resourceId, reason: byUser },
      throttled: false,
    },
    { what: 'does not know it any more', known: {}, throttled: false },
    { what: 'throttles', known: gone(noCapacity), throttled: true },
  ])('holds DELETED back for one delivery only where EC2 $what', async ({ known, throttled }) => {
    const { deliver, told, instances } = await withVm(known);
    instances.throttled = throttled;

    await deliver([observed('terminated', 60)]);
    const failures = await deliver([observed('terminated', 60)], 2);

    expect(failures.size).toBe(0);
    expect(told().at(-1)).toEqual({
      id: dcmId,
      status: 'DELETED',
      message: `instance ${resourceId} is terminated (reason unavailable)`,
    });
  });

  it('never takes back what it told of the end', async () => {
    const { deliver, statuses, instances } = await withVm(gone(undefined));
    await deliver([observed('terminated', 60)], 2);

    instances.known.set(resourceId, described(gone(noCapacity)));
    await deliver([observed('terminated', 60), observed('running', 90), observed('terminated', 120)], 2);

    expect(statuses()).toEqual(['RUNNING', 'DELETED']);
  });

  it('is done at once with copies of an end that was told, without asking EC2 (hours later, after a restart)', async () => {
    const { deliver, worker, statuses, instances } = await withVm(gone(noCapacity));
    await deliver([observed('terminated', 60)]);

    const failures = await worker()([observed('terminated', 60)]);

    expect(failures.size).toBe(0);
    expect(statuses()).toEqual(['RUNNING', 'FAILED']);
    expect(instances.calls).toHaveLength(1);
  });

  it('does not give the reason of the end for what was before it', async () => {
    const { deliver, told } = await withVm(gone(noCapacity));

    await deliver([observed('stopped', 30), observed('terminated', 60)]);

    expect(told()).toMatchObject([
      { status: 'RUNNING' },
      { status: 'STOPPED', message: `instance ${resourceId} is stopped` },
      { status: 'FAILED', message: expect.stringContaining('no capacity') },
    ]);
  });

  it('tells of its end also where it sees it for the first time, as long as EC2 knows the tags', async () => {
    const { worker, told } = awsAccount({ ...gone(byUser), tags: ourTags });

    await worker()([observed('terminated')]);

    expect(told()).toMatchObject([{ id: dcmId, status: 'DELETED' }]);
  });
});

describe('normaliser, with a hundred VMs that are terminated at once', () => {
  it('asks EC2 once or twice in all (C43)', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `i-${String(n).padStart(17, '0')}`);
    const account = awsAccount(...ids.map((id) => ({ ...gone(byUser), resourceId: id })));
    for (const id of ids) await account.resourceStore.claim({ ...vm, resourceId: id, dcmId: `vm-${id}` });
    const deliver = account.worker();
    const inTens = (state: 'shutting-down' | 'terminated', seconds: number) =>
      Array.from({ length: 10 }, (_, ten) =>
        ids.slice(ten * 10, ten * 10 + 10).map((id) => observed(state, seconds, { resourceId: id })),
      );

    for (const batch of [...inTens('shutting-down', 0), ...inTens('terminated', 30)]) await deliver(batch);

    for (const id of ids) expect(account.statuses(id)).toEqual(['DELETING', 'DELETED']);
    expect(account.instances.calls.length).toBeLessThanOrEqual(2);
  });
});

describe('normaliser, with a start that falls back to stopped', () => {
  const reason = {
    code: 'Server.InsufficientInstanceCapacity',
    message: 'Server.InsufficientInstanceCapacity: no capacity',
  };
  const starting = async (...known: Partial<Instance>[]) => {
    const account = await withVm(...known);
    for (const resourceMessage of [
      observed('stopping', 10),
      observed('stopped', 20),
      observed('pending', 60),
    ])
      await account.deliver([resourceMessage]);
    return account;
  };

  it('reports why', async () => {
    const { deliver, told } = await starting({ resourceId, state: 'stopped', reason });

    await deliver([observed('stopped', 65)]);

    expect(told().at(-1)).toMatchObject({
      status: 'STOPPED',
      message: `instance ${resourceId} is stopped: ${reason.message}`,
    });
  });

  it('reports why also where both states come in one batch', async () => {
    const { deliver, told } = await withVm({ resourceId, state: 'stopped', reason });
    await deliver([observed('stopping', 10), observed('stopped', 20)]);

    await deliver([observed('pending', 60), observed('stopped', 65)]);

    expect(told().at(-1)?.message).toBe(`instance ${resourceId} is stopped: ${reason.message}`);
  });

  it('is held back for one delivery only where EC2 still answers with the state before', async () => {
    const { deliver, told } = await starting({ resourceId, state: 'pending' });

    const failures = await deliver([observed('stopped', 65)]);
    await deliver([observed('stopped', 65)], 2);

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect(told().at(-1)?.message).toBe(`instance ${resourceId} is stopped`);
  });

  it('does not ask EC2 why an instance is stopped that somebody stopped', async () => {
    const { instances } = await starting({ resourceId, state: 'stopped', reason });

    expect(instances.calls).toEqual([]);
  });
});
