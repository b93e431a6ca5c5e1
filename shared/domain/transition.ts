import { isTransitional } from './listing.ts';
import { isStateKey, secondOfKey, stateOfKey } from './status-key.ts';
import { isStuck } from './stuck-launch.ts';
import type { Vm } from './vm.ts';

/** The key of the state that a VM is in, where it is one that ends by itself. */
export const transitionOf = ({ state, history }: Pick<Vm, 'state' | 'history'>): string | undefined =>
  state !== undefined && isTransitional(state)
    ? history.findLast(({ key }) => isStateKey(key))?.key
    : undefined;

const firstTurns = 12;
const firstSeconds = 25;
const laterSeconds = 300;

/**
 * Seconds until EC2 is asked for the `turn`th time whether a transition is over: often for five minutes, more than nearly all take, then
 * seldom. Undefined where it is not asked any more, for a launch that is stuck is the re-list's.
 */
export const secondsToCheck = (key: string, turn: number, nowMs: number): number | undefined => {
  const launch = { state: stateOfKey(key), launchedAtMs: secondOfKey(key) * 1000 };
  if (isStuck(launch, nowMs)) return undefined;
  return turn <= firstTurns ? firstSeconds : laterSeconds;
};
