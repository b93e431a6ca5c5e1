import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../shared/core/errors.ts';
import { isNewerObservation, sequenceOf } from '../../shared/core/gate.ts';
import type { Observation } from '../../shared/core/message.ts';
import type { Resource } from '../../shared/core/resource.ts';
import { InstanceState, vmKind } from '../../shared/service-types/vm/kind.ts';
import { dcmId, observed } from '../fixtures/resource-messages.ts';
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
      const { see, read } = await setup();

      expect(await read()).toEqual({ owner: 'unknown' });
      expect(await see('running')).toEqual({ outcome: 'unknown' });
      expect(await read()).toEqual({ owner: 'unknown' });
    });

    it('holds a claimed VM, without a state', async () => {
      const { resourceStore, claim, read } = await setup();

      await resourceStore.claim(claim);

      expect(await read()).toEqual({
        owner: 'ours',
        vm: { kind: vmKind, ...claim, sequence: 0, outbox: [], history: [] },
      });
    });

    it('keeps state and outbox when a VM is claimed again, under another DCM id', async () => {
      const { resourceStore, claim, see, read } = await setup();
      await resourceStore.claim(claim);
      const { vm } = (await see('running')) as { vm: Resource };

      await resourceStore.claim({ ...claim, dcmId: 'another' });

      expect(await read()).toEqual({ owner: 'ours', vm: { ...vm, dcmId: 'another' } });
    });

    it('claims a VM with its deletion, which a later claim does not take back', async () => {
      const { resourceStore, claim, read } = await setup();

      await resourceStore.claim({ ...claim, deleteRequested: true });
      await resourceStore.claim(claim);

      expect(await read()).toMatchObject({ owner: 'ours', vm: { ...claim, deleteRequested: true } });
    });

    it('gives a VM another DCM id: state and gate stay, outbox and what was asked for under the old id go', async () => {
      const { resourceStore, claim, see, read } = await setup();
      await resourceStore.claim(claim);
      const { vm } = (await see('running', 10)) as { vm: Resource };
      await resourceStore.requestDelete(claim.resourceId);
      const { latest } = vm;
      if (!latest) throw new Error('expected a status');
      const first = movedStatus({ ...vm, latest }, movedAwayStatus(vm, latest.at + 60, 'another'));

      const moved = await resourceStore.move(vm, 'another', first);

      expect(moved).toMatchObject({ dcmId: 'another', state: 'running', sequence: vm.sequence });
      expect([moved.outbox, moved.latest, moved.deleteRequested]).toEqual([[first], first, undefined]);
      expect(await read()).toEqual({ owner: 'ours', vm: moved });
      expect(statuses(await see('stopping', 90))).toEqual(['RUNNING', 'STOPPING']);
    });

    it('gives no other DCM id to a VM that has changed since it was read', async () => {
      const { resourceStore, claim, see, read } = await setup();
      await resourceStore.claim(claim);
      const { vm } = (await see('running', 10)) as { vm: Resource };
      await see('stopping', 20);

      await expect(resourceStore.move(vm, 'another', undefined)).rejects.toThrow(UnavailableError);
      expect(await read()).toMatchObject({ vm: { dcmId, state: 'stopping' } });
    });

    it('puts the status of every accepted observation into the outbox, ascending', async () => {
      const { resourceStore, claim, see } = await setup();
      await resourceStore.claim(claim);

      await see('pending', 0);
      await see('running', 9);
      const recorded = await see('stopping', 10);

      expect(recorded).toMatchObject({ outcome: 'accepted', vm: { state: 'stopping', dcmId } });
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

    it('keeps the time of the first event of a state that it held before as a listing showed it, until the next state', async () => {
      const { resourceStore, claim, resourceId } = await setup();
      await resourceStore.claim(claim);
      const see = async (state: InstanceState, seconds: number, seenBy: Observation['seenBy'] = 'event') => {
        const observation = observed(state, seconds, { resourceId, seenBy });
        const recorded = await resourceStore.record(observation, statusOf(observation));
        return recorded.outcome === 'unknown' ? undefined : recorded.vm;
      };
      const sequence = sequenceOf(vmKind, observed('stopping', 12));

      expect((await see('stopping', 5, 'api'))?.latest).toMatchObject({ seenBy: 'api' });
      expect((await see('stopping', 6, 'listing'))?.eventSequence).toBeUndefined();
      expect((await see('stopping', 12))?.eventSequence).toBe(sequence);
      expect((await see('stopping', 13))?.eventSequence).toBe(sequence);
      expect((await see('stopped', 20))?.eventSequence).toBeUndefined();
    });

    it('accepts nothing after terminated, not even a claim', async () => {
      const { resourceStore, claim, see, read } = await setup();
      await resourceStore.claim(claim);
      await see('terminated', 10);

      await resourceStore.claim({ ...claim, dcmId: 'another' });

      expect((await see('running', 20)).outcome).toBe('stale');
      expect(await read()).toMatchObject({ owner: 'ours', vm: { dcmId, state: 'terminated' } });
    });

    it('agrees with the gate about every pair of observations', async () => {
      for (const before of InstanceState.options) {
        const { resourceStore, claim, see, resourceId } = await setup();
        await resourceStore.claim(claim);
        await see(before, 10);
        for (const [after, seconds] of InstanceState.options.flatMap((s) => [
          [s, 9] as const,
          [s, 10] as const,
        ])) {
          const observation = observed(after, seconds, { resourceId });
          const held = { state: before, sequence: sequenceOf(vmKind, observed(before, 10)) };
          if (isNewerObservation(vmKind, held, observation)) continue; // accepted ones would change what is held

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
      const { resourceStore, resourceId, read } = await setup();

      const settled = await resourceStore.settle({ resourceId, outbox: [], history: [] }, ['17873974000']);

      expect(settled).toBeUndefined();
      expect(await read()).toEqual({ owner: 'unknown' });
    });

    it('remembers for a day that an instance is not ours', async () => {
      const { resourceStore, clock, resourceId, read, see } = await setup();
      await resourceStore.markForeign([resourceId]);

      expect(await read()).toEqual({ owner: 'foreign' });
      expect(await see('running')).toEqual({ outcome: 'unknown' });
      clock.ms += dayMs + 1000;
      expect(await read()).toEqual({ owner: 'unknown' });
    });

    it('keeps the request that a status is due to', async () => {
      const { resourceStore, claim, see, read } = await setup();
      await resourceStore.claim(claim);
      await see('stopping', 0, { requestId: 'r-1' });

      expect(await read()).toMatchObject({ vm: { outbox: [{ requestId: 'r-1' }] } });
    });

    it('lets a claim overrule a disclaim, and never the other way round', async () => {
      const { resourceStore, claim, resourceId, read } = await setup();
      await resourceStore.markForeign([resourceId]);
      await resourceStore.claim(claim);
      await resourceStore.markForeign([resourceId]);

      expect(await read()).toMatchObject({ owner: 'ours' });
    });

    it('remembers that DCM asked for the deletion of what is ours', async () => {
      const { resourceStore, claim, see, read, resourceId } = await setup();
      await resourceStore.requestDelete(resourceId);
      const before = await read();
      await resourceStore.claim(claim);
      await see('running');

      await resourceStore.requestDelete(resourceId);
      await resourceStore.requestDelete(resourceId);

      expect(before).toEqual({ owner: 'unknown' });
      expect(await read()).toMatchObject({ owner: 'ours', vm: { state: 'running', deleteRequested: true } });
    });

    it('forgets a released VM with all that was held of it', async () => {
      const { resourceStore, claim, see, resourceId, read } = await setup();
      await resourceStore.claim(claim);
      await see('running');

      await resourceStore.removeOwnership(resourceId);

      expect(await read()).toEqual({ owner: 'foreign' });
      expect(await see('stopping', 10)).toEqual({ outcome: 'unknown' });
      await resourceStore.claim(claim);
      expect(await read()).toEqual({
        owner: 'ours',
        vm: { kind: vmKind, ...claim, sequence: 0, outbox: [], history: [] },
      });
    });

    it('keeps the id of the status that was recorded where two workers draw one each', async () => {
      const { resourceStore, claim, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = observed('running', 0, { resourceId });
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

      const found = await resourceStore.read([...strangers, claim.resourceId, claim.resourceId]);

      expect(found.size).toBe(151);
      expect(found.get(claim.resourceId)?.owner).toBe('ours');
    });
  });

  resourceStoreBacklogContract(name, make);
  resourceStoreHistoryContract(name, make);
  resourceStoreNoticesContract(name, make);
};
