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

/** The second and the state's rank that a sequence was made of. */
export const partsOf = (sequence: Sequence) => ({ at: Math.floor(sequence / 10), rank: sequence % 10 });

/** What the gate needs to know of the past. */
export type Held = { readonly sequence: Sequence; readonly state?: string | undefined };

/**
 * Does this observation change what is known? Only a newer one does, and nothing follows the last state: a resource's id is never used
 * again. The same rule is a condition expression in dynamodb/resource-store.ts; test/contract/resource-store.ts tests both.
 */
export const isNewerObservation = (
  kind: Kind,
  held: Held,
  observation: Pick<Observation, 'at' | 'state'>,
): boolean => held.state !== finalState(kind) && sequenceOf(kind, observation) > held.sequence;

const listingLagSeconds = 5;
const clockSkewSeconds = 60;

/**
 * The time of what a listing shows: 5 s before the request, because the service may still answer with the state before the last change, and
 * rounded down past its second, so that an event of that second is newer whatever its rank.
 */
export const listingTime = (requestedAtMs: number): number =>
  Math.floor(requestedAtMs / 1000) - listingLagSeconds - 1;

/** A time more than a minute in the future counts as now: one wrong clock must not close the gate for a resource. */
export const clamped = (at: number, nowMs: number): number => {
  const now = Math.floor(nowMs / 1000);
  return at > now + clockSkewSeconds ? now : at;
};

/**
 * Keys order the statuses of one resource, as strings: a state's key is its sequence. A status beside the states (a notice, a
 * republication) follows the state that holds, by second: `<sequence>-<second>-<word>`.
 */
export const keyBeside = (sequence: Sequence, second: number, word: string): string =>
  `${sequence}-${second}-${word}`;

/** The second that places a status. */
export const secondOfKey = (key: string): number => {
  const [sequence, second] = key.split('-').map(Number);
  return second ?? partsOf(sequence ?? 0).at;
};

/** The sort of notice, or the word of a republication, that a key was made with. Undefined for a state's key. */
export const wordOfKey = (key: string): string | undefined => /^\d+-\d+-(.+)$/.exec(key)?.[1];

/** Whether the key is a state's, not that of a notice or a republication. */
export const isStateKey = (key: string): boolean => !key.includes('-');

/** The state that holds where this key is the newest. */
export const stateOfKey = ({ states, runningState }: Kind, key: string): string =>
  states[Number.parseInt(key, 10) % 10] ?? runningState;
