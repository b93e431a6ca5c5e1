import { type InstanceState, rank } from '../../service-types/vm/kind.ts';
import { partsOf, stateOfKey } from '../gate.ts';
import type { Resource } from '../resource.ts';

/** What can only come after a state by the next change; two and more steps ahead look the same as a read that is old. */
const next: Record<InstanceState, readonly InstanceState[]> = {
  pending: ['running', 'shutting-down', 'terminated'],
  running: ['stopping', 'shutting-down', 'terminated'],
  stopping: ['stopped', 'shutting-down', 'terminated'],
  stopped: ['pending', 'shutting-down', 'terminated'],
  'shutting-down': ['terminated'],
  terminated: [],
};

const staleReadSeconds = 60;

type HeldState = {
  readonly state: InstanceState;
  /** Seconds since 1970. */
  readonly at: number;
  /** When the instance was last held to be stopping or stopped; undefined: never. */
  readonly stoppedAt: number | undefined;
};

/** What the fleet holds of a VM's state. Undefined where it holds none. */
export const heldState = ({ state, sequence, history }: Resource): HeldState | undefined => {
  if (state === undefined) return undefined;
  const { at } = partsOf(sequence);
  if (isStop(state)) return { state, at, stoppedAt: at };
  const lastStop = history.findLast(({ key }) => isStop(stateOfKey(key)));
  return { state, at, stoppedAt: lastStop && partsOf(Number.parseInt(lastStop.key, 10)).at };
};

const isStop = (state: InstanceState): boolean => state === 'stopping' || state === 'stopped';

type ListedState = { readonly state: InstanceState; readonly launchedAtMs: number };

/**
 * Could a listing that contradicts what is held be older than that? DescribeInstances may show the state before the last change for some
 * seconds. What follows the held state cannot be old, nor what the launch time shows to be newer; anything else is not believed until the
 * held state is a minute old.
 */
export const couldBeStale = (held: HeldState, listed: ListedState, nowSeconds: number): boolean =>
  !next[held.state].includes(listed.state) &&
  !isOfNewerLaunch(held, listed) &&
  nowSeconds - held.at < staleReadSeconds;

/**
 * EC2 sets the launch time at each start. A listing whose launch time is after the last stop that is held shows the newest launch: what
 * comes later in it than the held state is newer.
 */
const isOfNewerLaunch = ({ state, stoppedAt }: HeldState, listed: ListedState): boolean => {
  const isSinceStop = stoppedAt === undefined || listed.launchedAtMs > stoppedAt * 1000;
  return isSinceStop && (isStop(state) || rank[listed.state] > rank[state]);
};

/** EC2 has something under way with it, so that its state will soon be another. */
export const isTransitional = (state: InstanceState): boolean =>
  state === 'pending' || state === 'stopping' || state === 'shutting-down';
