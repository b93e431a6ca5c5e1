import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../functions/nats-bridge/publish-events.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import type { InstanceState } from '../../shared/service-types/vm/kind.ts';
import { observed } from '../fixtures/resource-messages.ts';
import { statusOf } from '../fixtures/statuses.ts';
import { awsAccount } from '../unit/normaliser/account.ts';
import { type MakeResourceStore, resourceStoreSubject } from './resource-store-subject.ts';

const cycle: readonly InstanceState[] = ['pending', 'running', 'stopping', 'stopped'];
const daysOfOutage = 14;

/** What every Fleet is held to when nothing can be published for as long as SQS keeps a message. */
export const resourceStoreBacklogContract = (name: string, make: MakeResourceStore) => {
  const { setup, vmIn } = resourceStoreSubject(make);

  describe(`fleet: ${name}, after an outage of NATS`, () => {
    it('has a VM that changed every hour for 14 days published once, in order, settled, and its newest status last', {
      timeout: 240_000,
    }, async () => {
      const { resourceStore, claim, resourceId } = await setup();
      await resourceStore.claim({ ...claim, privateAddress: '10.0.0.4' });
      const account = awsAccount();
      let isDown = true;
      const ready = async () => {
        if (isDown) throw new UnavailableError('NATS cannot be connected');
      };
      const deliver = account.worker({
        resourceStore,
        publisher: publishEvents({ ...account.stream, ready }),
      });
      const changes = Array.from({ length: daysOfOutage * 24 }, (_, hour) =>
        observed(cycle[hour % 4] ?? 'pending', hour * 3600, { resourceId }),
      );
      for (const change of changes) expect((await deliver([change])).size).toBe(1);
      const unpublished = vmIn(await resourceStore.readConsistently(resourceId)).outbox;

      isDown = false;
      account.clock.ms += daysOfOutage * 86_400_000;
      const failures = [await deliver(changes.slice(-1), 2), await deliver(changes.slice(0, 9), 2)];

      const sequences = account.stream.stored.map((event) => String(event.sequence));
      expect(unpublished.length).toBeLessThan(301);
      expect(failures.map(({ size }) => size)).toEqual([0, 0]);
      expect(sequences).toEqual(unpublished.map(({ key }) => key));
      expect(sequences).toEqual([...new Set(sequences)].sort());
      expect(account.statuses(resourceId).slice(-4)).toEqual([
        'PROVISIONING',
        'RUNNING',
        'STOPPING',
        'STOPPED',
      ]);
      const settled = vmIn(await resourceStore.readConsistently(resourceId));
      expect(settled.outbox).toEqual([]);
      expect(settled.history).toHaveLength(10);
    });
  });

  describe(`fleet: ${name}, with statuses that the status bus has not taken`, () => {
    it('keeps them in the write that settles the outbox, until they are taken, across changes and another DCM id', async () => {
      const { resourceStore, claim, resourceId } = await setup();
      await resourceStore.claim(claim);
      const pending = observed('pending', 0, { resourceId });
      const runs = observed('running', 9, { resourceId });
      const vm = vmIn(await resourceStore.record(pending, statusOf(pending)));
      const [first] = vm.outbox;
      if (first === undefined) throw new Error('expected a status');
      const kept = { ...first, requestId: undefined, dcmId: vm.dcmId };

      const settled = await resourceStore.settle(vm, [first.key], { keep: [kept], forwarded: [] });
      expect([settled?.outbox, settled?.unforwarded]).toEqual([[], [{ ...first, dcmId: vm.dcmId }]]);
      const running = vmIn(await resourceStore.record(runs, statusOf(runs)));
      const moved = await resourceStore.move(running, 'vm-other', undefined);
      expect(moved.unforwarded).toEqual([{ ...first, dcmId: vm.dcmId }]);

      const taken = { keep: [], forwarded: [first.key] };
      expect((await resourceStore.settle(moved, [], taken))?.unforwarded ?? []).toEqual([]);
      expect((await resourceStore.settle(moved, [], taken))?.unforwarded ?? []).toEqual([]);
      expect(vmIn(await resourceStore.readConsistently(resourceId)).unforwarded ?? []).toEqual([]);
    });
  });
};
