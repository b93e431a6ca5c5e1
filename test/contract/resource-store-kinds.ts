import { describe, expect, it } from 'vitest';
import { isNewerObservation, sequenceOf } from '../../shared/core/gate.ts';
import { finalState, isEnd, isEnding, type Kind } from '../../shared/core/kind.ts';
import type { Observation } from '../../shared/core/message.ts';
import { explainedStatus, statusOf } from '../../shared/core/resource.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { halfPastTen } from '../fixtures/resource-messages.ts';
import { fixedPart } from '../fixtures/statuses.ts';
import type { MakeResourceStore } from './resource-store-subject.ts';

let resources = 0;

/** An id of the kind that no other test has. */
const newId = ({ serviceType }: Kind): string => {
  resources += 1;
  const number = resources.toString(16);
  if (serviceType === 'vm') return `i-${number.padStart(17, 'e')}`;
  if (serviceType === 'container') return `task/${number.padStart(32, '0')}`;
  return `eks/us-east-1/c-${number}`;
};

/** The promises of a resource store that concern states, for a kind: each has its own states and addresses. */
export const resourceStoreKindContract = (name: string, make: MakeResourceStore, kind: Kind) => {
  const setup = async () => {
    const resourceId = newId(kind);
    const clock = { ms: halfPastTen * 1000 };
    const resourceStore = await make(() => clock.ms);
    const place = { region: 'us-east-1', account: '123456789012' };
    await resourceStore.claim({ resourceId, dcmId: 'an-id', ...place });
    const see = (state: string, seconds = 0, more: Partial<Observation> = {}) => {
      const at = halfPastTen + seconds;
      const seen: Observation = {
        kind: 'observation',
        resourceId,
        ...place,
        state,
        at,
        seenBy: 'event',
        ...more,
      };
      return resourceStore.record(seen, statusOf(kind, seen, fixedPart));
    };
    const read = async () => (await resourceStore.read([resourceId])).get(resourceId);
    return { resourceStore, resourceId, see, read };
  };

  describe(`resource store: ${name}, ${kind.collection}`, () => {
    const pairs = kind.states.flatMap((before) =>
      kind.states.flatMap((after) => [9, 10, 11].map((seconds) => ({ before, after, seconds }))),
    );

    it('agrees with the gate about every pair of observations', async () => {
      for (const { before, after, seconds } of pairs) {
        const { see } = await setup();
        await see(before, 10);
        const held = { state: before, sequence: sequenceOf(kind, { state: before, at: halfPastTen + 10 }) };
        const isNewer = isNewerObservation(kind, held, { state: after, at: halfPastTen + seconds });
        const newer = before === after ? 'unchanged' : 'accepted';

        const { outcome } = await see(after, seconds);

        expect(outcome, `${before}, then ${after} at ${seconds}`).toBe(isNewer ? newer : 'stale');
      }
    });

    it('puts every state into outbox and history, and gives both back', async () => {
      const { see, read } = await setup();

      for (const [seconds, state] of kind.states.entries()) await see(state, seconds);

      const held = await read();
      const vm = held?.owner === 'ours' ? held.vm : undefined;
      expect(vm?.kind).toBe(kind);
      expect(vm?.outbox.map(({ status }) => status)).toEqual(
        kind.states.map((state) => kind.statusOf(state)),
      );
      expect(vm?.history.map(({ message }) => message)).toEqual(vm?.outbox.map(({ message }) => message));
    });

    const explained = kind.reasonsChange ? [kind.runningState, 'DELETING'] : [];
    it.each(explained)(
      'has another reason in its history, too, where an end is under way: %s',
      async (state) => {
        const { resourceStore, see } = await setup();
        const recorded = await see(state);
        if (recorded.outcome === 'unknown' || !recorded.vm.latest) throw new Error('expected a status');
        const { resourceId, region, account } = recorded.vm;
        const reason = { message: 'VpcNotFound: it is gone' };
        const status = explainedStatus(
          { ...recorded.vm, latest: recorded.vm.latest },
          {
            ...{ kind: 'observation', resourceId, region, account, state, reason },
            ...{ at: halfPastTen + 5, seenBy: 'listing' },
          },
          fixedPart,
        );

        const held = await resourceStore.readdress(recorded.vm, {}, status);

        const past = isEnding(kind, state) ? [{}, { key: status.key, message: status.message }] : [{}];
        expect(held).toMatchObject({ vm: { latest: status, outbox: [{}, status], history: past } });
      },
    );

    it('keeps the addresses of every kind', async () => {
      const { resourceStore, resourceId, see, read } = await setup();
      const ports = [{ port: 80, scope: 'internal' }] as const;
      const apiEndpoint = 'https://example.eks.amazonaws.com';
      await resourceStore.claim({
        ...{ resourceId, dcmId: 'an-id', region: 'us-east-1', account: '123456789012' },
        ...{ ports, getsPublicAddress: true },
      });

      await see(kind.runningState, 5, { privateAddress: '10.0.0.7', apiEndpoint });

      const addresses = { privateAddress: '10.0.0.7', ports, apiEndpoint, getsPublicAddress: true };
      expect(await read()).toMatchObject({ vm: addresses });
    });

    it('lists what has ended of this kind alone', async () => {
      const resourceStore = await make(() => halfPastTen * 1000);
      const place = { region: `${kind.serviceType}-${name.length}`, account: '123456789012' };
      const all = kinds.flatMap((one) => one.states.map((state) => ({ one, state, resourceId: newId(one) })));
      for (const { one, state, resourceId } of all) {
        const about = { resourceId, ...place, at: halfPastTen };
        const seen = { kind: 'observation', ...about, state, seenBy: 'event' } as const;
        await resourceStore.claim({ resourceId, dcmId: 'an-id', ...place });
        await resourceStore.record(seen, statusOf(one, seen, fixedPart));
      }
      const ended = all.filter(({ one, state }) => one === kind && isEnd(kind, state));

      const { region } = place;
      const found = await resourceStore.ended({ kind, region, since: halfPastTen, token: undefined });

      expect(found.resources.map(({ resourceId }) => resourceId).sort()).toEqual(
        ended.map(({ resourceId }) => resourceId).sort(),
      );
      expect(isEnd(kind, finalState(kind))).toBe(true);
    });
  });
};
