import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { republicationRequestedEvent } from '../../../shared/wire/own-messages.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { vmFacts } from '../../fixtures/launches.ts';
import {
  halfPastTen,
  observed,
  resourceId,
  spotWarning,
  tagKeys,
  wanted,
} from '../../fixtures/resource-messages.ts';
import { statusOf } from '../../fixtures/statuses.ts';
import { awsAccount, vm } from './account.ts';

const withVm = async () => {
  const account = awsAccount();
  await account.resourceStore.claim(vm);
  return { ...account, deliver: account.worker() };
};

describe('normaliser, asked for a VM’s status', () => {
  it('understands the own event that asks for it', () => {
    const { log, meter, clock } = awsAccount();
    const event = republicationRequestedEvent({ 'instance-id': resourceId, ...vm, at: halfPastTen });

    expect(
      readMessage({ provider: 'ec2-sp', tagKeys, regions: ['us-east-1'], log, meter, now: () => clock.ms })(
        JSON.stringify(event),
      ),
    ).toEqual([{ ...wanted(), eventId: event.id }]);
  });

  it('tells it once more, once for a second, under an id of its own', async () => {
    const { deliver, stream, meter } = await withVm();
    await deliver([observed('running')]);

    await deliver([wanted(60)]);
    await deliver([wanted(60)]);

    expect(stream.stored.map(({ id }) => id)).toEqual([
      expect.stringMatching(new RegExp(`^${resourceId}:${halfPastTen}:[\\w-]{16}:1$`)),
      expect.stringMatching(new RegExp(`^${resourceId}:${halfPastTen + 60}:[\\w-]{16}:again$`)),
    ]);
    expect(meter.counts).toMatchObject({ accepted: 2, stale: 1, published: 2 });
  });

  it('does not fill the outbox with requests that come again and again while NATS is down', async () => {
    const { deliver, worker, held } = await withVm();
    await deliver([observed('running')]);
    const offline = worker({ publisher: { publish: async () => ({ acknowledged: [], failed: [] }) } });

    for (let turn = 0; turn < 5; turn++) {
      await offline([wanted(60)]);
      await offline([wanted(61)]);
    }

    expect(await held()).toMatchObject({ vm: { outbox: [{}, {}] } });
  });

  it('tells the warning again that was told last', async () => {
    const { deliver, told } = await withVm();

    await deliver([observed('running'), spotWarning(10), wanted(60)]);

    expect(told().at(-1)).toEqual(told().at(-2));
  });

  it('tells how it ended, for as long as the fleet remembers', async () => {
    const { deliver, told } = await withVm();
    await deliver([observed('terminated', 0, { reason: { code: 'Server.InternalError' } })]);

    await deliver([wanted(60)]);

    expect(told().map(({ status }) => status)).toEqual(['FAILED', 'FAILED']);
    expect(told()[1]).toEqual(told()[0]);
  });

  it('says nothing of the end of an instance whose DCM id another one has by now', async () => {
    const { worker, resourceStore, told } = awsAccount();
    const records = memoryVmRecords();
    await resourceStore.claim(vm);
    await records.adopt({ ...vm, facts: vmFacts(), resourceId: 'i-0000000000000000b' });
    await worker({ records })([observed('terminated', 0, { reason: { code: 'Server.InternalError' } })]);

    const failures = await worker({ records })([wanted(60)]);

    expect([failures.size, told().map(({ status }) => status)]).toEqual([0, ['FAILED']]);
  });

  it('says nothing of a VM without a state', async () => {
    const { deliver, told } = await withVm();

    const failures = await deliver([wanted(60)]);

    expect([failures.size, told()]).toEqual([0, []]);
  });

  it('says nothing of a VM that neither the fleet nor EC2 knows any more', async () => {
    const { worker, told } = awsAccount();

    const failures = await worker()([wanted(-600)]);

    expect([failures.size, told()]).toEqual([0, []]);
  });

  it('tells the change that came in between, and never what was before it', async () => {
    const { deliver, worker, statuses, resourceStore } = await withVm();
    await deliver([observed('running')]);
    const repeat: typeof resourceStore.republish = async (...args) => {
      const stopping = observed('stopping', 61);
      await resourceStore.record(stopping, statusOf(stopping));
      return resourceStore.republish(...args);
    };

    const failures = await worker({ resourceStore: { ...resourceStore, republish: repeat } })([wanted(60)]);
    await deliver([wanted(60)]);

    expect(failures.size).toBe(1);
    expect(statuses()).toEqual(['RUNNING', 'STOPPING', 'STOPPING']);
  });
});
