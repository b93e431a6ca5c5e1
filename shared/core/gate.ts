import { type InstanceState, rank, InstanceState as States } from '../service-types/vm/kind.ts';
import type { Observation } from './message.ts';

/**
 * The place of an observation among all observations of its instance: ten times its second, plus its state's rank.
 * One number, so that "is this newer?" is one comparison here, in DynamoDB, and in a consumer of the CloudEvent's `sequence`.
 * Eleven digits until the year 2286, so its decimal strings order as the numbers do.
 */
export type Sequence = number;

export const sequenceOf = ({ at, state }: { at: number; state: InstanceState }): Sequence =>
  at * 10 + rank[state];

/** The second and the state's rank that a sequence was made of. */
export const partsOf = (sequence: Sequence) => ({ at: Math.floor(sequence / 10), rank: sequence % 10 });

/** What the gate needs to know of the past. */
export type Held = { readonly sequence: Sequence; readonly state?: InstanceState | undefined };

/**
 * Does this observation change what is known? Only a newer one does, and nothing follows `terminated`: EC2 never reuses an id.
 * The same rule is a condition expression in dynamodb/resource-store.ts; test/contract/resource-store.ts holds both to it.
 */
export const isNewerObservation = (held: Held, observation: Pick<Observation, 'at' | 'state'>): boolean =>
  held.state !== 'terminated' && sequenceOf(observation) > held.sequence;

const listingLagSeconds = 5;
const clockSkewSeconds = 60;

/**
 * The time of what a DescribeInstances answer shows: 5 s before the request, for EC2 may still answer with the state
 * before the last change, and rounded down past its second, so that an event of that very second wins whatever its rank.
 */
export const listingTime = (requestedAtMs: number): number =>
  Math.floor(requestedAtMs / 1000) - listingLagSeconds - 1;

/** A time more than a minute in the future is taken as now: one bad clock must not shut the gate for an instance. */
export const clamped = (at: number, nowMs: number): number => {
  const now = Math.floor(nowMs / 1000);
  return at > now + clockSkewSeconds ? now : at;
};

/**
 * Keys order the statuses of one VM, as strings: a state's is its sequence, and what is told beside the states (a notice, a repeat) is
 * placed behind the state that holds, by second: `<sequence>-<second>-<word>`.
 */
export const keyBeside = (sequence: Sequence, second: number, word: string): string =>
  `${sequence}-${second}-${word}`;

/** The second by which a status is placed. */
export const secondOfKey = (key: string): number => {
  const [sequence, second] = key.split('-').map(Number);
  return second ?? partsOf(sequence ?? 0).at;
};

/** What was placed beside the states: a kind of notice, or a repeat. Undefined for a state's key. */
export const wordOfKey = (key: string): string | undefined => /^\d+-\d+-(.+)$/.exec(key)?.[1];

/** Is it a state's, not that of a notice or a repeat? */
export const isStateKey = (key: string): boolean => !key.includes('-');

/** The state that is held where this key is the newest. */
export const stateOfKey = (key: string): InstanceState =>
  States.options[Number.parseInt(key, 10) % 10] ?? 'running';
