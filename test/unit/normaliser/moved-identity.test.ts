import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { StatusPublisher } from '../../../shared/ports/status-publisher.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { eventBridgeEvent } from '../../fixtures/eventbridge.ts';
import { observed, ourTags, resourceId, tagged, tagKeys } from '../../fixtures/resource-messages.ts';
import { awsAccount } from './account.ts';

const second = 'i-0000000000000000a';
const tagsOf = (id: string) => ({ ...ourTags, 'dcm-instance-id': id });

/** vm-wrong runs, and is what the normaliser reports of the first instance; vm-right is not known yet. */
const world = async (ids: Record<string, string> = { [resourceId]: 'vm-wrong' }) => {
  const account = awsAccount(
    ...Object.entries(ids).map(([id, dcmId]) => ({ resourceId: id, tags: tagsOf(dcmId) })),
  );
  const records = memoryVmRecords(() => account.clock.ms);
  const start = () => account.worker({ records });
  const deliver = start();
  for (const id of Object.keys(ids)) await deliver([observed('running', 0, { resourceId: id })]);
  const retag = (id: string, dcmId: string, seconds: number, state: InstanceState = 'running') => {
    account.instances.known.set(id, described({ resourceId: id, state, tags: tagsOf(dcmId) }));
    return tagged(tagsOf(dcmId), seconds, { resourceId: id });
  };
  return { ...account, records, start, deliver, retag };
};

describe('normaliser, with an instance whose DCM id is overwritten', () => {
  it('ends the old VM as DELETED, and publishes the new one at once, as adopted', async () => {
    const { deliver, retag, records, reported, held, meter, clock } = await world();
    retag(resourceId, 'vm-right', 0);
    const event = JSON.stringify(eventBridgeEvent('tag-change-other-dcm-id'));
    const read = readMessage({
      provider: 'ec2-sp',
      tagKeys,
      regions: ['us-east-1'],
      now: () => clock.ms,
      log: memoryLog(),
      meter: countingMeter(),
    });

    const failures = await deliver(read(event));

    expect(failures.size).toBe(0);
    expect(reported('vm-wrong')).toEqual(['RUNNING', 'DELETED']);
    expect(reported('vm-right')).toEqual(['RUNNING']);
    expect((await records.read('vm-wrong'))?.endedAtMs).toBeDefined();
    expect(await records.read('vm-right')).toMatchObject({ resourceId, adopted: true });
    expect(await held()).toMatchObject({ owner: 'ours', vm: { dcmId: 'vm-right' } });
    expect(meter.counts.moved).toBe(1);
  });

  it('reports what follows under the new id', async () => {
    const { deliver, retag, reported } = await world();

    await deliver([retag(resourceId, 'vm-right', 60), observed('stopping', 61)]);
    await deliver([observed('stopped', 90)]);

    expect(reported('vm-wrong')).toEqual(['RUNNING', 'DELETED']);
    expect(reported('vm-right')).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);
  });

  it('publishes under the old id what was unpublished of the old VM', async () => {
    const { worker, records, deliver, retag, reported } = await world();
    const silent = { publish: async () => ({ acknowledged: [], failed: [] }) };
    await worker({ records, publisher: silent })([observed('stopping', 30)]);

    await deliver([retag(resourceId, 'vm-right', 60, 'stopping')]);

    expect(reported('vm-wrong')).toEqual(['RUNNING', 'STOPPING', 'DELETED']);
    expect(reported('vm-right')).toEqual(['STOPPING']);
  });

  it('does not move it while NATS does not take the end of the old VM, and says it once', async () => {
    const { worker, records, deliver, retag, reported, held } = await world();
    const change = retag(resourceId, 'vm-right', 60);
    const silent = { publish: async () => ({ acknowledged: [], failed: [] }) };

    const failures = await worker({ records, publisher: silent })([change]);
    const before = await held();
    await deliver([change], 2);
    await deliver([change], 3);

    expect(failures.get(0)).toBeInstanceOf(UnavailableError);
    expect(before).toMatchObject({ vm: { dcmId: 'vm-wrong' } });
    expect(reported('vm-wrong')).toEqual(['RUNNING', 'DELETED']);
    expect(reported('vm-right')).toEqual(['RUNNING']);
  });

  it('moves it although a status of the old VM can never be published', async () => {
    const { worker, records, retag, held } = await world();
    const silent = { publish: async () => ({ acknowledged: [], failed: [] }) };
    await worker({ records, publisher: silent })([observed('stopping', 30)]);
    const published: string[] = [];
    const picky: StatusPublisher = {
      async publish(events) {
        const refused = events.filter(({ data }) => Object(data).status === 'STOPPING');
        const others = refused.length > 0 ? [] : events;
        published.push(...others.map(({ data }) => Object(data).status));
        return {
          acknowledged: others.map(({ id }) => ({ id, stream: 'dcm-status', seq: 1, duplicate: false })),
          failed: refused.map(({ id }) => ({ id, reason: 'too large', retryable: false })),
        };
      },
    };

    await worker({ records, publisher: picky })([retag(resourceId, 'vm-right', 60)]);

    expect(published).toContain('DELETED');
    expect(await held()).toMatchObject({ vm: { dcmId: 'vm-right' } });
  });

  it('does not move it by a late copy of tags that EC2 does not show', async () => {
    const { deliver, reported, held } = await world();

    await deliver([tagged(tagsOf('vm-right'), 60)]);

    expect(reported('vm-wrong')).toEqual(['RUNNING']);
    expect(await held()).toMatchObject({ vm: { dcmId: 'vm-wrong' } });
  });

  it('does not take the deletion that was asked for under the old id along', async () => {
    const { deliver, resourceStore, retag, held } = await world();
    await resourceStore.requestDelete(resourceId);

    await deliver([retag(resourceId, 'vm-right', 60)]);

    const now = await held();
    expect(now?.owner === 'ours' && now.vm.deleteRequested).toBeFalsy();
  });

  it('moves it back, too', async () => {
    const { deliver, retag, reported } = await world();

    await deliver([retag(resourceId, 'vm-right', 60)]);
    await deliver([retag(resourceId, 'vm-wrong', 120)]);

    expect(reported('vm-right')).toEqual(['RUNNING', 'DELETED']);
    expect(reported('vm-wrong')).toEqual(['RUNNING', 'DELETED', 'RUNNING']);
  });
});

