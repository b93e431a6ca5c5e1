import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../shared/core/errors.ts';
import { isNewerObservation, sequenceOf } from '../../shared/core/gate.ts';
import type { Vm } from '../../shared/core/resource.ts';
import { InstanceState } from '../../shared/service-types/vm/kind.ts';
import { observed, vmId } from '../fixtures/resource-messages.ts';
import { movedAwayStatus, movedStatus, statusOf } from '../fixtures/statuses.ts';
import { resourceStoreBacklogContract } from './resource-store-backlog.ts';
import { resourceStoreHistoryContract } from './resource-store-history.ts';
import { resourceStoreNoticesContract } from './resource-store-notices.ts';
import { type MakeResourceStore, resourceStoreSubject } from './resource-store-subject.ts';

const dayMs = 86_400_000;

/** What every Fleet is held to. `make` is given the clock, in milliseconds. */
export const resourceStoreContract = (name: string, make: MakeResourceStore) => {
  const { setup, vmIn, statuses } = resourceStoreSubject(make);

  describe(`fleet: ${name}`, () => {
    it('does not know an instance that nobody told it of', async () => {
      const { see, recall } = await setup();

      expect(await recall()).toEqual({ owner: 'unknown' });
      expect(await see('running')).toEqual({ outcome: 'unknown' });
      expect(await recall()).toEqual({ owner: 'unknown' });
    });

    it('holds a claimed VM, without a state', async () => {
      const { resourceStore, claim, recall } = await setup();

      await resourceStore.claim(claim);

      expect(await recall()).toEqual({ owner: 'us', vm: { ...claim, sequence: 0, outbox: [], history: [] } });
    });

    it('keeps state and outbox when a VM is claimed again, under another DCM id', async () => {
      const { resourceStore, claim, see, recall } = await setup();
      await resourceStore.claim(claim);
      const { vm } = (await see('running')) as { vm: Vm };

      await resourceStore.claim({ ...claim, vmId: 'another' });

      expect(await recall()).toEqual({ owner: 'us', vm: { ...vm, vmId: 'another' } });
    });

    it('gives a VM another DCM id: state and gate stay, outbox and what was asked for under the old id go', async () => {
      const { resourceStore, claim, see, recall } = await setup();
      await resourceStore.claim(claim);
      const { vm } = (await see('running', 10)) as { vm: Vm };
      await resourceStore.requestDelete(claim.instanceId);
      const { latest } = vm;
      if (!latest) throw new Error('expected a status');
      const first = movedStatus({ ...vm, latest }, movedAwayStatus(vm, latest.at + 60, 'another'));

      const moved = await resourceStore.move(vm, 'another', first);

      expect(moved).toMatchObject({ vmId: 'another', state: 'running', sequence: vm.sequence });
      expect([moved.outbox, moved.latest, moved.deleteRequested]).toEqual([[first], first, undefined]);
      expect(await recall()).toEqual({ owner: 'us', vm: moved });
      expect(statuses(await see('stopping', 90))).toEqual(['RUNNING', 'STOPPING']);
    });

    it('gives no other DCM id to a VM that has changed since it was read', async () => {
      const { resourceStore, claim, see, recall } = await setup();
      await resourceStore.claim(claim);
      const { vm } = (await see('running', 10)) as { vm: Vm };
      await see('stopping', 20);

      await expect(resourceStore.move(vm, 'another', undefined)).rejects.toThrow(UnavailableError);
      expect(await recall()).toMatchObject({ vm: { vmId, state: 'stopping' } });
    });

    it('puts the status of every accepted observation into the outbox, ascending', async () => {
      const { resourceStore, claim, see } = await setup();
      await resourceStore.claim(claim);

      await see('pending', 0);
      await see('running', 9);
      const recorded = await see('stopping', 10);

      expect(recorded).toMatchObject({ outcome: 'accepted', vm: { state: 'stopping', vmId } });
      expect(statuses(recorded)).toEqual(['PROVISIONING', 'RUNNING', 'STOPPING']);
    });

    it('refuses what is older or the same again, and shows what is still unpublished', async () => {
      const { resourceStore, claim, see } = await setup();
      await resourceStore.claim(claim);
      await see('running', 10);

      const again = await see('running', 10);
      const older = await see('pending', 9);
      const lowerRank = await see('pending', 10);

      for (const recorded of [again, older, lowerRank]) {
        expect(recorded.outcome).toBe('stale');
        expect(statuses(recorded)).toEqual(['RUNNING']);
      }
    });

    it('moves the gate but says nothing when the state that is held is seen again later', async () => {
      const { resourceStore, claim, see } = await setup();
      await resourceStore.claim(claim);
      await see('running', 10);

      const later = await see('running', 20);
      const between = await see('stopped', 15);

      expect(later.outcome).toBe('unchanged');
      expect(statuses(later)).toEqual(['RUNNING']);
      expect(between.outcome).toBe('stale');
    });

    it('accepts nothing after terminated, not even a claim', async () => {
      const { resourceStore, claim, see, recall } = await setup();
      await resourceStore.claim(claim);
      await see('terminated', 10);

      await resourceStore.claim({ ...claim, vmId: 'another' });

      expect((await see('running', 20)).outcome).toBe('stale');
      expect(await recall()).toMatchObject({ owner: 'us', vm: { vmId, state: 'terminated' } });
    });

    it('agrees with the gate about every pair of observations', async () => {
      for (const before of InstanceState.options) {
        const { resourceStore, claim, see, instanceId } = await setup();
        await resourceStore.claim(claim);
        await see(before, 10);
        for (const [after, seconds] of InstanceState.options.flatMap((s) => [
          [s, 9] as const,
          [s, 10] as const,
        ])) {
          const observation = observed(after, seconds, { instanceId });
          const held = { state: before, sequence: sequenceOf(observed(before, 10)) };
          if (isNewerObservation(held, observation)) continue; // accepted ones would change what is held

          expect(
            (await resourceStore.record(observation, statusOf(observation))).outcome,
            `${before}, then ${after}`,
          ).toBe('stale');
        }
      }
    });

    it('settles these statuses and no others, as often as it is asked', async () => {
      const { resourceStore, claim, see } = await setup();
      await resourceStore.claim(claim);
      const first = vmIn(await see('pending', 0));
      await see('running', 9);

      const keys = first.outbox.map(({ key }) => key);
      await resourceStore.settle(first, keys);
      const settled = await resourceStore.settle(first, keys);

      expect(settled?.outbox.map(({ status }) => status)).toEqual(['RUNNING']);
      expect(statuses(await see('pending', 0))).toEqual(['RUNNING']);
    });

    it('does not bring a forgotten VM back by settling it', async () => {
      const { resourceStore, instanceId, recall } = await setup();

      const settled = await resourceStore.settle({ instanceId, outbox: [], history: [] }, ['17873974000']);

      expect(settled).toBeUndefined();
      expect(await recall()).toEqual({ owner: 'unknown' });
    });

    it('remembers for a day that an instance is not ours', async () => {
      const { resourceStore, clock, instanceId, recall, see } = await setup();
      await resourceStore.disclaim([instanceId]);

      expect(await recall()).toEqual({ owner: 'others' });
      expect(await see('running')).toEqual({ outcome: 'unknown' });
      clock.ms += dayMs + 1000;
      expect(await recall()).toEqual({ owner: 'unknown' });
    });

    it('keeps the request that a status is due to', async () => {
      const { resourceStore, claim, see, recall } = await setup();
      await resourceStore.claim(claim);
      await see('stopping', 0, { requestId: 'r-1' });

      expect(await recall()).toMatchObject({ vm: { outbox: [{ requestId: 'r-1' }] } });
    });

    it('lets a claim overrule a disclaim, and never the other way round', async () => {
      const { resourceStore, claim, instanceId, recall } = await setup();
      await resourceStore.disclaim([instanceId]);
      await resourceStore.claim(claim);
      await resourceStore.disclaim([instanceId]);

      expect(await recall()).toMatchObject({ owner: 'us' });
    });

    it('remembers that DCM asked for the deletion of what is ours', async () => {
      const { resourceStore, claim, see, recall, instanceId } = await setup();
      await resourceStore.requestDelete(instanceId);
      const before = await recall();
      await resourceStore.claim(claim);
      await see('running');

      await resourceStore.requestDelete(instanceId);
      await resourceStore.requestDelete(instanceId);

      expect(before).toEqual({ owner: 'unknown' });
      expect(await recall()).toMatchObject({ owner: 'us', vm: { state: 'running', deleteRequested: true } });
    });

    it('forgets a released VM with all that was held of it', async () => {
      const { resourceStore, claim, see, instanceId, recall } = await setup();
      await resourceStore.claim(claim);
      await see('running');

      await resourceStore.release(instanceId);

      expect(await recall()).toEqual({ owner: 'others' });
      expect(await see('stopping', 10)).toEqual({ outcome: 'unknown' });
      await resourceStore.claim(claim);
      expect(await recall()).toEqual({ owner: 'us', vm: { ...claim, sequence: 0, outbox: [], history: [] } });
    });

    it('keeps the id of the status that was recorded where two workers draw one each', async () => {
      const { resourceStore, claim, instanceId } = await setup();
      await resourceStore.claim(claim);
      const running = observed('running', 0, { instanceId });
      const drawn = ['one', 'other'].map((id) => ({ ...statusOf(running), id }));

      const recorded = await Promise.all(drawn.map((status) => resourceStore.record(running, status)));

      const outboxes = recorded.map((one) => vmIn(one).outbox.map(({ id }) => id));
      expect(recorded.map(({ outcome }) => outcome).sort()).toEqual(['accepted', 'stale']);
      expect(outboxes[0]).toEqual(outboxes[1]);
      expect(outboxes[0]).toHaveLength(1);
    });

    it('lets exactly one of twenty racing workers win', async () => {
      const { resourceStore, claim, see } = await setup();
      await resourceStore.claim(claim);

      const outcomes = await Promise.all(Array.from({ length: 20 }, () => see('running')));

      expect(outcomes.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    });

    it('recalls more instances at once than DynamoDB answers in one call', async () => {
      const { resourceStore, claim } = await setup();
      await resourceStore.claim(claim);
      const strangers = Array.from(
        { length: 150 },
        (_, index) => `i-${String(900_000 + index).padStart(17, '0')}`,
      );

      const found = await resourceStore.recall([...strangers, claim.instanceId, claim.instanceId]);

      expect(found.size).toBe(151);
      expect(found.get(claim.instanceId)?.owner).toBe('us');
    });
  });

  resourceStoreBacklogContract(name, make);
  resourceStoreHistoryContract(name, make);
  resourceStoreNoticesContract(name, make);
};
