import { describe, expect, it } from 'vitest';
import type { Notice, ResourceMessage } from '../../../shared/core/message.ts';
import type { Instance } from '../../../shared/service-types/vm/ports.ts';
import { observed, resourceId, spotWarning } from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const warning = 'spot interruption: EC2 will terminate it';
const rebalance = (seconds: number) =>
  spotWarning(seconds, { notice: 'rebalance-recommendation', text: 'EC2 recommends to rebalance' });

const withVm = async (...known: Partial<Instance>[]) => {
  const account = awsAccount(...known);
  await account.resourceStore.claim(vm);
  return { ...account, deliver: account.worker() };
};

describe('normaliser, with a warning about a VM', () => {
  it('tells it with the status that holds, once', async () => {
    const { deliver, told } = await withVm();
    await deliver([observed('running')]);

    await deliver([spotWarning(60)]);
    await deliver([spotWarning(60)]);

    expect(told().slice(1)).toMatchObject([
      { status: 'RUNNING', message: `instance ${resourceId} is running: ${warning}` },
    ]);
  });

  const untilTheEnd = [
    observed('running'),
    spotWarning(60),
    observed('shutting-down', 180),
    observed('terminated', 190),
  ];

  it.each([
    { code: 'Server.SpotInstanceTermination', status: 'FAILED' },
    { code: 'Client.UserInitiatedShutdown', status: 'DELETED' },
  ])(
    'reports $status at its end after a spot interruption where EC2’s reason is $code',
    async ({ code, status }) => {
      const { deliver, told } = await withVm({
        resourceId,
        state: 'terminated',
        reason: { code },
      });

      for (const resourceMessage of untilTheEnd) await deliver([resourceMessage]);

      expect(told().slice(2)).toMatchObject([
        { status: 'DELETING', message: `instance ${resourceId} is shutting-down: ${warning}` },
        { status, message: `instance ${resourceId} is terminated: ${code}; ${warning}` },
      ]);
    },
  );

  it('takes a spot interruption for the cause of the end where EC2 gives no reason', async () => {
    const { deliver, told } = await withVm();

    for (const resourceMessage of untilTheEnd) await deliver([resourceMessage], 2);

    expect(told().at(-1)).toMatchObject({
      status: 'FAILED',
      message: `instance ${resourceId} is terminated: ${warning}`,
    });
  });

  it('reports the same where all of it comes in one batch', async () => {
    const { deliver, statuses } = await withVm();

    await deliver([observed('terminated', 190), spotWarning(60), observed('running')], 2);

    expect(statuses()).toEqual(['RUNNING', 'RUNNING', 'FAILED']);
  });

  it('does not take a spot interruption for the cause of an end that comes more than five minutes later', async () => {
    const { deliver, told } = await withVm();
    await deliver([observed('running'), spotWarning(60)]);

    await deliver([observed('terminated', 361)], 2);

    expect(told().at(-1)).toEqual({
      id: vm.dcmId,
      status: 'DELETED',
      message: `instance ${resourceId} is terminated (reason unavailable)`,
    });
  });

  it.each(['spot-stop', 'spot-hibernate'] as const)(
    'does not take %s for the cause of an end',
    async (notice) => {
      const { deliver, statuses } = await withVm();
      await deliver([observed('running'), spotWarning(60, { notice }), observed('stopped', 180)]);

      await deliver([observed('terminated', 200)], 2);

      expect(statuses()).toEqual(['RUNNING', 'RUNNING', 'STOPPED', 'DELETED']);
    },
  );

  it('tells FAILED also where no state was known when the warning came', async () => {
    const { deliver, statuses } = await withVm({
      resourceId,
      state: 'terminated',
      reason: { code: 'Server.SpotInstanceTermination' },
    });

    await deliver([spotWarning(60), observed('terminated', 190)]);

    expect(statuses().at(-1)).toBe('FAILED');
  });

  it('asks EC2 at its end after a warning of another kind', async () => {
    const { deliver, statuses, instances } = await withVm({
      resourceId,
      state: 'terminated',
      reason: { code: 'Client.UserInitiatedShutdown' },
    });
    await deliver([observed('running'), rebalance(60)]);

    await deliver([observed('terminated', 190)]);

    expect(statuses()).toEqual(['RUNNING', 'RUNNING', 'DELETED']);
    expect(instances.calls).toHaveLength(1);
  });

  it.each([
    { order: 'before', notices: [rebalance(60), spotWarning(60)], last: `${warning}; ${rebalance(60).text}` },
    { order: 'after', notices: [spotWarning(60), rebalance(60)], last: `${rebalance(60).text}; ${warning}` },
  ])(
    'publishes a rebalance recommendation $order a spot interruption warning of the same second, and each once',
    async ({ notices, last }) => {
      const { deliver, told } = await withVm();
      await deliver([observed('running')]);

      for (const notice of [...notices, ...notices]) await deliver([notice]);

      const prefix = `instance ${resourceId} is running`;
      expect(told().map(({ message }) => message)).toEqual([
        prefix,
        `${prefix}: ${notices[0]?.text}`,
        `${prefix}: ${last}`,
      ]);
    },
  );

  it('has every warning in the message of the state that follows', async () => {
    const { deliver, told } = await withVm();
    await deliver([observed('running'), rebalance(60), spotWarning(61)]);

    await deliver([observed('shutting-down', 180)]);

    expect(told().at(-1)?.message).toBe(
      `instance ${resourceId} is shutting-down: ${warning}; ${rebalance(60).text}`,
    );
  });

  it('forgets it once the VM runs again', async () => {
    const { deliver, told } = await withVm();

    await deliver([observed('running'), spotWarning(60), observed('stopped', 180), observed('running', 900)]);

    expect(told().slice(2)).toMatchObject([
      { status: 'STOPPED', message: expect.stringContaining(warning) },
      { status: 'RUNNING', message: `instance ${resourceId} is running` },
    ]);
  });

  it('does not take a copy for a new one that comes after the VM runs again', async () => {
    const { deliver, held, meter } = await withVm();
    await deliver([observed('running'), spotWarning(60), observed('stopped', 180), observed('running', 900)]);

    await deliver([spotWarning(60)]);

    expect(await held()).not.toHaveProperty('vm.notices');
    expect(meter.counts).toMatchObject({ published: 4, stale: 1 });
  });

  it('tells nothing of it after the end', async () => {
    const { deliver, statuses } = await withVm();
    await deliver([observed('terminated')], 2);

    const failures = await deliver([spotWarning(60)]);

    expect([failures.size, statuses()]).toEqual([0, ['DELETED']]);
  });
});

