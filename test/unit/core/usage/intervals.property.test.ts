import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Charge, chargesOf } from '../../../../shared/core/usage/charges.ts';
import {
  carriedOf,
  intervalsOf,
  monthsOf,
  type UsageEvent,
} from '../../../../shared/core/usage/intervals.ts';
import { kinds } from '../../../../shared/service-types/kinds.ts';
import { billedSecondsOf, type TrueInstance, usedSecondsBySize, usedSecondsOf } from './oracle.ts';

/** A minute before the end of a month, so that runs cross it. */
const origin = Date.UTC(2026, 10, 30, 23, 50) / 1000;
const monthEnd = Date.UTC(2026, 11, 1) / 1000;

/** A type changes only while the instance is stopped. */
const sizes = fc.constantFrom('t3.small', 't3.medium', 'm7i.large');

const instances = fc
  .array(
    fc.record({
      gaps: fc.array(fc.tuple(fc.integer({ min: 14, max: 500 }), fc.integer({ min: 1, max: 900 }), sizes), {
        maxLength: 4,
      }),
      isOpen: fc.boolean(),
      platform: fc.constantFrom('Linux/UNIX', 'SUSE Linux', 'Windows'),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) =>
    all.map(({ gaps, isOpen, platform }, index): TrueInstance => {
      let at = origin;
      const runs = gaps.map(([pause, length, size]) => {
        const start = at + pause;
        at = start + length;
        return { start, stop: at, size };
      });
      const last = runs.at(-1);
      return {
        resource: `i-${String(index).padStart(17, '0')}`,
        runs: isOpen && last ? [...runs.slice(0, -1), { ...last, stop: undefined }] : runs,
        platform,
      };
    }),
  );

const ranks = { pending: 0, running: 1, stopping: 2, stopped: 3 };

/** The events of a life. An event has the facts or not; what is missing is known by another one of the same run. */
const eventsOf = ({ resource, runs, platform }: TrueInstance): UsageEvent[] =>
  runs.flatMap(({ start, stop, size }, index) => {
    const event = (state: keyof typeof ranks, at: number, facts: object = {}): UsageEvent => ({
      ...{ resource, key: String(at * 10 + ranks[state]), dcmId: `dcm-${resource}` },
      ...{ serviceType: 'vm', target: 'eu-west-1', ...facts },
    });
    const guessed = { seenBy: index % 2 === 0 ? 'listing' : 'request' } as const;
    const isGuessed = (start + index) % 3 === 0;
    const correction = { isCorrection: true };
    return [
      event('pending', start - 2),
      ...(isGuessed
        ? [event('running', start - 1, { ...guessed, size, platform }), event('running', start, correction)]
        : [event('running', start, { size, platform })]),
      ...(stop === undefined || (start + index) % 5 === 0 ? [] : stopping(stop)),
      ...(stop === undefined ? [] : [event('stopped', (start + index) % 5 === 0 ? stop : stop + 1)]),
    ];

    /** Where the API was asked, its answer is published first, with the time of a listing. */
    function stopping(at: number): UsageEvent[] {
      const early = at - 6;
      return isGuessed && early > start
        ? [event('stopping', early, guessed), event('stopping', at, correction)]
        : [event('stopping', at)];
    }
  });

const shuffledWithCopies = (events: readonly UsageEvent[]) =>
  fc
    .tuple(fc.shuffledSubarray([...events], { minLength: events.length }), fc.subarray([...events]))
    .map(([all, again]) => [...again, ...all]);

const cases = instances.chain((truth) =>
  fc.record({
    truth: fc.constant(truth),
    events: shuffledWithCopies(truth.flatMap(eventsOf)),
    granularity: fc.constantFrom('hour' as const, 'day' as const, 'month' as const),
    nowOffset: fc.integer({ min: 0, max: 4000 }),
    window: fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 4000 })),
  }),
);

/** No run begins later than this. */
const latest = (truth: readonly TrueInstance[]) =>
  Math.max(
    origin,
    ...truth.flatMap(({ runs }) => runs.map(({ start, stop = start }) => Math.max(start, stop))),
  );