describe('normaliser, with two instances that swap their DCM ids', () => {
  it.each([
    ['the first before the second', [resourceId, second]],
    ['the second before the first', [second, resourceId]],
    ['only of the first', [resourceId]],
  ])('goes on with both VMs where it hears of %s', async (_, order) => {
    const { start, retag, due, reported, records, held } = await world({
      [resourceId]: 'vm-1',
      [second]: 'vm-2',
    });
    const changes = new Map([
      [resourceId, retag(resourceId, 'vm-2', 60)],
      [second, retag(second, 'vm-1', 61)],
    ]);

    for (const id of order) await start()([...changes.values()].filter((change) => change.resourceId === id));
    await start()(due(1));

    expect(await records.read('vm-1')).toMatchObject({ resourceId: second });
    expect(await records.read('vm-2')).toMatchObject({ resourceId });
    expect(await held(resourceId)).toMatchObject({ vm: { dcmId: 'vm-2' } });
    expect(await held(second)).toMatchObject({ vm: { dcmId: 'vm-1' } });
    expect([...reported('vm-1'), ...reported('vm-2')]).not.toContain('DELETED');
  });
});

describe('normaliser, with an instance that is given the DCM id of another living one', () => {
  it('ends the old VM, does not report it, and does once the other instance has another id', async () => {
    const { deliver, retag, due, reported, held } = await world({ [resourceId]: 'vm-1', [second]: 'vm-2' });

    await deliver([retag(resourceId, 'vm-2', 60)]);
    const asDuplicate = await held(resourceId);
    await deliver([retag(second, 'vm-3', 120)]);
    await deliver(due(1));

    expect(asDuplicate).toEqual({ owner: 'foreign', duplicateOf: 'vm-2' });
    expect(reported('vm-1')).toEqual(['RUNNING', 'DELETED']);
    expect(reported('vm-3')).toEqual(['RUNNING']);
    expect(await held(resourceId)).toMatchObject({ owner: 'ours', vm: { dcmId: 'vm-2' } });
    expect(reported('vm-2')).not.toContain('DELETED');
  });
});
