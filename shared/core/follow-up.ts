import { isStateKey, secondOfKey, stateOfKey } from './gate.ts';
import type { Kind } from './kind.ts';
import type { Notice } from './message.ts';
import { lacksPublicAddress } from './outputs.ts';
import type { Resource } from './resource.ts';

/** The key of the state of a resource that is to be checked: it ends by itself, or the resource lacks the public address that it gets. */
export const checkedState = (resource: Resource): string | undefined => {
  const { kind, state, history } = resource;
  const isChecked =
    state !== undefined &&
    (kind.transitionalStates.has(state) || (state === kind.runningState && lacksPublicAddress(resource)));
  return isChecked ? history.findLast(({ key }) => isStateKey(key))?.key : undefined;
};

const frequentAttempts = 12;
const frequentSeconds = 25;
const laterSeconds = 300;

/**
 * Seconds until the `attempt`th check whether a transition is over: often for five minutes, more than nearly all take, then seldom.
 * Undefined where it is not checked any more: listings find a launch that is stuck, and after five minutes a public address.
 */
export const secondsToCheck = (
  kind: Kind,
  key: string,
  attempt: number,
  nowMs: number,
): number | undefined => {
  const launch = { state: stateOfKey(kind, key), launchedAtMs: secondOfKey(key) * 1000 };
  if (isStuck(kind, launch, nowMs)) return undefined;
  if (launch.state === kind.runningState && attempt > frequentAttempts) return undefined;
  return attempt <= frequentAttempts ? frequentSeconds : laterSeconds;
};

type Launch = { readonly state: string; readonly launchedAtMs: number };

const stuckAfterMs = ({ stuckAfterMinutes }: Kind): number => stuckAfterMinutes * 60_000;

/** Still starting longer after its launch, or its last start, than any takes: DCM should not go on waiting. */
export const isStuck = (kind: Kind, { state, launchedAtMs }: Launch, nowMs: number): boolean =>
  state === kind.startingState && nowMs - launchedAtMs >= stuckAfterMs(kind);

/**
 * The notice about a launch that is stuck. Its time is the deadline, so that it is the same however often it is noticed; but never before
 * `heldAt`, the second since when the starting state is held, or it would seem to be about the state before.
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
