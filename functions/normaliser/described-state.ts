import { listingTime } from '../../shared/domain/gate.ts';
import { isYoung } from '../../shared/domain/instance.ts';
import { couldBeStale, heldState } from '../../shared/domain/listing.ts';
import type { Observation } from '../../shared/domain/signal.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import { checkIn, hasObservation, type Lane } from './lanes.ts';

/** What EC2's answer tells of a VM's state, where no event has: an observation as of a listing. */
export const describedState = (
  lane: Lane,
  vm: Vm,
  described: Instance | 'absent' | undefined,
  nowMs: number,
): Observation | undefined => {
  if (described === undefined || described === 'absent' || hasObservation(lane)) return undefined;
  if (!(vm.state === undefined ? isNewcomer(described, nowMs) : isOver(lane, vm, described, nowMs)))
    return undefined;
  const { instanceId, region, account } = lane;
  const { state, reason, publicAddress = '' } = described;
  const at = listingTime(nowMs);
  return {
    kind: 'observation',
    instanceId,
    region,
    account,
    at,
    state,
    seenBy: 'listing',
    reason,
    publicAddress,
  };
};

/**
 * An instance that was tagged while it ran has not told its state. A young one will tell it, and a listing counts as older than its
 * events: DCM would see it go backwards.
 */
const isNewcomer = ({ launchedAtMs }: Instance, nowMs: number): boolean => !isYoung(launchedAtMs, nowMs);

/** A transition that was to be checked has ended, and its event did not come. */
const isOver = (lane: Lane, vm: Vm, described: Instance, nowMs: number): boolean => {
  const held = heldState(vm);
  if (held === undefined || held.state === described.state || !checkIn(lane, vm)) return false;
  return !couldBeStale(held, described, Math.floor(nowMs / 1000));
};
