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
import { rankOf } from '../../../shared/core/kind.ts';
import { InstanceState, vmKind } from '../../../shared/service-types/vm/kind.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

/** From 2001 to 2286, where a second has ten digits. */
const second = fc.integer({ min: 1_000_000_000, max: 9_999_999_999 });
const seen = fc.record({ at: second, state: fc.constantFrom(...InstanceState.options) });
type Seen = { at: number; state: InstanceState };

const nothing: Held = { sequence: 0 };
const having = (held: Held, one: Seen): Held =>
  isNewerObservation(vmKind, held, one) ? { sequence: sequenceOf(vmKind, one), state: one.state } : held;

/** What EC2 can tell of one instance: anything in any second, and `terminated`, if at all, last. */
const lifetime = fc
  .tuple(
    fc.array(fc.record({ at: fc.nat(20), state: fc.constantFrom(...InstanceState.options.slice(0, -1)) })),
    fc.boolean(),
  )
  .map(([life, ends]) => {
    const shifted: Seen[] = life.map(({ at, state }) => ({ at: halfPastTen + at, state }));
    return ends ? [...shifted, { at: halfPastTen + 21, state: 'terminated' as const }] : shifted;
  });

describe('gate', () => {
  it('orders all observations of an instance: by time, then by rank', () => {
    fc.assert(
      fc.property(seen, seen, (a, b) => {
        const expected =
          Math.sign(a.at - b.at) || Math.sign(rankOf(vmKind, a.state) - rankOf(vmKind, b.state));

        expect(Math.sign(sequenceOf(vmKind, a) - sequenceOf(vmKind, b))).toBe(expected);
      }),
    );
  });

  it('gives back the second and the rank that a sequence was made of', () => {
    fc.assert(
      fc.property(seen, ({ at, state }) => {
        expect(partsOf(sequenceOf(vmKind, { at, state }))).toEqual({ at, rank: rankOf(vmKind, state) });
      }),
    );
  });

  it('makes sequences that order as strings as they do as numbers', () => {
    fc.assert(
      fc.property(seen, seen, (a, b) => {
        const [one, other] = [sequenceOf(vmKind, a), sequenceOf(vmKind, b)];

        expect(String(one) < String(other)).toBe(one < other);
      }),
    );
  });

  it('takes the first observation, whatever it is', () => {
    fc.assert(fc.property(seen, (first) => isNewerObservation(vmKind, nothing, first)));
  });

  it('takes of two observations never both after each other, and none twice', () => {
    fc.assert(
      fc.property(seen, seen, (a, b) => {
        const [heldA, heldB] = [having(nothing, a), having(nothing, b)];

        expect(isNewerObservation(vmKind, heldA, a)).toBe(false);
        expect(isNewerObservation(vmKind, heldA, b) && isNewerObservation(vmKind, heldB, a)).toBe(false);
      }),
    );
  });

  it('takes nothing after terminated', () => {
    fc.assert(
      fc.property(seen, second, (later, at) => {
        expect(isNewerObservation(vmKind, having(nothing, { at, state: 'terminated' }), later)).toBe(false);
      }),
    );
  });

  it('takes a start after a stop: rank decides only within one second', () => {
    const stopped = having(nothing, { at: halfPastTen, state: 'stopped' });

    expect(isNewerObservation(vmKind, stopped, { at: halfPastTen + 1, state: 'pending' })).toBe(true);
    expect(isNewerObservation(vmKind, stopped, { at: halfPastTen, state: 'pending' })).toBe(false);
  });

  it('ends in the same state, the newest, in whatever order and however often it is told', () => {
    const orders = lifetime.chain((life) => {
      const told = [...life, ...life];
      return fc.tuple(fc.constant(life), fc.shuffledSubarray(told, { minLength: told.length }));
    });
    fc.assert(
      fc.property(orders, ([life, order]) => {
        const newest = life.toSorted((a, b) => sequenceOf(vmKind, a) - sequenceOf(vmKind, b)).at(-1);

        const held = order.reduce(having, nothing);

        expect(held).toEqual(
          newest ? { sequence: sequenceOf(vmKind, newest), state: newest.state } : nothing,
        );
      }),
    );
  });
});

describe('the time of a listing', () => {
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
