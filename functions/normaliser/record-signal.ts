import { isNews } from '../../shared/domain/gate.ts';
import type { StateReason } from '../../shared/domain/instance.ts';
import type { Notice, Observation, Signal, StatusWanted } from '../../shared/domain/signal.ts';
import {
  circumstancesOf,
  isNoticeNews,
  isRepeatNews,
  noticeStatus,
  readdressedStatus,
  repeatedStatus,
  statusOf,
  type Vm,
} from '../../shared/domain/vm.ts';
import {
  type Addresses,
  awaitsAddress,
  changesOutputs,
  newAddresses,
} from '../../shared/domain/vm-outputs.ts';
import type { SpotEndsAs } from '../../shared/domain/vm-status.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet, Recorded } from '../../shared/ports/fleet.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import type { RandomPart } from '../../shared/ports/random-part.ts';
import type { VmRecords } from '../../shared/ports/vm-records.ts';

export type Before = {
  readonly vm: Vm;
  /** Read, not written: it may lag behind, though it is never ahead. */
  readonly isRecalled: boolean;
  /** Why it was terminated, where it was and EC2 said. */
  readonly reason: StateReason | undefined;
  /** As EC2 described it; undefined where EC2 was not asked, did not answer or does not know it. */
  readonly described: Instance | undefined;
};

export type RecordingParts = {
  readonly fleet: Fleet;
  readonly now: Clock;
  readonly randomPart: RandomPart;
  readonly records?: Pick<VmRecords, 'read'> | undefined;
  /** How the end of a spot instance that has run is reported. @default 'FAILED' */
  readonly spotEndsAs?: SpotEndsAs | undefined;
};

/**
 * Keeps addresses that were seen of a VM whose state is held already. Where the status that was published last has other outputs with them,
 * it is published once more; a status that waits for them is not.
 */
export const recordAddresses =
  ({ fleet, now, randomPart }: RecordingParts) =>
  (vm: Vm, seen: Addresses, at: number): Promise<Recorded> | Recorded => {
    const found = newAddresses(vm, seen);
    if (found === undefined) return { outcome: 'unchanged', vm };
    const { latest } = vm;
    const isToBePublished = latest && changesOutputs(vm, seen) && !awaitsAddress(vm, latest, now());
    const status = isToBePublished ? readdressedStatus({ ...vm, latest }, at, randomPart()) : undefined;
    return fleet.readdress(vm, found, status);
  };

/** Tells the fleet one thing about a VM, and nothing that it is known to know. */
export const recordSignal = (parts: RecordingParts) => {
  const { fleet, randomPart, spotEndsAs } = parts;
  const readdress = recordAddresses(parts);

  return ({ vm, isRecalled, reason, described }: Before, signal: Signal): Promise<Recorded> | Recorded => {
    if (signal.kind === 'observation') return observed(signal);
    if (signal.kind === 'notice') return noticed(signal);
    if (signal.kind === 'status-wanted') return wanted(signal);
    const mayHide = isRecalled && signal.kind === 'status-settled'; // what was held back must not be overlooked
    return mayHide ? fleet.reread(vm.instanceId) : { outcome: 'unchanged', vm };

    function observed(observation: Observation): Promise<Recorded> | Recorded {
      if (!isNews(vm, observation)) return { outcome: 'stale', vm };
      if (vm.state === observation.state && changesOutputs(vm, observation))
        return readdress(vm, observation, observation.at);
      return fleet.record(
        observation,
        statusOf(observation, randomPart(), {
          ...circumstancesOf(vm, observation),
          spotEndsAs,
          reason: reasonOf(observation),
        }),
      );
    }

    /** EC2 says why it ended, and why a start fell back to `stopped`. */
    function reasonOf({ state }: Observation): StateReason | undefined {
      if (state === 'terminated') return reason;
      const hasFallenBack = state === 'stopped' && vm.state === 'pending';
      return hasFallenBack && described?.state === 'stopped' ? described.reason : undefined;
    }

    function noticed(notice: Notice): Promise<Recorded> | Recorded {
      if (!isNoticeNews(vm, notice)) return { outcome: 'stale', vm };
      const { state } = vm;
      return fleet.notify(vm, notice, state && noticeStatus({ ...vm, state }, notice, randomPart()));
    }

    async function wanted(request: StatusWanted): Promise<Recorded> {
      const { latest } = vm;
      if (!latest || !isRepeatNews(vm, request) || (await isReplaced())) return { outcome: 'stale', vm };
      return fleet.repeat(vm, repeatedStatus({ ...vm, latest }, request, randomPart()));
    }

    /** DCM has given the id of a VM that ended to another instance, of which the end must not be published. */
    async function isReplaced(): Promise<boolean> {
      if (vm.state !== 'terminated') return false;
      const record = await parts.records?.read(vm.vmId);
      return record !== undefined && record.instanceId !== vm.instanceId;
    }
  };
};
