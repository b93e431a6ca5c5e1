import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import { acceptFault } from '../../fakes/faulty.ts';
import { observed, wanted } from '../../fixtures/resource-messages.ts';
import { statusOf } from '../../fixtures/statuses.ts';
import { awsAccount, vm } from './account.ts';

const down = () => Promise.reject(new UnavailableError('down'));
const cycle: readonly InstanceState[] = ['running', 'stopping', 'stopped', 'pending'];
/** The nth change of a VM that changes once a second. */
const change = (n: number) => observed(cycle[n % 4] ?? 'running', n);
const firstFour = ['RUNNING', 'STOPPING', 'STOPPED', 'PROVISIONING'];

const withVm = async () => {
  const account = awsAccount();
  await account.resourceStore.claim(vm);
  const deliver = account.worker();
  const settling = () => account.later.filter(({ event }) => event['detail-type'] === 'VM Status Settled');
  const outbox = async () => {
    const held = await account.held();
    return held?.owner === 'ours' ? held.vm.outbox.map(({ status }) => status) : undefined;
  };
  /** So many changes, delivered one by one. */
  const flap = async (from: number, to: number) => {
    for (let n = from; n < to; n++) await deliver([change(n)]);
  };
  return { ...account, deliver, flap, outbox, settling };
};

describe('normaliser, with a VM that changes too often', () => {
  it('tells the first four changes at once, and no more', async () => {
    const { flap, statuses, outbox } = await withVm();

    await flap(0, 7);

    expect(statuses()).toEqual(firstFour);
    expect(await outbox()).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);
  });

  it('queues one message for all that it holds back, for five seconds later', async () => {
    const { flap, settling } = await withVm();

    await flap(0, 8);

    expect(settling()).toMatchObject([
      { afterSeconds: 5, event: { detail: { key: statusOf(change(4)).key } } },
    ]);
  });

  it('tells only the newest when it has settled, and forgets the rest', async () => {
    const { flap, deliver, due, statuses, outbox, meter } = await withVm();
    await flap(0, 7);

    const failures = await deliver(due(5));

    expect(failures.size).toBe(0);
    expect(statuses()).toEqual([...firstFour, 'STOPPED']);
    expect(await outbox()).toEqual([]);
    expect(meter.counts.debounced).toBe(2);
  });

  it('goes on holding back while it goes on', async () => {
    const { flap, deliver, due, statuses, settling } = await withVm();
    await flap(0, 7);
    await deliver(due(5));

    await flap(7, 9);

    expect(statuses()).toHaveLength(5);
    expect(settling()).toHaveLength(1);
    await deliver(due(5));
    expect(statuses().at(-1)).toBe('RUNNING');
  });

  it('tells changes at once again when it is calm', async () => {
    const { flap, deliver, due, statuses } = await withVm();
    await flap(0, 7);
    await deliver(due(5));

    await deliver([observed('pending', 60)]);

    expect(statuses().at(-1)).toBe('PROVISIONING');
  });

  it.each(['duplicate', 'request to tell it again'])('keeps quiet on a %s', async (what) => {
    const { flap, deliver, statuses } = await withVm();
    await flap(0, 6);

    await deliver([what === 'duplicate' ? change(2) : wanted(6)]);

    expect(statuses()).toEqual(firstFour);
  });

  it('tells of its end at once, without what was held back', async () => {
    const { flap, deliver, due, statuses, outbox } = await withVm();
    await flap(0, 6);

    await deliver([observed('terminated', 6, { reason: { code: 'Client.UserInitiatedShutdown' } })]);

    expect(statuses()).toEqual([...firstFour, 'DELETED']);
    expect(await outbox()).toEqual([]);
    await deliver(due(5));
    expect(statuses()).toHaveLength(5);
  });

  it('tells the first four also where all came in one batch', async () => {
    const { deliver, statuses } = await withVm();

    await deliver(Array.from({ length: 7 }, (_, n) => change(n)));

    expect(statuses()).toEqual(firstFour);
  });

  it('costs two writes a change at most', async () => {
    const { resourceStore, worker, due } = await withVm();
    const writes: string[] = [];
    const counted = {
      ...resourceStore,
      record: (...args: Parameters<typeof resourceStore.record>) => {
        writes.push('record');
        return resourceStore.record(...args);
      },
      settle: (...args: Parameters<typeof resourceStore.settle>) => {
        writes.push('settle');
        return resourceStore.settle(...args);
      },
    };
    const deliver = worker({ resourceStore: counted });

    for (let n = 0; n < 9; n++) await deliver([change(n)]);
    await deliver(due(5));

    expect(writes.length).toBeLessThanOrEqual(2 * 9);
  });
});

describe('normaliser, with a VM that changes too often, when something fails', () => {
  it('is not done with a change that it holds back until it has queued its message', async () => {
    const { flap, worker, deliver, observations, settling } = await withVm();
    await flap(0, 4);

    const failures = await worker({ observations: { send: down } })([change(4)]);
    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect(settling()).toEqual([]);

    await worker({ observations })([change(4)], 2);
    expect(settling()).toHaveLength(1);
    await deliver([change(4)]);
    expect(settling()).toHaveLength(2); // nobody can know whether the first one was queued; a second one does no harm
  });

  it('tells once, however many messages it queued', async () => {
    const { flap, deliver, due, statuses } = await withVm();
    await flap(0, 6);
    await deliver([change(4)]);
    await deliver([change(5)]);

    const settled = due(5);
    for (const resourceMessage of settled) await deliver([resourceMessage]);

    expect(settled.filter(({ kind }) => kind === 'status-settled')).toHaveLength(3);
    expect(statuses()).toHaveLength(5);
  });

  it('queues nothing more with each retry while NATS is down, and tells all of it in the end', async () => {
    const { worker, flap, deliver, due, settling, statuses } = await withVm();
    await flap(0, 6);
    const cut = worker({ publisher: { publish: down } });
    const settled = due(5);

    for (let retry = 0; retry < 5; retry++) await cut(settled, 2).catch(acceptFault);
    expect(settling()).toEqual([]);

    await deliver(settled, 2);
    expect(statuses()).toEqual([...firstFour, 'STOPPING']);
  });

  it('does not overlook what another worker recorded while it told what had settled', async () => {
    const { worker, resourceStore, flap, deliver, due, statuses, settling } = await withVm();
    await flap(0, 6);
    const settle: typeof resourceStore.settle = async (...args) => {
      await resourceStore.record(change(6), statusOf(change(6)));
      return resourceStore.settle(...args);
    };

    await worker({ resourceStore: { ...resourceStore, settle } })(due(5));
    expect(settling()).toHaveLength(1);

    await deliver(due(5));
    expect(statuses().at(-1)).toBe('STOPPED');
  });

  it('asks the fleet for what no cache could have missed before it tells what has settled', async () => {
    const { worker, resourceStore, flap, due, statuses } = await withVm();
    await flap(0, 4);
    const before = await resourceStore.read([vm.resourceId]);
    await flap(4, 6);

    await worker({ resourceStore: { ...resourceStore, read: async () => before } })(due(5));

    expect(statuses().at(-1)).toBe('STOPPING');
  });

  it('has the message come again where the VM was released meanwhile', async () => {
    const { worker, resourceStore, flap, due } = await withVm();
    await flap(0, 6);
    const before = await resourceStore.read([vm.resourceId]);
    await resourceStore.removeOwnership(vm.resourceId);

    const failures = await worker({ resourceStore: { ...resourceStore, read: async () => before } })(due(5));

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
  });
});
