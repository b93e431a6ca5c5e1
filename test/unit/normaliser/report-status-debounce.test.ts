import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { statusOf } from '../../../shared/core/resource.ts';
import { acceptFault } from '../../fakes/faulty.ts';
import { changeOf, endOf, type Flapping, flappingResources } from '../../fixtures/flapping.ts';
import { wanted } from '../../fixtures/resource-messages.ts';
import { fixedPart } from '../../fixtures/statuses.ts';
import { awsAccount, vm } from './account.ts';

const down = () => Promise.reject(new UnavailableError('down'));

/** A resource of ours, and the statuses of its first four changes. */
const withResource = async (about: Flapping) => {
  const { resourceId, cycle, type } = about;
  const account = awsAccount();
  await account.resourceStore.claim({ ...vm, resourceId });
  const worker = (more: Parameters<typeof account.worker>[0] = {}) =>
    account.worker({ types: [type], ...more });
  const deliver = worker();
  const settling = () => account.later.filter(({ event }) => event['detail-type'] === 'VM Status Settled');
  const statuses = () => account.statuses(resourceId);
  const outbox = async () => {
    const held = await account.held(resourceId);
    return held?.owner === 'ours' ? held.vm.outbox.map(({ status }) => status) : undefined;
  };
  /** The status of the nth change. */
  const nth = (n: number) => cycle[n % cycle.length]?.[1];
  const change = (n: number) => changeOf(about, n);
  /** So many changes, delivered one by one, one each second. */
  const flap = async (from: number, to: number) => {
    for (let n = from; n < to; n++) await deliver([change(n)]);
  };
  const firstFour = [0, 1, 2, 3].map(nth);
  return { ...account, worker, deliver, change, flap, nth, firstFour, outbox, settling, statuses };
};

describe.each(flappingResources)('normaliser, with a $kind.serviceType that changes too often', (about) => {
  const { kind, resourceId } = about;

  it('tells the first four changes at once, and no more', async () => {
    const { flap, nth, firstFour, statuses, outbox } = await withResource(about);

    await flap(0, 7);

    expect(statuses()).toEqual(firstFour);
    expect(await outbox()).toEqual([4, 5, 6].map(nth));
  });

  it('queues one message for all that it holds back, for five seconds later', async () => {
    const { flap, change, settling } = await withResource(about);

    await flap(0, 8);

    expect(settling()).toMatchObject([
      { afterSeconds: 5, event: { detail: { key: statusOf(kind, change(4), fixedPart).key } } },
    ]);
  });

  it('tells only the newest when it has settled, and forgets the rest', async () => {
    const { flap, nth, firstFour, deliver, due, statuses, outbox, meter } = await withResource(about);
    await flap(0, 7);

    const failures = await deliver(due(5));

    expect(failures.size).toBe(0);
    expect(statuses()).toEqual([...firstFour, nth(6)]);
    expect(await outbox()).toEqual([]);
    expect(meter.counts.debounced).toBe(2);
  });

  it('goes on holding back while it goes on', async () => {
    const { flap, nth, deliver, due, statuses, settling } = await withResource(about);
    await flap(0, 7);
    await deliver(due(5));

    await flap(7, 9);

    expect(statuses()).toHaveLength(5);
    expect(settling()).toHaveLength(1);
    await deliver(due(5));
    expect(statuses().at(-1)).toBe(nth(8));
  });

  it('tells changes at once again when it is calm', async () => {
    const { flap, nth, deliver, due, statuses } = await withResource(about);
    await flap(0, 7);
    await deliver(due(5));

    await deliver([changeOf(about, 7, 60)]);

    expect(statuses().at(-1)).toBe(nth(7));
  });

  it.each(['duplicate', 'request to tell it again'])('keeps quiet on a %s', async (what) => {
    const { flap, change, firstFour, deliver, statuses } = await withResource(about);
    await flap(0, 6);

    await deliver([what === 'duplicate' ? change(2) : wanted(6, { resourceId })]);

    expect(statuses()).toEqual(firstFour);
  });

  it('tells of its end at once, without what was held back', async () => {
    const { flap, firstFour, deliver, due, statuses, outbox } = await withResource(about);
    await flap(0, 6);

    await deliver([endOf(about, 6)]);

    expect(statuses()).toEqual([...firstFour, 'DELETED']);
    expect(await outbox()).toEqual([]);
    await deliver(due(5));
    expect(statuses()).toHaveLength(5);
  });

  it('tells the first four also where all came in one batch', async () => {
    const { change, firstFour, deliver, statuses } = await withResource(about);

    await deliver(Array.from({ length: 7 }, (_, n) => change(n)));

    expect(statuses()).toEqual(firstFour);
  });

  it('costs two writes a change at most', async () => {
    const { change, resourceStore, worker, due } = await withResource(about);
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

describe.each(flappingResources)(
  'normaliser, with a $kind.serviceType that changes too often, when something fails',
  (about) => {
    const { kind, resourceId } = about;

    it('is not done with a change that it holds back until it has queued its message', async () => {
      const { flap, change, worker, deliver, observations, settling } = await withResource(about);
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
      const { flap, change, deliver, due, statuses } = await withResource(about);
      await flap(0, 6);
      await deliver([change(4)]);
      await deliver([change(5)]);

      const settled = due(5);
      for (const resourceMessage of settled) await deliver([resourceMessage]);

      expect(settled.filter(({ kind }) => kind === 'status-settled')).toHaveLength(3);
      expect(statuses()).toHaveLength(5);
    });

    it('queues nothing more with each retry while NATS is down, and tells all of it in the end', async () => {
      const { worker, flap, nth, firstFour, deliver, due, settling, statuses } = await withResource(about);
      await flap(0, 6);
      const cut = worker({ publisher: { publish: down } });
      const settled = due(5);

      for (let retry = 0; retry < 5; retry++) await cut(settled, 2).catch(acceptFault);
      expect(settling()).toEqual([]);

      await deliver(settled, 2);
      expect(statuses()).toEqual([...firstFour, nth(5)]);
    });

    it('does not overlook what another worker recorded while it told what had settled', async () => {
      const { worker, resourceStore, flap, change, nth, deliver, due, statuses, settling } =
        await withResource(about);
      await flap(0, 6);
      const settle: typeof resourceStore.settle = async (...args) => {
        await resourceStore.record(change(6), statusOf(kind, change(6), fixedPart));
        return resourceStore.settle(...args);
      };

      await worker({ resourceStore: { ...resourceStore, settle } })(due(5));
      expect(settling()).toHaveLength(1);

      await deliver(due(5));
      expect(statuses().at(-1)).toBe(nth(6));
    });

    it('asks the fleet for what no cache could have missed before it tells what has settled', async () => {
      const { worker, resourceStore, flap, nth, due, statuses } = await withResource(about);
      await flap(0, 4);
      const before = await resourceStore.read([resourceId]);
      await flap(4, 6);

      await worker({ resourceStore: { ...resourceStore, read: async () => before } })(due(5));

      expect(statuses().at(-1)).toBe(nth(5));
    });

    it('has the message come again where the VM was released meanwhile', async () => {
      const { worker, resourceStore, flap, due } = await withResource(about);
      await flap(0, 6);
      const before = await resourceStore.read([resourceId]);
      await resourceStore.removeOwnership(resourceId);

      const failures = await worker({ resourceStore: { ...resourceStore, read: async () => before } })(
        due(5),
      );

      expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    });
  },
);
