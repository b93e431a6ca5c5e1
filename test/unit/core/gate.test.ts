import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clamped,
  type Held,
  isNewerObservation,
  listingTime,
  partsOf,
  sequenceOf,
} from '../../../shared/core/gate.ts';
import { finalState, type Kind, rankOf } from '../../../shared/core/kind.ts';
import { kinds } from '../../../shared/service-types/kinds.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

/** From 2001 to 2286, where a second has ten digits. */
const second = fc.integer({ min: 1_000_000_000, max: 9_999_999_999 });
const seenOf = ({ states }: Kind) => fc.record({ at: second, state: fc.constantFrom(...states) });
type Seen = { at: number; state: string };

const nothing: Held = { sequence: 0 };

/** What a service can tell of one resource: anything in any second, and the last state, if at all, last. */
const lifetimeOf = (kind: Kind) =>
  fc
    .tuple(
      fc.array(fc.record({ at: fc.nat(20), state: fc.constantFrom(...kind.states.slice(0, -1)) })),
      fc.boolean(),
    )
    .map(([life, ends]) => {
      const shifted: Seen[] = life.map(({ at, state }) => ({ at: halfPastTen + at, state }));
      return ends ? [...shifted, { at: halfPastTen + 21, state: finalState(kind) }] : shifted;
    });

describe.each(kinds)('gate of $collection', (kind) => {
  const seen = seenOf(kind);
  const having = (held: Held, one: Seen): Held =>
    isNewerObservation(kind, held, one) ? { sequence: sequenceOf(kind, one), state: one.state } : held;

  it('orders all observations of an instance: by time, then by rank', () => {
    fc.assert(
      fc.property(seen, seen, (a, b) => {
        const expected = Math.sign(a.at - b.at) || Math.sign(rankOf(kind, a.state) - rankOf(kind, b.state));

        expect(Math.sign(sequenceOf(kind, a) - sequenceOf(kind, b))).toBe(expected);
      }),
    );
  });

  it('gives back the second and the rank that a sequence was made of', () => {
    fc.assert(
      fc.property(seen, ({ at, state }) => {
        expect(partsOf(sequenceOf(kind, { at, state }))).toEqual({ at, rank: rankOf(kind, state) });
      }),
    );
  });

  it('makes sequences that order as strings as they do as numbers', () => {
    fc.assert(
      fc.property(seen, seen, (a, b) => {
        const [one, other] = [sequenceOf(kind, a), sequenceOf(kind, b)];

        expect(String(one) < String(other)).toBe(one < other);
      }),
    );
  });

  it('takes the first observation, whatever it is', () => {
    fc.assert(fc.property(seen, (first) => isNewerObservation(kind, nothing, first)));
  });

  it('takes of two observations never both after each other, and none twice', () => {
    fc.assert(
      fc.property(seen, seen, (a, b) => {
        const [heldA, heldB] = [having(nothing, a), having(nothing, b)];

        expect(isNewerObservation(kind, heldA, a)).toBe(false);
        expect(isNewerObservation(kind, heldA, b) && isNewerObservation(kind, heldB, a)).toBe(false);
      }),
    );
  });

  it('takes nothing after the last state', () => {
    fc.assert(
      fc.property(seen, second, (later, at) => {
        expect(isNewerObservation(kind, having(nothing, { at, state: finalState(kind) }), later)).toBe(false);
      }),
    );
  });

  it('ends in the same state, the newest, in whatever order and however often it is told', () => {
    const orders = lifetimeOf(kind).chain((life) => {
      const told = [...life, ...life];
      return fc.tuple(fc.constant(life), fc.shuffledSubarray(told, { minLength: told.length }));
    });
    fc.assert(
      fc.property(orders, ([life, order]) => {
        const newest = life.toSorted((a, b) => sequenceOf(kind, a) - sequenceOf(kind, b)).at(-1);

        const held = order.reduce(having, nothing);

        expect(held).toEqual(newest ? { sequence: sequenceOf(kind, newest), state: newest.state } : nothing);
      }),
    );
  });
});

describe('gate', () => {
  it('takes a start after a stop: rank decides only within one second', () => {
    const stopped = { sequence: sequenceOf(vmKind, { at: halfPastTen, state: 'stopped' }), state: 'stopped' };

    expect(isNewerObservation(vmKind, stopped, { at: halfPastTen + 1, state: 'pending' })).toBe(true);
    expect(isNewerObservation(vmKind, stopped, { at: halfPastTen, state: 'pending' })).toBe(false);
  });
});

describe('the time of a listing', () => {
  const seen = seenOf(vmKind);

  it('is before the moment that EC2 may still answer for', () => {
    expect(listingTime(halfPastTen * 1000)).toBeLessThanOrEqual(halfPastTen - 5);
  });

  it('lets an event of that moment win, whatever both say', () => {
    fc.assert(
      fc.property(second, fc.nat(999), seen, seen, (requestedAt, ms, listed, event) => {
        const listing = { ...listed, at: listingTime(requestedAt * 1000 + ms) };
        const atThatMoment = { ...event, at: requestedAt - 5 };

        expect(sequenceOf(vmKind, atThatMoment)).toBeGreaterThan(sequenceOf(vmKind, listing));
      }),
    );
  });
});

describe('a time in the future', () => {
  const nowMs = halfPastTen * 1000 + 999;

  it.each([-86_400, 0, 60])('is believed %i s from now', (seconds) => {
    expect(clamped(halfPastTen + seconds, nowMs)).toBe(halfPastTen + seconds);
  });

  it.each([61, 86_400])('is taken as now %i s from now', (seconds) => {
    expect(clamped(halfPastTen + seconds, nowMs)).toBe(halfPastTen);
  });
});
