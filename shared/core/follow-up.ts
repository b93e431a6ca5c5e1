import { isStateKey, secondOfKey, stateOfKey } from './gate.ts';
import { isStarting, type Kind } from './kind.ts';
import type { Notice } from './message.ts';
import { lacksPublicAddress } from './outputs.ts';
import type { Resource } from './resource.ts';

/** The key of a state that must be checked: a transitional one, or one in which the resource still lacks its public address. */
export const checkedState = (resource: Resource): string | undefined => {
  const { kind, state, history } = resource;
  const isChecked =
    state !== undefined &&
    (kind.transitionalStates.has(state) || (state === kind.runningState && lacksPublicAddress(resource)));
  return isChecked ? history.findLast(({ key }) => isStateKey(key))?.key : undefined;
};

const frequentMinutes = 5;
const frequentSeconds = 25;
const laterSeconds = 300;

/**
 * Seconds until the `attempt`th check whether a transition is over: often at first, for as long as nearly all take, then seldom.
 * Undefined where it is no longer checked: listings find a stuck launch, and after five minutes a public address.
 */
export const secondsToCheck = (
  kind: Kind,
  key: string,
  attempt: number,
  nowMs: number,
): number | undefined => {
  const launch = { state: stateOfKey(kind, key), launchedAtMs: secondOfKey(key) * 1000 };
  if (isStuck(kind, launch, nowMs)) return undefined;
  const frequentAttempts = ((kind.frequentlyCheckedMinutes ?? frequentMinutes) * 60) / frequentSeconds;
  if (launch.state === kind.runningState && attempt > frequentAttempts) return undefined;
  return attempt <= frequentAttempts ? frequentSeconds : laterSeconds;
};

type Launch = { readonly state: string; readonly launchedAtMs: number };

const stuckAfterMs = ({ stuckAfterMinutes }: Kind): number => stuckAfterMinutes * 60_000;

/** Whether a resource is still starting so long after its launch, or its last start, that DCM should not wait any longer. */
export const isStuck = (kind: Kind, { state, launchedAtMs }: Launch, nowMs: number): boolean =>
  isStarting(kind, state) && nowMs - launchedAtMs >= stuckAfterMs(kind);

/**
 * The notice about a stuck launch. Its time is the deadline, so that every check makes the same notice; but never before `heldAt`, the
 * second of the held starting state, or the notice would belong to the state before.
 */
export const stuckNotice = (
  kind: Kind,
  { launchedAtMs }: Pick<Launch, 'launchedAtMs'>,
  heldAt: number,
): Pick<Notice, 'notice' | 'at' | 'text'> => ({
  notice: stuckLaunch,
  at: Math.max(Math.floor((launchedAtMs + stuckAfterMs(kind)) / 1000), heldAt),
  text: `stuck: it has not come up within ${kind.stuckAfterMinutes} minutes`,
});

/** The sort of notice that every kind has. */
export const stuckLaunch = 'stuck-launch';
