import { listingTime } from '../../shared/domain/gate.ts';
import { type InstanceState, isYoung } from '../../shared/domain/instance.ts';
import { couldBeStale, heldState } from '../../shared/domain/listing.ts';
import type { Observation, Signal } from '../../shared/domain/signal.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import type { Addresses } from '../../shared/domain/vm-outputs.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import { checkIn, hasClaimCheck, hasObservation, type Lane } from './lanes.ts';

type Seen = {
  readonly lane: Lane;
  readonly vm: Vm;
  /** It was claimed just now, and events of it may have been dropped until then. */
  readonly isLate: boolean;
  readonly described: Instance | 'absent' | undefined;
};

/** What EC2's answer tells of a VM's state, where no event has. */
export const describedState = (
  { lane, vm, isLate, described }: Seen,
  nowMs: number,
): Observation | undefined => {
  if (described === undefined || described === 'absent') return undefined;
  if (hasObservation(lane) && !isLate) return undefined;
  const at = vm.state === undefined ? timeOf(described, nowMs) : listingTime(nowMs);
  if (at === undefined) return undefined;
  if (vm.state !== undefined && !isOver({ lane, vm, isLate }, described, nowMs)) return undefined;
  const { instanceId, region, account } = lane;
  const { state, reason, publicAddress = '', privateAddress, isWindows } = described;
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
    privateAddress,
    isWindows,
  };
};

/** EventBridge's time of `pending` is within these seconds of the launch; no instance runs and is stopped again within them. */
const pendingWithinSeconds = 5;

/**
 * Where a first state is placed among the events, in seconds since 1970: as a listing's, before all that may still be on its way. Of a
 * recently launched instance the events of the launch are then on their way too, and must not come after: `pending` is placed at the
 * launch, and `running` after `pending`. Of other states of such an instance the events tell; undefined.
 */
const timeOf = ({ state, launchedAtMs }: Instance, nowMs: number): number | undefined => {
  const listedAt = listingTime(nowMs);
  if (!isYoung(launchedAtMs, nowMs)) return listedAt;
  const launchedAt = Math.floor(launchedAtMs / 1000);
  if (state === 'pending') return launchedAt;
  if (state !== 'running') return undefined;
  return Math.max(listedAt, Math.min(launchedAt + pendingWithinSeconds, Math.floor(nowMs / 1000)));
};

/** A transition that was to be checked has ended and its event did not come, or events were dropped before the claim. */
const isOver = (
  { lane, vm, isLate }: Omit<Seen, 'described'>,
  described: Instance,
  nowMs: number,
): boolean => {
  const held = heldState(vm);
  if (held === undefined || held.state === described.state) return false;
  if (!isLate && !hasClaimCheck(lane) && !checkIn(lane, vm)) return false;
  return !couldBeStale(held, described, Math.floor(nowMs / 1000));
};

/**
 * What EC2's answer tells of the addresses of an instance that is known to be in `state`. The public one comes and goes with `running`; where
 * EC2 shows none, it may not be there yet.
 */
export const addressesIn = (
  described: Instance | 'absent' | undefined,
  state: InstanceState | undefined,
): Addresses => {
  if (described === undefined || described === 'absent') return {};
  const { privateAddress, publicAddress, isWindows } = described;
  const runs = described.state === 'running' && state === 'running';
  return {
    ...(privateAddress !== undefined && { privateAddress }),
    ...(runs && publicAddress && { publicAddress }),
    ...(isWindows && { isWindows }),
  };
};

/** An event tells no addresses; EC2's answer is later than the event. */
export const withAddresses = (signal: Signal, described: Instance | undefined): Signal =>
  signal.kind === 'observation' && described !== undefined
    ? { ...addressesIn(described, signal.state), ...signal }
    : signal;
