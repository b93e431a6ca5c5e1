import type { StateReason } from '../../../shared/service-types/vm/kind.ts';
import type { StatusCheck } from '../../../shared/service-types/vm/status-checks.ts';
import { rebalanceRecommendation, retirementEvent, spotInterruption } from './events.ts';
import type { SimulatedInstance } from './instance.ts';
import { isTransitional, stateReasons } from './lifecycle.ts';
import { Ec2Error } from './query-protocol.ts';
import type { Region } from './region.ts';

/**
 * What EC2 does to instances without a call. Each method rejects with an Ec2Error for an unknown instance, and resolves when `emit` has
 * taken its event, if it has one.
 */
export type InstanceFaults = {
  /**
   * Interrupts an instance, spot or not: emits the warning now, and `noticeMs` later (@default two minutes, as in AWS) terminates the
   * instance with Server.SpotInstanceTermination, or stops it with Server.SpotInstanceShutdown.
   */
  interruptSpot(instanceId: string, options?: Interruption): Promise<void>;
  /** Terminates an instance for this reason: at once where it is pending, which is a failed launch, else through shutting-down. */
  fail(instanceId: string, reason: StateReason): Promise<void>;
  recommendRebalance(instanceId: string): Promise<void>;
  /** Emits AWS Health's event that the host will be retired, by default in two weeks. The retirement itself is not simulated. */
  scheduleRetirement(instanceId: string, options?: { readonly retiresAtMs?: number }): Promise<void>;
  /** Emits AWS Health's event that a scheduled retirement is over. */
  cancelRetirement(instanceId: string): Promise<void>;
  /** Makes an instance fail a status check, by default the instance check, until `recover` or the next start. */
  impair(instanceId: string, check?: StatusCheck): Promise<void>;
  recover(instanceId: string): Promise<void>;
  /** Keeps an instance in a transitional state, such as pending, until a call or another of these methods changes it. */
  stall(instanceId: string): Promise<void>;
};

type Interruption = {
  readonly noticeMs?: number;
  readonly action?: 'hibernate' | 'stop' | 'terminate';
};

const defaultNoticeMs = 120_000;
const defaultRetirementMs = 14 * 86_400_000;

export const instanceFaults = (regions: () => Iterable<Region>): InstanceFaults => {
  const find = (id: string) => {
    for (const region of regions()) {
      const instance = region.lookUp(id);
      if (instance) return { region, instance, subject: subjectOf(region, instance) };
    }
    throw new Ec2Error('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  };
  return {
    interruptSpot: async (id, { noticeMs = defaultNoticeMs, action = 'terminate' } = {}) => {
      const { region, subject } = find(id);
      region.account.timers.after(`interruption of ${id}`, noticeMs, () => reclaim(region, id, action));
      await region.account.emit(spotInterruption(subject, action));
    },
    fail: async (id, reason) => {
      const { region, instance } = find(id);
      if (isEnding(instance)) return;
      region.enter(id, instance.status.value.state === 'pending' ? 'terminated' : 'shutting-down', reason);
    },
    recommendRebalance: async (id) => {
      const { region, subject } = find(id);
      await region.account.emit(rebalanceRecommendation(subject));
    },
    scheduleRetirement: async (id, options = {}) => {
      const { region, subject } = find(id);
      const { retiresAtMs = subject.atMs + defaultRetirementMs } = options;
      region.update(id, { retiresAtMs });
      await region.account.emit(retirementEvent(subject, 'scheduled', retiresAtMs));
    },
    cancelRetirement: async (id) => {
      const { region, instance, subject } = find(id);
      region.update(id, { retiresAtMs: undefined });
      await region.account.emit(retirementEvent(subject, 'over', instance.retiresAtMs ?? subject.atMs));
    },
    impair: async (id, check = 'instance') => {
      const { region, subject } = find(id);
      region.update(id, { impaired: { check, sinceMs: subject.atMs } });
    },
    recover: async (id) => find(id).region.update(id, { impaired: undefined }),
    stall: async (id) => {
      const { region, instance } = find(id);
      const { state } = instance.status.value;
      if (!isTransitional(state)) {
        throw new Ec2Error(
          'IncorrectInstanceState',
          `The instance '${id}' is ${state}, which is not a transitional state.`,
        );
      }
      region.account.timers.cancel(id);
    },
  };
};

const subjectOf = ({ account }: Region, instance: SimulatedInstance) => ({
  instance,
  account: account.id,
  atMs: account.clock(),
});

const reclaim = (region: Region, id: string, action: Interruption['action']): void => {
  const instance = region.lookUp(id);
  if (instance === undefined || isEnding(instance)) return;
  if (action === 'terminate') return void region.enter(id, 'shutting-down', stateReasons.spotTermination);
  if (instance.status.value.state === 'running') region.enter(id, 'stopping', stateReasons.spotShutdown);
};

const isEnding = ({ status }: SimulatedInstance): boolean =>
  status.value.state === 'shutting-down' || status.value.state === 'terminated';
