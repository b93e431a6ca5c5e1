import type { UsageEvent } from '../core/usage/intervals.ts';
import type { Month } from '../core/usage/month.ts';

/** An event, and when the ledger got it: milliseconds since 1970, on our clock. */
export type LedgerEntry = { readonly event: UsageEvent; readonly keptAtMs: number };

/**
 * The events that tell what was used, by month. Nothing in it is ever changed. Safe under any number of concurrent writers. All rejections
 * are UnavailableErrors, unless said otherwise; an UnreadableError for items that another program wrote.
 */
export type UsageLedger = {
  /** Adds events to a month, a hundred by one write. It is safe to add an event again. After a rejection, none, some or all are added. */
  add(month: Month, events: readonly UsageEvent[]): Promise<void>;
  /** All events that were added to a month before this call, in no order, some of them repeatedly. */
  read(month: Month): Promise<readonly LedgerEntry[]>;
  /** When the month got what goes on from the month before, in milliseconds since 1970; undefined where that is still to come. */
  carriedAtMs(month: Month): Promise<number | undefined>;
  /** Idempotent: the first time stays. */
  markCarried(month: Month): Promise<void>;
};
