import { isTransitional } from './listing.ts';
import { isStateKey, secondOfKey, stateOfKey } from './status-key.ts';
import { isStuck } from './stuck-launch.ts';
import type { Vm } from './vm.ts';
import { lacksPublicAddress } from './vm-outputs.ts';

/** The key of the state that a VM is in, where EC2 is to be asked about it: it ends by itself, or the VM lacks the public address that it gets. */
export const checkedState = (vm: Vm): string | undefined => {
  const { state, history } = vm;
  const isChecked =
    state !== undefined && (isTransitional(state) || (state === 'running' && lacksPublicAddress(vm)));
  return isChecked ? history.findLast(({ key }) => isStateKey(key))?.key : undefined;
};

const firstTurns = 12;
const firstSeconds = 25;
const laterSeconds = 300;

/**
 * Seconds until EC2 is asked for the `turn`th time whether a transition is over: often for five minutes, more than nearly all take, then
 * seldom. Undefined where it is not asked any more: a launch that is stuck, and after five minutes a public address, are found by listings.
 */
export const secondsToCheck = (key: string, turn: number, nowMs: number): number | undefined => {
  const launch = { state: stateOfKey(key), launchedAtMs: secondOfKey(key) * 1000 };
  if (isStuck(launch, nowMs)) return undefined;
  if (launch.state === 'running' && turn > firstTurns) return undefined;
  return turn <= firstTurns ? firstSeconds : laterSeconds;
};
