import type { InstanceState } from '../service-types/vm/kind.ts';
import { isStateKey, secondOfKey, stateOfKey } from './gate.ts';
import { isTransitional } from './listing/doubt.ts';
import type { Notice } from './message.ts';
import { lacksPublicAddress } from './outputs.ts';
import type { Resource } from './resource.ts';

/** The key of the state that a VM is in, where EC2 is to be asked about it: it ends by itself, or the VM lacks the public address that it gets. */
export const checkedState = (vm: Resource): string | undefined => {
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

const deadlineMinutes = 15;
const deadlineMs = deadlineMinutes * 60_000;

type Launch = { readonly state: InstanceState; readonly launchedAtMs: number };

/** Still `pending` longer after its launch, or its last start, than EC2 takes for any: DCM should not go on waiting. */
export const isStuck = ({ state, launchedAtMs }: Launch, nowMs: number): boolean =>
  state === 'pending' && nowMs - launchedAtMs >= deadlineMs;

/**
 * The warning about a launch that is stuck. Its time is the deadline, so that however often it is noticed it is the same; but never
 * before `heldAt`, the second since when `pending` is held, or it would seem to be about the state before.
 */
export const stuckNotice = (
  { launchedAtMs }: Pick<Launch, 'launchedAtMs'>,
  heldAt: number,
): Pick<Notice, 'notice' | 'at' | 'text'> => ({
  notice: 'stuck-launch',
  at: Math.max(Math.floor((launchedAtMs + deadlineMs) / 1000), heldAt),
  text: `stuck: it has not come up within ${deadlineMinutes} minutes`,
});
