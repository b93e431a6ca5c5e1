import type { Month } from '../../shared/core/usage/month.ts';
import type { LedgerEntry, UsageLedger } from '../../shared/ports/usage-ledger.ts';

/** A usage ledger in memory. */
export const memoryUsageLedger = (now: () => number): UsageLedger => {
  const months = new Map<Month, LedgerEntry[]>();
  const carried = new Map<Month, number>();
  return {
    async add(month, events) {
      const entries = months.get(month) ?? [];
      months.set(month, [...entries, ...events.map((event) => ({ event, keptAtMs: now() }))]);
    },
    read: async (month) => months.get(month) ?? [],
    carriedAtMs: async (month) => carried.get(month),
    async markCarried(month) {
      if (!carried.has(month)) carried.set(month, now());
    },
  };
};
