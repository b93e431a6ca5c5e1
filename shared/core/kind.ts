import { UnreadableError } from './errors.ts';
import type { Addresses, Outputs } from './outputs.ts';

/** Why a service says that it changed a resource's state, as a code of its own and in words. */
export type StateReason = { readonly code?: string | undefined; readonly message?: string | undefined };

/** What, beside the state itself, decides which status of DCM it is. */
export type Circumstances = {
  readonly reason?: StateReason | undefined;
  /** The notice that may explain the state where the service gives no reason. */
  readonly notice?: string | undefined;
  /** DCM asked for the deletion. */
  readonly deleteRequested?: boolean | undefined;
  /** The resource is known to have run at some time. */
  readonly hasRun?: boolean | undefined;
  /** How the end of a resource that the service took back after it has run is reported. @default 'FAILED' */
  readonly spotEndsAs?: SpotEndsAs | undefined;
};

/** DCM deletes the whole run of a resource that is FAILED, and leaves the other resources of one that is DELETED. */
export type SpotEndsAs = 'FAILED' | 'DELETED';

/** How notices of one sort are handled. */
export type NoticeRule = {
  /** The notice that says that this one is over; that one has no text. */
  readonly endedBy?: string;
  /** Only the first one counts. */
  readonly isOnce?: boolean;
  /** It can only be about a resource in this state. */
  readonly onlyIn?: string;
  /** The same text again says nothing new. */
  readonly isKnownByText?: boolean;
  /** For so many seconds it may explain a later state. @default any time; 0: never */
  readonly explainsForSeconds?: number;
  /** A notice that ends another one, and may have the same second as it. */
  readonly isNewAtSameSecond?: boolean;
  /** It stands for the outcome of a state that it can end in: what it explains is passed to `statusOf`. */
  readonly decidesEnd?: boolean;
};

/**
 * A service type, as far as the protocol needs to know it: everything that differs between a VM, a container and a cluster, as values and
 * pure functions. Each service type supplies one (shared/service-types/kinds.ts lists them).
 */
export type Kind = {
  /** DCM's name of the service type: in CloudEvent types, NATS subjects and keys of records. */
  readonly serviceType: string;
  /** What messages call a resource, such as `instance`. */
  readonly noun: string;
  /** The extension of CloudEvents that has the resource's id. */
  readonly idExtension: string;
  /** Whether a resource with this id is of this kind. */
  readonly hasId: (resourceId: string) => boolean;

  /** At most ten. A state's place is its rank, which orders states of one second. Nothing follows the last one. */
  readonly states: readonly string[];
  /** The state of a resource that is coming up, and the one of a resource that does its work. */
  readonly startingState: string;
  readonly runningState: string;
  /** Only a resource that has run can be in one of these. */
  readonly statesAfterRunning: ReadonlySet<string>;
  /** Stopped, or about to be: a start follows only after one of these. */
  readonly stoppedStates: ReadonlySet<string>;
  /** They end by themselves. */
  readonly transitionalStates: ReadonlySet<string>;
  /** What can follow a state by the next change. */
  readonly nextStates: Readonly<Record<string, readonly string[]>>;
  /** A resource that is starting for longer than this is stuck. */
  readonly stuckAfterMinutes: number;
  /** Of several states of one second only the last one is published. */
  readonly coalescesWithinSecond: boolean;
  /** A state by the service's own word for it. A word that is not known is mapped to the nearest state, and kept. */
  readonly nearestState: (word: string) => { readonly state: string; readonly unrecognised?: string };

  /** DCM's statuses of this service type. */
  readonly statuses: readonly string[];
  readonly statusOf: (state: string, circumstances?: Circumstances) => string;
  /** Whether the service must be asked for the reason before a state can be reported. */
  readonly needsReason: (
    state: string,
    circumstances: Pick<Circumstances, 'reason' | 'deleteRequested'>,
  ) => boolean;
  /** What other resources of a run can refer to. Undefined: DCM keeps what it holds. */
  readonly outputsOf: (addresses: Addresses, status: string) => Outputs | undefined;

  /** By sort, in the order in which messages name them. */
  readonly notices: Readonly<Record<string, NoticeRule>>;
};

export const rankOf = ({ states }: Kind, state: string): number => states.indexOf(state);

/** The state that nothing follows. */
export const finalState = ({ states }: Kind): string => states.at(-1) ?? '';

/** @throws UnreadableError where no kind has such ids. */
export const kindOf = (kinds: readonly Kind[], resourceId: string): Kind => {
  const kind = kinds.find(({ hasId }) => hasId(resourceId));
  if (kind === undefined) throw new UnreadableError(`"${resourceId}" is no id of ${nounsOf(kinds)}`);
  return kind;
};

const nounsOf = (kinds: readonly Kind[]): string => kinds.map(({ noun }) => `an ${noun}`).join(' or ');
