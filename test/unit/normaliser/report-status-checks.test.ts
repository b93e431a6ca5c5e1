import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import type { Instance } from '../../../shared/service-types/vm/ports.ts';
import { acceptFault } from '../../fakes/faulty.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { halfPastTen, observed, resourceId } from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const other = 'i-0000000000000000a';

/** The moment at which the fixtures' signals happen, and what EC2 knows there. */
const withVm = async (known: Partial<Instance> = {}) => {
  const account = awsAccount({ resourceId, ...known });
  account.clock.ms = halfPastTen * 1000;
  await account.resourceStore.claim(vm);
  await account.resourceStore.claim({ ...vm, resourceId: other, dcmId: 'vm-a' });
  const deliver = account.worker();
  const isNow = (state: InstanceState, change: Partial<Instance> = {}) =>
    account.instances.known.set(resourceId, described({ resourceId, state, ...change }));
  const delays = () => account.later.map(({ afterSeconds }) => afterSeconds);
  /** What was queued comes when it is due, until nothing is, or for so many seconds. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      const due = account.due(1);
      if (due.length > 0) await deliver(due);
    }
  };
  return { ...account, deliver, delays, isNow, pass };
};

describe('normaliser, with a state that should end by itself', () => {
  it.each(['pending', 'stopping', 'shutting-down'] as const)(
    'looks after %s again in 25 seconds',
    async (state) => {
      const { deliver, later } = await withVm();

      await deliver([observed(state)]);

      expect(later).toMatchObject([
        { afterSeconds: 25, event: { 'detail-type': 'EC2 Instance Check Wanted', detail: { turn: 1 } } },
      ]);
    },
  );

  it.each(['running', 'stopped', 'terminated'] as const)(
    'has no need to look after %s again',
    async (state) => {
      const { deliver, later } = await withVm();

      await deliver([observed(state)], 2);

      expect(later).toEqual([]);
    },
  );

  it('looks once, however often the event comes', async () => {
    const { deliver, later } = await withVm();

    for (let copy = 0; copy < 3; copy++) await deliver([observed('stopping')]);

    expect(later).toHaveLength(1);
  });

  it('asks EC2 nothing where the next event came', async () => {
    const { deliver, pass, instances } = await withVm();
    await deliver([observed('stopping')]);
    await deliver([observed('stopped', 20)]);

    await pass(600);

    expect(instances.calls).toEqual([]);
  });

  it('asks EC2 nothing about a round of which another one has begun', async () => {
    const { deliver, pass, instances, later } = await withVm();
    await deliver([observed('stopping')]);
    await pass(12);
    await deliver([observed('stopped', 9), observed('pending', 12)]);

    await pass(20);

    expect(instances.calls).toEqual([]);
    expect(later).toHaveLength(1); // the second round’s, which is due in a moment
  });

  it.each([
    ['pending', 'running', 'RUNNING'],
    ['stopping', 'stopped', 'STOPPED'],
    ['shutting-down', 'terminated', 'DELETED'],
  ] as const)(
    'finds within 30 seconds that %s is over, though the event was lost',
    async (held, state, status) => {
      const { deliver, pass, isNow, statuses, meter, instances } = await withVm();
      await deliver([observed(held)]);
      isNow(state, { reason: { code: 'Client.UserInitiatedShutdown' } });

      await pass(30);

      expect(statuses().at(-1)).toBe(status);
      expect(meter.counts.resyncHealed).toBe(1);
      expect(instances.calls).toHaveLength(1);
    },
  );

  it('keeps the public address that EC2 shows', async () => {
    const { deliver, pass, isNow, held } = await withVm();
    await deliver([observed('pending')]);
    isNow('running', { publicAddress: '203.0.113.7' });

    await pass(30);

    expect(await held()).toMatchObject({ vm: { state: 'running', publicAddress: '203.0.113.7' } });
  });

  it('goes on looking while it lasts, more and more seldom, writing nothing', async () => {
    const { deliver, pass, isNow, instances, held } = await withVm();
    isNow('stopping');
    await deliver([observed('stopping')]);
    const before = await held();

    await pass(1_200);

    expect(instances.calls).toHaveLength(15); // after 25, 50, … 300, 600, 900, 1200 seconds
    expect(await held()).toEqual(before);
  });

  it('leaves a launch that is stuck to the re-list', async () => {
    const { deliver, pass, isNow, later } = await withVm();
    isNow('pending');
    await deliver([observed('pending')]);

    await pass(1_200);

    expect(later).toEqual([]);
  });

  it('does not believe what may be an old answer, until it is a minute old', async () => {
    const { deliver, pass, isNow, statuses } = await withVm();
    await deliver([observed('running', -60), observed('stopping')]);
    isNow('running');

    await pass(55);
    expect(statuses()).toEqual(['RUNNING', 'STOPPING']);
    await pass(40);
    expect(statuses()).toEqual(['RUNNING', 'STOPPING', 'RUNNING']);
  });

  it.each(['throttles', 'does not know it'])('looks again where EC2 %s', async (what) => {
    const { deliver, due, instances, delays } = await withVm();
    if (what === 'throttles') instances.throttled = true;
    else instances.known.clear();
    await deliver([observed('shutting-down')]);

    const failures = await deliver(due(25));

    expect(failures.size).toBe(0);
    expect(delays()).toEqual([25]);
  });

  it('asks EC2 once about all VMs of a batch', async () => {
    const { deliver, due, instances } = await withVm();
    await deliver([observed('stopping'), observed('stopping', 0, { resourceId: other })]);

    await deliver(due(25));

    expect(instances.calls.map((ids) => ids.length)).toEqual([2]);
  });

  it('believes the event rather than EC2’s answer where both come at once', async () => {
    const { deliver, due, isNow, instances, statuses, meter } = await withVm();
    await deliver([observed('stopping')]);
    isNow('terminated');

    await deliver([...due(25), observed('stopped', 20)]);

    expect([instances.calls, statuses()]).toEqual([[], ['STOPPING', 'STOPPED']]);
    expect(meter.counts.resyncHealed).toBeUndefined();
  });

  it('is not done until the look is queued, also where the first worker crashed', async () => {
    const { deliver, worker, later } = await withVm();
    const send = () => Promise.reject(new UnavailableError('the queue is down'));

    const failures = await worker({ observations: { send } })([observed('stopping')]);
    await deliver([observed('stopping')], 2);

    expect(failures.size).toBe(1);
    expect(later).toHaveLength(1);
  });

  it('queues no look with each retry while NATS is down', async () => {
    const { worker, later } = await withVm();
    const publish = () => Promise.reject(new UnavailableError('NATS is down'));
    const cut = worker({ publisher: { publish } });

    for (let retry = 1; retry < 5; retry++) await cut([observed('stopping')], retry).catch(acceptFault);

    expect(later).toEqual([]);
  });

  it('looks after nothing that is not ours any more', async () => {
    const { deliver, due, resourceStore, instances, later } = await withVm();
    await deliver([observed('stopping')]);
    await resourceStore.removeOwnership(resourceId);

    await deliver(due(25));

    expect([instances.calls, later]).toEqual([[], []]);
  });
});
