import { type ListedTarget, listingKey } from '../../shared/core/target.ts';
import type { Listing, Listings } from '../../shared/ports/listings.ts';

const abandonedAfterMs = 10 * 60_000;

type Held = Listing & {
  readonly dueAtMs: number;
  readonly leasedUntilMs: number;
  /** When a republication or a release was last requested. */
  readonly wokenAtMs: number;
  readonly republishWantedAt: number;
  readonly republishedAt: number;
  readonly listedAtMs: number | undefined;
  readonly instances: number;
};

/** The Listings port in memory. */
export const memoryListings = (now: () => number = Date.now): Listings => {
  const targets = new Map<string, Held>();
  const pages = new Map<string, readonly string[]>();
  const held = (target: ListedTarget): Held => targets.get(listingKey(target)) ?? blank(target);
  const change = (target: ListedTarget, more: Partial<Held>) =>
    void targets.set(listingKey(target), { ...held(target), ...more });
  const wake = () => ({ wokenAtMs: now(), dueAtMs: 0 });
  let polling: { execution: string; untilMs: number; turns: number } | undefined;

  return {
    async lease(target, { floorMs, leaseMs }) {
      const before = held(target);
      if (before.leasedUntilMs > now() || before.dueAtMs > now()) return undefined;
      const continues = before.token !== undefined && before.startedAtMs > now() - abandonedAfterMs;
      if (!continues && before.startedAtMs > now() - floorMs) return undefined;
      change(target, { ...(!continues && started(before, now())), leasedUntilMs: now() + leaseMs });
      return held(target);
    },
    async save(listing, { token, dueAtMs }) {
      const { releasedAtMs, wokenAtMs, republishWantedAt, republishedAt } = held(listing.target);
      const isWoken = wokenAtMs > listing.startedAtMs;
      change(listing.target, {
        ...{ ...listing, token, leasedUntilMs: 0 },
        ...{ releasedAtMs, wokenAtMs, republishWantedAt, republishedAt },
        ...(token === undefined
          ? { ...completed(listing, now()), dueAtMs: isWoken ? now() : dueAtMs }
          : { page: listing.page + 1, dueAtMs }),
      });
    },
    async fail(target, dueAtMs) {
      change(target, { token: undefined, dueAtMs, leasedUntilMs: 0 });
    },
    due: async (asked) =>
      new Map(asked.map((one) => [listingKey(one), Math.max(held(one).dueAtMs, held(one).leasedUntilMs)])),
    status: async (asked) =>
      asked.map((target) => {
        const {
          listedAtMs,
          intervalSeconds,
          instances,
          breakerSinceMs,
          healed = 0,
          healedAtMs,
          ...marks
        } = held(target);
        const republicationRequestedAt =
          marks.republishWantedAt > marks.republishedAt ? marks.republishWantedAt : undefined;
        const counted = { intervalSeconds, instances, healed, healedAtMs };
        return { target, listedAtMs, ...counted, breakerSinceMs, republicationRequestedAt };
      }),
    async requestRepublication(target, at) {
      if (at > held(target).republishWantedAt) change(target, { republishWantedAt: at, ...wake() });
    },
    async releaseBreaker(target) {
      const isHeld = held(target).breakerSinceMs !== undefined;
      if (isHeld) change(target, { releasedAtMs: now(), ...wake() });
      return isHeld;
    },
    members: async (target, page) => pages.get(`${listingKey(target)} ${page}`) ?? [],
    async saveMembers(target, page, ids) {
      pages.set(`${listingKey(target)} ${page}`, ids);
    },
    async leasePolling(execution, leaseMs) {
      if (polling && polling.execution !== execution && polling.untilMs > now()) return undefined;
      const turns = polling?.execution === execution ? polling.turns + 1 : 1;
      polling = { execution, untilMs: now() + leaseMs, turns };
      return turns;
    },
    async releasePolling(execution) {
      if (polling?.execution === execution) polling = undefined;
    },
  };
};

const started = ({ republishWantedAt, republishedAt }: Held, nowMs: number) => ({
  ...{ page: 0, token: undefined, seen: 0, busy: false, startedAtMs: nowMs },
  republishAt: republishWantedAt > republishedAt ? republishWantedAt : undefined,
});

const completed = ({ seen, republishAt }: Listing, nowMs: number) => ({
  ...{ page: 0, removed: new Set<string>(), added: new Set<string>() },
  ...{ listedAtMs: nowMs, instances: seen },
  ...(republishAt !== undefined && { republishedAt: republishAt }),
});

const blank = (target: ListedTarget): Held => ({
  ...{ target, page: 0, token: undefined, startedAtMs: 0, digests: [], seen: 0, busy: false },
  ...{ removed: new Set(), added: new Set(), absences: {}, lastBusyAtMs: 0, intervalSeconds: 0 },
  ...{ breakerSinceMs: undefined, releasedAtMs: undefined, republishAt: undefined },
  ...{ checks: undefined, dueAtMs: 0, leasedUntilMs: 0, wokenAtMs: 0 },
  ...{ republishWantedAt: 0, republishedAt: 0, listedAtMs: undefined, instances: 0 },
});
