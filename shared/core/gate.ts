import { finalState, type Kind, rankOf } from './kind.ts';
import type { Observation } from './message.ts';

/**
 * The place of an observation among all observations of its resource: ten times its second, plus its state's rank.
 * One number, so that "is this newer?" is one comparison here, in DynamoDB, and in a consumer of the CloudEvent's `sequence`.
 * Eleven digits until the year 2286, so its decimal strings order as the numbers do.
 */
export type Sequence = number;

export const sequenceOf = (
  kind: Kind,
  { at, state }: { readonly at: number; readonly state: string },
): Sequence => at * 10 + rankOf(kind, state);

/** The second and the state's rank in a sequence. */
export const partsOf = (sequence: Sequence) => ({ at: Math.floor(sequence / 10), rank: sequence % 10 });

/** The held state that the gate compares an observation with. */
export type Held = { readonly sequence: Sequence; readonly state?: string | undefined };

/**
 * Whether an observation is newer than the held state. Nothing follows the final state, because a resource's id is never used again.
 * The same rule is a condition expression in dynamodb/resource-store.ts; test/contract/resource-store.ts tests both.
 */
export const isNewerObservation = (
  kind: Kind,
  held: Held,
  observation: Pick<Observation, 'at' | 'state'>,
): boolean => held.state !== finalState(kind) && sequenceOf(kind, observation) > held.sequence;

const listingLagSeconds = 5;
/** How much earlier than its request a listing's states are dated. */
export const listedEarlySeconds = listingLagSeconds + 1;
const clockSkewSeconds = 60;

/**
 * The time of the states in a listing: 5 s before the request, because the service may still show the state before the last change, and
 * one second less than that second, so that an event of the same second is newer whatever its rank.
 */
export const listingTime = (requestedAtMs: number): number =>
  Math.floor(requestedAtMs / 1000) - listedEarlySeconds;

/** A time more than a minute in the future counts as now: one wrong clock must not close the gate for a resource. */
export const clamped = (at: number, nowMs: number): number => {
  const now = Math.floor(nowMs / 1000);
  return at > now + clockSkewSeconds ? now : at;
};

/**
 * Keys order the statuses of one resource, as strings: a state's key is its sequence. A status that is not a change of state (a notice, a
 * republication) sorts after the held state, by second: `<sequence>-<second>-<word>`.
 */
export const keyBeside = (sequence: Sequence, second: number, word: string): string =>
  `${sequence}-${second}-${word}`;

/** The second by which a status is ordered. */
export const secondOfKey = (key: string): number => {
  const [sequence, second] = key.split('-').map(Number);
  return second ?? partsOf(sequence ?? 0).at;
};

/** The sort of notice, or the word of a republication, in a key. Undefined for a state's key. */
export const wordOfKey = (key: string): string | undefined => /^\d+-\d+-(.+)$/.exec(key)?.[1];

/** Whether the key is of a state, and not of a notice or a republication. */
export const isStateKey = (key: string): boolean => !key.includes('-');

/** The state of a resource that has this key as its newest. */
export const stateOfKey = ({ states, runningState }: Kind, key: string): string =>
  states[Number.parseInt(key, 10) % 10] ?? runningState;
