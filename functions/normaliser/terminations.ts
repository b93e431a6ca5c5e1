import { LRUCache } from 'lru-cache';
import type { StateReason } from '../../shared/domain/instance.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import { needsReason } from '../../shared/domain/vm-status.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import type { Lane } from './lanes.ts';

/** DescribeInstances takes at most 200 filter values. */
const maximumLeaving = 150;

/**
 * Why instances were terminated. EC2 knows the reason from `shutting-down` on, and `terminated` follows: so whoever asks about one
 * instance asks about all that are on their way, and a mass termination costs a call or two, not one for each.
 */
export const terminations = () => {
  const leaving = new LRUCache<string, string>({ max: maximumLeaving }); // instance id → region
  const reasons = new LRUCache<string, StateReason>({ max: 1_000 });

  return {
    /** Hears of an instance of ours that is shutting down. */
    expect({ instanceId, region }: Pick<Vm, 'instanceId' | 'region'>): void {
      if (!reasons.has(instanceId)) leaving.set(instanceId, region);
    },

    /** The instances of a region whose reason will soon be wanted. */
    leaving: (region: string): string[] =>
      [...leaving.entries()].flatMap(([id, where]) => (where === region ? [id] : [])),

    learn({ instanceId, state, reason }: Instance): void {
      if (!reason || (state !== 'shutting-down' && state !== 'terminated')) return;
      leaving.delete(instanceId);
      reasons.set(instanceId, reason);
    },

    reasonOf: (instanceId: string): StateReason | undefined => reasons.get(instanceId),

    /** Whether a lane ends in a `terminated` that only EC2 can tell DELETED from FAILED. */
    isUnexplained: ({ instanceId, signals }: Lane, vm?: Vm): boolean =>
      vm?.state !== 'terminated' &&
      signals.some(
        (signal) =>
          signal.kind === 'observation' &&
          needsReason(signal.state, {
            reason: signal.reason ?? reasons.get(instanceId),
            deleteRequested: vm?.deleteRequested,
          }),
      ),
  };
};
export type Terminations = ReturnType<typeof terminations>;
