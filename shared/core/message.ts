import type { StateReason } from './kind.ts';
import type { Addresses } from './outputs.ts';
import type { Tags } from './ownership.ts';

/** The resource that a message is about, its place, and the time of what the message says. */
type About = {
  readonly resourceId: string;
  readonly region: string;
  readonly account: string;
  /** Seconds since 1970-01-01T00:00Z on the service's clock: when it happened, not when we learnt of it. */
  readonly at: number;
  /** The id of the event that says so, for log lines. */
  readonly eventId?: string | undefined;
};

/** The resource was in `state` at `at`, seen by an EventBridge event, a listing, or a call of our API. */
export type Observation = About &
  Omit<Addresses, 'getsPublicAddress'> & {
    readonly kind: 'observation';
    /** One of the kind's states. */
    readonly state: string;
    readonly seenBy: 'event' | 'listing' | 'api';
    readonly reason?: StateReason | undefined;
    /** The request to our API that caused the change; undefined where none did. */
    readonly requestId?: string | undefined;
    /** The service's own word for an unknown state; `state` is then the nearest known one. */
    readonly unrecognised?: string | undefined;
  };

/** States that a resource is known to have been in, each with its second since 1970, ascending; the current one comes last. */
export type StateTimes = readonly { readonly state: string; readonly at: number }[];

/**
 * One observation for each state that one look at a resource proves. Reason, request and unknown word are those of the current state;
 * the addresses, of all, because an earlier state may be recorded only now.
 */
export const observationsOf = (current: Observation, stateTimes: StateTimes = []): Observation[] => {
  const { reason: _, requestId: __, unrecognised: ___, ...rest } = current;
  return [...stateTimes.slice(0, -1).map(({ state, at }) => ({ ...rest, state, at })), current];
};

/**
 * A warning of the service about a resource, or a problem that it reports, without a change of state. It is added to the status message,
 * and may explain a later state.
 */
export type Notice = About & {
  readonly kind: 'notice';
  /** One of the kind's sorts of notices. */
  readonly notice: string;
  readonly text: string;
};

/** All tags of a resource after one was changed. */
export type TagChange = About & {
  readonly kind: 'tag-change';
  readonly tags: Tags;
  /** The client token of the launch, empty where the launch had none; undefined where it is not known, as in events. */
  readonly clientToken?: string | undefined;
};

/** The newest status is to be published once more, as of `at`. */
export type RepublicationRequest = About & { readonly kind: 'status-wanted' };

/** The debounce has held back statuses since the one with this key, and the time to settle is over. */
type StatusSettled = About & { readonly kind: 'status-settled'; readonly key: string };

/** The state with this key should be over by now: the service's API shows whether it is. */
export type CheckRequest = About & {
  readonly kind: 'check-wanted';
  readonly key: string;
  /** 1 for the first check of that state. */
  readonly attempt: number;
};

/** The resource was claimed a while ago: its state must be read from the service, because events before the claim may have been dropped. */
type ClaimCheck = About & { readonly kind: 'claim-check' };

/** What one queue message says of one resource. */
export type ResourceMessage =
  | Observation
  | Notice
  | TagChange
  | RepublicationRequest
  | StatusSettled
  | CheckRequest
  | ClaimCheck;
