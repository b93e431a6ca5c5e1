import { FailedPreconditionError } from '../../shared/core/errors.ts';
import { secondOfKey } from '../../shared/core/gate.ts';
import type { Accounts } from '../../shared/core/target.ts';
import { type Charge, chargesOf, type Granularity, type Period } from '../../shared/core/usage/charges.ts';
import {
  type Billing,
  type FocusCharge,
  type FocusRow,
  focusRowOf,
  priceOf,
} from '../../shared/core/usage/focus.ts';
import { type Interval, intervalsOf, type UsageEvent } from '../../shared/core/usage/intervals.ts';
import {
  beginOf,
  type Month,
  monthAfter,
  monthBefore,
  monthOf,
  monthsFrom,
  uncarriedMonths,
} from '../../shared/core/usage/month.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { LedgerEntry, UsageLedger } from '../../shared/ports/usage-ledger.ts';
import { kinds } from '../../shared/service-types/kinds.ts';

/** What is asked for. */
export type UsageAsked = Period & {
  readonly granularity: Granularity;
  /** Whether the caller may read the usage of a target, by its key. */
  readonly opens: (target: string) => boolean;
};

export type ReadsUsage = {
  /** By what is known now, ordered by resource and time. */
  readonly charges: (asked: UsageAsked) => Promise<readonly Charge[]>;
  /**
   * The VMs' rows of FOCUS. A month is closed three days after its end; what changes it later is in rows of their own, in the month that the
   * change was learnt in.
   * @throws FailedPreconditionError where no prices are configured, or one is missing.
   */
  readonly focus: (asked: UsageAsked) => Promise<readonly FocusRow[]>;
};

type Parts = {
  readonly ledger: UsageLedger;
  /** Undefined: no prices are configured. */
  readonly billing: Billing | undefined;
  readonly accounts: Accounts;
  readonly now: Clock;
};

const closedAfterSeconds = 3 * 86_400;
/** Corrections of so many months before one are looked for: the status bus's archive and the queues keep no event for longer. */
const correctedMonths = 2;
const minuteSeconds = 60;

/** What the ledger says of a month by a moment, on its own clock. */
const by = (entries: readonly LedgerEntry[], second: number): UsageEvent[] =>
  entries.filter(({ keptAtMs }) => keptAtMs < second * 1000).map(({ event }) => event);

