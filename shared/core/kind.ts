import * as z from 'zod/mini';
import { UnreadableError } from './errors.ts';
import type { Addresses, BilledFacts, Outputs } from './outputs.ts';

/** The service's reason for the change of a resource's state: its code and its text. */
export type StateReason = { readonly code?: string | undefined; readonly message?: string | undefined };

/** The facts that, with the state, decide the status that DCM gets. */
export type Circumstances = {
  readonly reason?: StateReason | undefined;
  /** The notice that may explain the state where the service gives no reason. */
  readonly notice?: string | undefined;
  /** DCM asked for the deletion. */
  readonly deleteRequested?: boolean | undefined;
  /** The resource has run at some time. */
  readonly hasRun?: boolean | undefined;
  /** How the end of a resource that the service took back after it has run is reported. @default 'FAILED' */
  readonly spotEndsAs?: SpotEndsAs | undefined;
  /**
   * How a starting container is reported. A control plane with environment agents creates a resource elsewhere that is PENDING for two
   * minutes; an older one expects PENDING. @default 'PROVISIONING'
   */
  readonly startingAs?: StartingAs | undefined;
  /** DCM's words for the status of a cluster: those of its current definition, or of its first proposal. @default 'current' */
  readonly clusterWords?: 'current' | 'first' | undefined;
};

/** DCM deletes the whole run of a resource that is FAILED, and leaves the other resources of one that is DELETED. */
export type SpotEndsAs = 'FAILED' | 'DELETED';

export type StartingAs = 'PROVISIONING' | 'PENDING';

/** How notices of one sort are handled. */
export type NoticeRule = {
  /** The sort of notice that ends this one; it has no text. */
  readonly endedBy?: string;
  /** Only the first one counts. */
  readonly isOnce?: boolean;
  /** It can only be about a resource in this state. */
  readonly onlyIn?: string;
  /** A notice with the same text is a repeat. */
  readonly isKnownByText?: boolean;
  /** For how many seconds it may explain a later state; 0: never. @default without limit */
  readonly explainsForSeconds?: number;
  /** It ends another notice, and may have the same second. */
  readonly isNewAtSameSecond?: boolean;
  /** It can decide the status of a final state: `statusOf` gets it as `notice`. */
  readonly decidesEnd?: boolean;
};

/** DCM's service types that the provider can serve. */
export const ServiceType = z.enum(['vm', 'container', 'cluster']);
export type ServiceType = z.infer<typeof ServiceType>;

/** The word for a resource of the service type in texts, as in `there is no VM web-1`. */
export const nameOf = (serviceType: ServiceType): string => (serviceType === 'vm' ? 'VM' : serviceType);

/**
 * The descriptor of a service type: everything in which a VM, a container and a cluster differ, as values and pure functions. Each service
 * type supplies one (shared/service-types/kinds.ts lists them).
 */