const sum = (charges: readonly Charge[], resource: string, of: 'usedSeconds' | 'billedSeconds') =>
  charges.filter(({ interval }) => interval.resource === resource).reduce((total, one) => total + one[of], 0);

const eventsIn = (month: string, events: readonly UsageEvent[]): UsageEvent[] =>
  events.filter((event) => monthsOf(event).includes(month));

const bySize = (charges: readonly Charge[], resource: string): Readonly<Record<string, number>> => {
  const sums = new Map<string, number>();
  for (const { interval, usedSeconds } of charges.filter((one) => one.interval.resource === resource))
    sums.set(interval.size ?? '', (sums.get(interval.size ?? '') ?? 0) + usedSeconds);
  return Object.fromEntries(sums);
};

const always = { from: 0, until: Number.MAX_SAFE_INTEGER };

describe('usage from events that are late, repeated and shuffled', () => {
  it('equals what an independent count of seconds says, in any period', () => {
    fc.assert(
      fc.property(cases, ({ truth, events, granularity, nowOffset, window: [start, length] }) => {
        const nowSeconds = latest(truth) + nowOffset;
        const period = { from: origin + start, until: origin + start + length };
        const charges = chargesOf(intervalsOf(events, kinds), period, { granularity, nowSeconds });

        for (const one of truth) {
          const { from, until } = period;
          expect(sum(charges, one.resource, 'usedSeconds')).toBe(usedSecondsOf(one, from, until, nowSeconds));
          expect(bySize(charges, one.resource)).toEqual(usedSecondsBySize(one, from, until, nowSeconds));
        }
      }),
    );
  });

  it('is billed by EC2’s rules, however it is cut into rows', () => {
    fc.assert(
      fc.property(cases, ({ truth, events, granularity, nowOffset }) => {
        const nowSeconds = latest(truth) + nowOffset + 1;
        const charges = chargesOf(intervalsOf(events, kinds), always, { granularity, nowSeconds });

        for (const one of truth)
          expect(sum(charges, one.resource, 'billedSeconds')).toBe(billedSecondsOf(one, nowSeconds));
      }),
    );
  });

  it('is the same for a month from its own events and those that were carried into it', () => {
    fc.assert(
      fc.property(cases, ({ truth, events, granularity, nowOffset }) => {
        const nowSeconds = latest(truth) + nowOffset;
        const ofMonth = [
          ...carriedOf(eventsIn('2026-11', events), kinds, { settled: false, monthEnd }),
          ...eventsIn('2026-12', events),
        ];
        const period = { from: monthEnd, until: Number.MAX_SAFE_INTEGER };
        const cut = { granularity, nowSeconds };

        expect(chargesOf(intervalsOf(ofMonth, kinds), period, cut)).toEqual(
          chargesOf(intervalsOf(events, kinds), period, cut),
        );
      }),
    );
  });

  it('is the same where an event of the month before came after the others were carried', () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 0, max: 1000 }),
        ({ truth, events, granularity, nowOffset }, which) => {
          const nowSeconds = latest(truth) + nowOffset;
          const before = eventsIn('2026-11', events);
          const late = before[which % Math.max(before.length, 1)];
          const sameEvent = (one: UsageEvent) => one.key === late?.key && one.resource === late.resource;
          const carried = carriedOf(
            before.filter((one) => !sameEvent(one)),
            kinds,
            { settled: false, monthEnd },
          );
          const again = carriedOf(
            before.filter(({ resource }) => resource === late?.resource),
            kinds,
            { settled: true, monthEnd },
          );
          const ofMonth = [...carried, ...again, ...eventsIn('2026-12', events)];
          const period = { from: monthEnd, until: Number.MAX_SAFE_INTEGER };
          const used = (all: readonly UsageEvent[], resource: string) =>
            sum(
              chargesOf(intervalsOf(all, kinds), period, { granularity, nowSeconds }),
              resource,
              'usedSeconds',
            );

          for (const { resource } of truth) expect(used(ofMonth, resource)).toBe(used(events, resource));
        },
      ),
    );
  });
});
