import { partsOf, stateOfKey } from '../gate.ts';
import { type Kind, rankOf } from '../kind.ts';
import type { Resource } from '../resource.ts';

const staleReadSeconds = 60;

type HeldState = {
  readonly state: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** When the resource was last held to be stopping or stopped; undefined: never. */
  readonly stoppedAt: number | undefined;
};

/** What the resource store holds of a resource's state. Undefined where it holds none. */
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
 * Could a listing that contradicts what is held be older than that? A listing may show the state before the last change for some seconds.
 * What follows the held state cannot be old, nor what the launch time shows to be newer; anything else is believed once the held state is a
 * minute old.
 */
export const couldBeStale = (kind: Kind, held: HeldState, listed: ListedState, nowSeconds: number): boolean =>
  kind.nextStates[held.state]?.includes(listed.state) !== true &&
  !isOfNewerLaunch(kind, held, listed) &&
  nowSeconds - held.at < staleReadSeconds;

/**
 * The launch time changes with each start. A listing whose launch time is after the last stop that is held shows the newest launch: a later
 * state in it than the held one is newer.
 */
const isOfNewerLaunch = (kind: Kind, { state, stoppedAt }: HeldState, listed: ListedState): boolean => {
  const isSinceStop = stoppedAt === undefined || listed.launchedAtMs > stoppedAt * 1000;
  return isSinceStop && (kind.stoppedStates.has(state) || rankOf(kind, listed.state) > rankOf(kind, state));
};