export type Kind = {
  /** DCM's name of the service type: in CloudEvent types, NATS subjects and keys of records. */
  readonly serviceType: ServiceType;
  /** The API's collection of these resources: in paths and as the key of lists. */
  readonly collection: 'vms' | 'containers' | 'clusters';
  /** The word for a resource in messages, such as `instance`. */
  readonly noun: string;
  /** The CloudEvents extension that holds the resource's id. */
  readonly idExtension: string;
  /** Whether this is an id of a resource of this kind. */
  readonly hasId: (resourceId: string) => boolean;

  /** At most ten. A state's place is its rank, which orders states of one second. Nothing follows the last one. */
  readonly states: readonly string[];
  /** The state of a resource that is starting, and the state of one that has started. */
  readonly startingState: string;
  readonly runningState: string;
  /** Only a resource that has run can be in one of these. */
  readonly statesAfterRunning: ReadonlySet<string>;
  /** Stopped, or about to be: a start follows only after one of these. */
  readonly stoppedStates: ReadonlySet<string>;
  /** The states in which AWS bills the resource, and one in which it does so only where the resource hibernates. */
  readonly billedStates: ReadonlySet<string>;
  readonly billedWhileHibernating?: string;
  /** States that end without another request. */
  readonly transitionalStates: ReadonlySet<string>;
  /** The states that can follow a state directly. */
  readonly nextStates: Readonly<Record<string, readonly string[]>>;
  /** A resource that is starting for longer than this is stuck. */
  readonly stuckAfterMinutes: number;
  /**
   * For how many minutes a transition is checked every 25 seconds; then seldom.
   * @default 5
   */
  readonly frequentlyCheckedMinutes?: number;
  /** Of several states of one second only the last one is published. */
  readonly coalescesWithinSecond: boolean;
  /**
   * `service`: the service gives each state its time, so that an observation has the same second whichever way it was seen. `sight`: the
   * time is that of the event, or of the listing that showed the state.
   */
  readonly timedBy: 'service' | 'sight';
  /** The state that an observed state is held as; undefined: the observation says nothing new. @default the observed state */
  readonly recordedState?: (
    state: string,
    circumstances: Pick<Circumstances, 'deleteRequested' | 'hasRun'>,
  ) => string | undefined;
  /** Whether a state can get another reason while it stays, which is then published. @default false */
  readonly reasonsChange?: boolean;
  /** Whether the status of `runningState` is published only with the private address. */
  readonly needsAddress: boolean;
  /** The state for the service's word. An unknown word is mapped to the nearest state, and returned as `unrecognised`. */
  readonly nearestState: (word: string) => { readonly state: string; readonly unrecognised?: string };

  /** DCM's statuses of this service type. */
  readonly statuses: readonly string[];
  readonly statusOf: (state: string, circumstances?: Circumstances) => string;
  /** Whether a state can be reported only with the reason from the service's API. */
  readonly needsReason: (
    state: string,
    circumstances: Pick<Circumstances, 'reason' | 'deleteRequested'>,
  ) => boolean;
  /** The values that other resources of a run can refer to. Undefined: DCM keeps the earlier ones. */
  readonly outputsOf: (addresses: Addresses, status: string) => Outputs | undefined;

  /** The CloudEvents extensions that say what decides the price, besides the zone. */
  readonly billedExtensions: (facts: BilledFacts) => Readonly<Record<string, string>>;

  /** By sort, in their order in messages. */
  readonly notices: Readonly<Record<string, NoticeRule>>;
};

export const rankOf = ({ states }: Kind, state: string): number => states.indexOf(state);

/** The last state of every resource of the kind. */
export const finalState = ({ states }: Kind): string => states.at(-1) ?? '';

/** Whether only the last state can follow: the resource is about to end, or has ended. */
export const isEnding = (kind: Kind, state: string): boolean =>
  kind.nextStates[state]?.every((next) => next === finalState(kind)) === true;

/** Whether the resource has ended. The service forgets such resources, so their absence says nothing. */
export const isEnd = (kind: Kind, state: string): boolean =>
  isEnding(kind, state) && !kind.transitionalStates.has(state);

/** Whether the resource is starting, and has not run since. */
export const isStarting = ({ nextStates, runningState, statesAfterRunning }: Kind, state: string): boolean =>
  !statesAfterRunning.has(state) && nextStates[state]?.includes(runningState) === true;

/** Whether the resource is stopped, and not only about to be. */
export const isStopped = ({ stoppedStates, transitionalStates }: Kind, state: string): boolean =>
  stoppedStates.has(state) && !transitionalStates.has(state);

/** @throws UnreadableError where no kind has such ids. */
export const kindOf = (kinds: readonly Kind[], resourceId: string): Kind => {
  const kind = kinds.find(({ hasId }) => hasId(resourceId));
  if (kind === undefined) throw new UnreadableError(`"${resourceId}" is no id of ${nounsOf(kinds)}`);
  return kind;
};

/** The id or name that the service gives a resource. Our id of a task or a cluster says more, since ids of all kinds are kept together. */
export const serviceNameOf = (resourceId: string): string =>
  resourceId.slice(resourceId.lastIndexOf('/') + 1);

const nounsOf = (kinds: readonly Kind[]): string =>
  kinds.map(({ noun }) => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`).join(' or ');
