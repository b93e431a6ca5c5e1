import { type InstanceState, rank } from './instance.ts';
import type { Observation } from './signal.ts';

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
 * The same rule is a condition expression in adapters/dynamodb-fleet.ts; test/contract/fleet.ts holds both to it.
 */
export const isNews = (held: Held, observation: Pick<Observation, 'at' | 'state'>): boolean =>
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
