import type { InstanceState, StateReason } from '../../../shared/service-types/vm/kind.ts';
import { type Duration, drawMs, type Random } from '../random.ts';

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html */
export const stateCode = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const satisfies Record<InstanceState, number>;

/** The transitional states, and the state that follows each. */
const followingState = { pending: 'running', stopping: 'stopped', 'shutting-down': 'terminated' } as const;
type TransitionalState = keyof typeof followingState;

export const isTransitional = (state: InstanceState): state is TransitionalState => state in followingState;

/** How long an instance stays in a transitional state. */
export type DwellMs = Readonly<Record<TransitionalState, Duration>>;

export const defaultDwellMs: DwellMs = {
  pending: [1500, 3000],
  stopping: [1500, 3000],
  'shutting-down': [1000, 2000],
};

/** The state that follows, and after how long; undefined for a state that is not transitional. */
export const nextState = (
  state: InstanceState,
  dwellMs: DwellMs,
  random: Random,
): { readonly state: InstanceState; readonly ms: number } | undefined => {
  if (!isTransitional(state)) return undefined;
  return { state: followingState[state], ms: drawMs(dwellMs[state], random) };
};

/**
 * Reasons of state changes, as EC2 gives them.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html
 */
export const stateReasons = {
  launched: { code: 'pending', message: 'pending' },
  userShutdown: {
    code: 'Client.UserInitiatedShutdown',
    message: 'Client.UserInitiatedShutdown: User initiated shutdown',
  },
  userHibernate: {
    code: 'Client.UserInitiatedHibernate',
    message: 'Client.UserInitiatedHibernate: User initiated hibernate',
  },
  spotTermination: {
    code: 'Server.SpotInstanceTermination',
    message: 'Server.SpotInstanceTermination: Spot instance termination',
  },
  spotShutdown: {
    code: 'Server.SpotInstanceShutdown',
    message: 'Server.SpotInstanceShutdown: Spot instance shutdown',
  },
} as const satisfies Record<string, StateReason>;

/** The element `reason`, the older of EC2's two elements for the reason of a change; empty for a normal start. */
export const transitionReason = (reason: StateReason | undefined, atMs: number): string => {
  const { code = '' } = reason ?? {};
  const when = `(${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} GMT)`;
  if (code.startsWith('Client.User')) return `User initiated ${when}`;
  if (code.startsWith('Server.Spot')) return `Service initiated ${when}`;
  return code === stateReasons.launched.code ? '' : code;
};