describe('normaliser, with a scheduled change that AWS Health announces', () => {
  const retirement = 'AWS Health: AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED from Sat, 05 Sep 2026 09:01:10 GMT';
  const scheduled = (seconds: number, more: Partial<Notice> = {}) =>
    spotWarning(seconds, { notice: 'scheduled-change', text: retirement, ...more });
  const closed = (seconds: number) => spotWarning(seconds, { notice: 'scheduled-change-closed', text: '' });
  const running = `instance ${resourceId} is running`;
  const messages = async (...resourceMessages: ResourceMessage[]) => {
    const { deliver, told } = await withVm();
    for (const resourceMessage of [observed('running'), ...resourceMessages])
      await deliver([resourceMessage]);
    return told().map(({ message }) => message);
  };

  it('reports the status without the warning once that is over, once', async () => {
    expect(await messages(scheduled(60), closed(60), closed(61))).toEqual([
      running,
      `${running}: ${retirement}`,
      running,
    ]);
  });

  it('reports a copy from a backup region once, also where it comes later', async () => {
    expect(await messages(scheduled(60), scheduled(60), scheduled(75))).toHaveLength(2);
    expect(await messages(scheduled(60), closed(90), scheduled(75))).toHaveLength(3);
  });

  it('reports it again where AWS moves it to another time', async () => {
    const moved = retirement.replace('05 Sep', '06 Sep');

    expect(await messages(scheduled(60), scheduled(90, { text: moved }))).toEqual([
      running,
      `${running}: ${retirement}`,
      `${running}: ${moved}`,
    ]);
  });

  it('reports nothing where a warning ends that was never reported', async () => {
    expect(await messages(closed(60))).toEqual([running]);
  });
});
