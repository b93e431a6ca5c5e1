import { isTransitional } from './listing.ts';
import { isStateKey, secondOfKey, stateOfKey } from './status-key.ts';
import { isStuck } from './stuck-launch.ts';
import type { Vm } from './vm.ts';

/** The key of the state that a VM is in, where it is one that ends by itself. */
export const transitionOf = ({ state, history }: Pick<Vm, 'state' | 'history'>): string | undefined =>
  state !== undefined && isTransitional(state)
    ? history.findLast(({ key }) => isStateKey(key))?.key
    : undefined;

const firstSeconds = [25, 25, 40, 60];
const laterSeconds = 300;

/**
 * Seconds until EC2 is asked for the `turn`th time whether a transition is over: most are within 25. Undefined where it is not asked any
 * more, for a launch that is stuck is the re-list's.
 */
export const secondsToCheck = (key: string, turn: number, nowMs: number): number | undefined => {
  const launch = { state: stateOfKey(key), launchedAtMs: secondOfKey(key) * 1000 };
  return isStuck(launch, nowMs) ? undefined : (firstSeconds[turn - 1] ?? laterSeconds);
};
