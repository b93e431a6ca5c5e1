import { describe, expect, it } from 'vitest';
import {
  halfPastTen,
  observed,
  ourTags,
  resourceId,
  spotWarning,
  tagged,
  wanted,
} from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const internal = { address: '10.0.0.4', port: 22, scope: 'internal' };
const external = { address: '203.0.113.7', port: 22, scope: 'external' };
const { privateAddress, ...withoutAddress } = vm;

const withVm = async (more: Partial<typeof vm & { getsPublicAddress: boolean }> = vm) => {
  const account = awsAccount({ resourceId, tags: ourTags });
  await account.resourceStore.claim({ ...withoutAddress, ...more });
  /** What DCM was told: status and outputs. */
  const outputs = () =>
    account.stream.stored.map(({ data }) => {
      const { status, output_spec: outputSpec } = Object(data);
      return outputSpec === undefined ? [status] : [status, ...outputSpec.ip];
    });
  const isNow = (more: object) => {
    const known = account.instances.known.get(resourceId);
    if (known) account.instances.known.set(resourceId, { ...known, ...more });
  };
  return { ...account, deliver: account.worker(), outputs, isNow };
};

const now = (halfPastTen + 3600) * 1000;

describe('normaliser, with a VM’s addresses', () => {
  it('publishes RUNNING with the private address of the launch, without a question to EC2', async () => {
    const { deliver, outputs, instances } = await withVm();

    await deliver([observed('pending'), observed('running', 9), observed('stopped', 60)]);

    expect(outputs()).toEqual([['PROVISIONING'], ['RUNNING', internal], ['STOPPED', internal]]);
    expect(instances.calls).toEqual([]);
  });

  it('asks EC2 once for a batch where the private address is not known', async () => {
    const { deliver, outputs, instances } = await withVm({});

    await deliver([observed('running'), spotWarning(5)]);
    await deliver([wanted(60)]);

    expect(outputs()).toEqual([
      ['RUNNING', internal],
      ['RUNNING', internal],
      ['RUNNING', internal],
    ]);
    expect(instances.calls).toHaveLength(1);
  });

  it('never publishes RUNNING without the private address, and goes on asking', async () => {
    const { deliver, outputs, isNow, held } = await withVm({});
    isNow({ privateAddress: undefined });

    const first = await deliver([observed('pending'), observed('running', 9)]);
    const second = await deliver([observed('running', 9)], 2);
    expect(outputs()).toEqual([['PROVISIONING']]);
    expect([first.size, second.size, await held()]).toMatchObject([2, 1, { vm: { state: 'running' } }]);

    isNow({ privateAddress });
    const third = await deliver([observed('running', 9)], 3);

    expect([third.size, outputs()]).toEqual([0, [['PROVISIONING'], ['RUNNING', internal]]]);
  });

  it('does not hold back an end for it, nor the statuses of other VMs', async () => {
    const { deliver, resourceStore, outputs, instances } = await withVm({});
    const other = 'i-0000000000000000b';
    await resourceStore.claim({ ...vm, resourceId: other, dcmId: 'vm-2' });
    instances.throttled = true;

    await deliver([observed('running'), observed('running', 0, { resourceId: other })]);
    await deliver([observed('terminated', 60, { reason: { code: 'Client.UserInitiatedShutdown' } })]);

    expect(outputs()).toEqual([['RUNNING', internal], ['DELETED']]);
  });

  it('claims an instance with the address that EC2 shows', async () => {
    const { worker, held } = awsAccount({
      resourceId,
      tags: ourTags,
      publicAddress: '203.0.113.7',
    });

    await worker()([tagged(ourTags), observed('running', 1)]);

    expect(await held()).toMatchObject({ vm: { privateAddress, publicAddress: '203.0.113.7' } });
  });

  it('waits some seconds for a public address, then publishes RUNNING without it and again with it', async () => {
    const { deliver, outputs, isNow, due, clock } = await withVm({ privateAddress, getsPublicAddress: true });
    clock.ms = (halfPastTen + 10) * 1000;
    isNow({ publicAddress: undefined });

    const failures = await deliver([observed('running', 9)]);
    expect([failures.size, outputs()]).toEqual([1, []]);

    clock.ms += 5_000;
    await deliver([observed('running', 9)], 2);
    expect(outputs()).toEqual([['RUNNING', internal]]);

    isNow({ publicAddress: '203.0.113.7' });
    await deliver(due(25));

    expect(outputs().slice(1)).toEqual([['RUNNING', internal, external]]);
  });

  it('publishes the status again when a listing shows another address, as a republication of the same change', async () => {
    const { deliver, outputs, stream } = await withVm();
    await deliver([observed('running', 0, { publicAddress: '203.0.113.7' })]);

    const moved = observed('running', 60, {
      seenBy: 'listing',
      publicAddress: '203.0.113.8',
      privateAddress,
    });
    await deliver([moved]);
    await deliver([moved]);

    expect(outputs()).toEqual([
      ['RUNNING', internal, external],
      ['RUNNING', internal, { ...external, address: '203.0.113.8' }],
    ]);
    expect(stream.stored.at(-1)).toMatchObject({
      time: '2026-08-22T10:30:00Z',
      republished: '2026-08-22T10:31:00Z',
    });
  });

  it('asks for the public address anew after a stop, which took it away', async () => {
    const { deliver, outputs, isNow, clock } = await withVm();
    clock.ms = now;
    await deliver([observed('running', 0, { publicAddress: '203.0.113.7' })]);
    await deliver([observed('stopping', 60), observed('stopped', 90), observed('pending', 120)]);
    isNow({ publicAddress: '203.0.113.8' });

    await deliver([observed('running', 130)]);

    expect(outputs().at(-1)).toEqual(['RUNNING', internal, { ...external, address: '203.0.113.8' }]);
  });
});