/** Reads usage from the ledger, month by month. */
export const readUsage = ({ ledger, billing, accounts, now }: Parts): ReadsUsage => {
  const nowSeconds = () => Math.floor(now() / 1000);

  /** The entries of a month; with those of the months before it, where nothing was carried into it yet. */
  const entriesOf = async (month: Month): Promise<readonly LedgerEntry[]> => {
    const months = [month, ...(await uncarriedMonths(ledger, month)).toReversed().map(monthBefore)];
    const entries: (readonly LedgerEntry[])[] = [];
    for (const each of months) entries.push(await ledger.read(each));
    return entries.flat();
  };

  /**
   * The intervals of a month. Where one began in its last minute, the month after it says how much of its minimum is left, as far as the
   * ledger knew it by a moment.
   */
  const intervalsIn = async (
    month: Month,
    events: readonly UsageEvent[],
    knownBy: number,
  ): Promise<readonly Interval[]> => {
    const end = beginOf(monthAfter(month));
    const intervals = intervalsOf(events, kinds);
    const open = intervals.filter(({ from, until }) => until === undefined && from > end - minuteSeconds);
    if (open.length === 0 || nowSeconds() < end) return intervals;
    const resources = new Set(open.map(({ resource }) => resource));
    const isOpen = ({ resource }: { readonly resource: string }) => resources.has(resource);
    const later = by(await ledger.read(monthAfter(month)), knownBy).filter(isOpen);
    const whole = intervalsOf([...events.filter(isOpen), ...later], kinds);
    return [...intervals.filter((one) => !isOpen(one)), ...whole];
  };

  /** By what the ledger knew at a moment. */
  const chargesIn = async (
    month: Month,
    entries: readonly LedgerEntry[],
    { from, until, granularity, opens }: UsageAsked,
    knownBy = Number.POSITIVE_INFINITY,
  ): Promise<Charge[]> => {
    const period = {
      from: Math.max(from, beginOf(month)),
      until: Math.min(until, beginOf(monthAfter(month)), nowSeconds()),
    };
    const visible = by(entries, knownBy).filter(({ target }) => opens(target));
    const intervals = await intervalsIn(month, visible, knownBy);
    return chargesOf(intervals, period, { granularity, nowSeconds: nowSeconds() });
  };

  /** What was learnt in the period of a month that had been closed before. */
  const correctionsOf = async (month: Month, asked: UsageAsked): Promise<FocusCharge[]> => {
    const end = beginOf(monthAfter(month));
    const entries = await ledger.read(month);
    const since = Math.max(asked.from, end + closedAfterSeconds);
    const [before, after] = [by(entries, since), by(entries, asked.until)];
    // What is left of the minimum of such a run, the month after it says.
    const hasLateRun = after.some(({ key }) => secondOfKey(key) > end - minuteSeconds);
    if (before.length >= after.length && !hasLateRun) return [];
    const whole = { ...asked, from: beginOf(month), until: end };
    const all = await entriesOf(month);
    const charged = await chargesIn(month, all, whole, since);
    const right = await chargesIn(month, all, whole, asked.until);
    const billedIn = beginOf(monthOf(asked.from));
    return differences(charged, right).map((one) => ({ ...one, billedIn, isCorrection: true }));
  };

  return {
    async charges(asked) {
      const charges: Charge[][] = [];
      for (const month of monthsIn(asked))
        charges.push(await chargesIn(month, await entriesOf(month), asked));
      return charges.flat().sort(byResourceAndTime);
    },

    async focus(asked) {
      if (billing === undefined)
        throw new FailedPreconditionError(
          'no prices are configured (setting usage.prices), and FOCUS requires costs; ask for format=csv',
        );
      const charges: FocusCharge[][] = [];
      for (const month of monthsIn(asked)) {
        const within = {
          ...asked,
          from: Math.max(asked.from, beginOf(month)),
          until: Math.min(asked.until, beginOf(monthAfter(month))),
        };
        const closedAt = beginOf(monthAfter(month)) + closedAfterSeconds;
        const own = await chargesIn(month, await entriesOf(month), within, closedAt);
        charges.push(own.map((one) => ({ ...one, billedIn: beginOf(month), isCorrection: false })));
        for (
          let each = monthBefore(month), back = 0;
          back < correctedMonths;
          each = monthBefore(each), back += 1
        )
          charges.push(await correctionsOf(each, within));
      }
      return charges
        .flat()
        .filter(({ interval }) => interval.serviceType === 'vm')
        .sort((a, b) => a.billedIn - b.billedIn || byResourceAndTime(a, b))
        .map((charge) => rowOf(charge, billing, accounts));
    },
  };
};

const monthsIn = ({ from, until }: Period): Month[] => monthsFrom(monthOf(from), monthOf(until - 1));

const byResourceAndTime = (a: Charge, b: Charge): number =>
  compare(a.interval.resource, b.interval.resource) || a.from - b.from;

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

const rowOf = (charge: FocusCharge, billing: Billing, accounts: Accounts): FocusRow => {
  const row = focusRowOf(charge, billing, accounts);
  if (row !== undefined) return row;
  throw new FailedPreconditionError(
    `there is no price for ${priceOf(charge)}, which ${charge.interval.resource} has used; add it to the setting usage.prices, or ask for format=csv`,
  );
};

/** What is to be charged in addition, or less, for each resource, owner, type and part of the month. */
const differences = (before: readonly Charge[], after: readonly Charge[]): Charge[] => {
  const sums = new Map<string, Charge>();
  const add = (charge: Charge, sign: 1 | -1) => {
    const { interval, from, until } = charge;
    const { resource, dcmId, size = '', platform = '', market = '' } = interval;
    const key = [resource, dcmId, size, platform, market, Math.floor(from / 3600)].join('\n');
    const sum = sums.get(key);
    sums.set(key, {
      interval: sum?.interval ?? interval,
      from: Math.min(sum?.from ?? from, from),
      until: Math.max(sum?.until ?? until, until),
      usedSeconds: (sum?.usedSeconds ?? 0) + sign * charge.usedSeconds,
      billedSeconds: (sum?.billedSeconds ?? 0) + sign * charge.billedSeconds,
    });
  };
  for (const charge of after) add(charge, 1);
  for (const charge of before) add(charge, -1);
  return [...sums.values()].filter((one) => one.usedSeconds !== 0 || one.billedSeconds !== 0);
};
