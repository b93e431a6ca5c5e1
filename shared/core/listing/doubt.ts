import { partsOf, stateOfKey } from '../gate.ts';
import { type Kind, rankOf } from '../kind.ts';
import type { Resource } from '../resource.ts';

const staleReadSeconds = 60;

type HeldState = {
  readonly state: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** The time of the last `stopping` or `stopped` in the history; undefined: none. */
  readonly stoppedAt: number | undefined;
};

/** The state of a resource in the resource store; undefined where it has none. */
export const heldState = ({ kind, state, sequence, history }: Resource): HeldState | undefined => {
  if (state === undefined) return undefined;
  const { stoppedStates } = kind;
  const { at } = partsOf(sequence);
  if (stoppedStates.has(state)) return { state, at, stoppedAt: at };
  const lastStop = history.findLast(({ key }) => stoppedStates.has(stateOfKey(kind, key)));
  return { state, at, stoppedAt: lastStop && partsOf(Number.parseInt(lastStop.key, 10)).at };
};

type ListedState = { readonly state: string; readonly launchedAtMs: number };

/**
 * Whether a listed state that differs from the held one may be older: a listing may show the state before the last change for some seconds.
 * A state that follows the held one is not older, nor one of a newer launch; any other is accepted once the held state is a minute old.
 */
export const couldBeStale = (kind: Kind, held: HeldState, listed: ListedState, nowSeconds: number): boolean =>
  kind.nextStates[held.state]?.includes(listed.state) !== true &&
  !isOfNewerLaunch(kind, held, listed) &&
  nowSeconds - held.at < staleReadSeconds;

/**
 * The launch time changes with each start. A listing with a launch time after the last stop in the history shows the newest launch; its
 * state is newer than a held stop, or a held state of lower rank.
 */
const isOfNewerLaunch = (kind: Kind, { state, stoppedAt }: HeldState, listed: ListedState): boolean => {
  const isSinceStop = stoppedAt === undefined || listed.launchedAtMs > stoppedAt * 1000;
  return isSinceStop && (kind.stoppedStates.has(state) || rankOf(kind, listed.state) > rankOf(kind, state));
};
