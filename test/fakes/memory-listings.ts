import type { Listing, Listings } from '../../shared/ports/listings.ts';
import { noStatusChecks } from '../../shared/service-types/vm/status-checks.ts';

const abandonedAfterMs = 10 * 60_000;

type Held = Listing & {
  readonly dueAtMs: number;
  readonly leasedUntilMs: number;
  /** When somebody last wanted something. */
  readonly wokenAtMs: number;
  readonly republishWantedAt: number;
  readonly republishedAt: number;
  readonly listedAtMs: number | undefined;
  readonly instances: number;
};

/** The Listings port in memory. */
export const memoryListings = (now: () => number = Date.now): Listings => {
  const regions = new Map<string, Held>();
  const pages = new Map<string, readonly string[]>();
  const held = (region: string): Held => regions.get(region) ?? blank(region);
  const change = (region: string, more: Partial<Held>) =>
    void regions.set(region, { ...held(region), ...more });
  const wake = () => ({ wokenAtMs: now(), dueAtMs: 0 });
  let charge: { execution: string; untilMs: number; turns: number } | undefined;

  return {
    async take(region, { floorMs, leaseMs }) {
      const before = held(region);
      if (before.leasedUntilMs > now() || before.dueAtMs > now()) return undefined;
      const goesOn = before.token !== undefined && before.startedAtMs > now() - abandonedAfterMs;
      if (!goesOn && before.startedAtMs > now() - floorMs) return undefined;
      change(region, { ...(!goesOn && begun(before, now())), leasedUntilMs: now() + leaseMs });
      return held(region);
    },
    async save(listing, { token, dueAtMs }) {
      const { releasedAtMs, wokenAtMs, republishWantedAt, republishedAt } = held(listing.region);
      const isWoken = wokenAtMs > listing.startedAtMs;
      change(listing.region, {
        ...{ ...listing, token, leasedUntilMs: 0 },
        ...{ releasedAtMs, wokenAtMs, republishWantedAt, republishedAt },
        ...(token === undefined
          ? { ...completed(listing, now()), dueAtMs: isWoken ? now() : dueAtMs }
          : { page: listing.page + 1, dueAtMs }),
      });
    },
    async fail(region, dueAtMs) {
      change(region, { token: undefined, dueAtMs, leasedUntilMs: 0 });
    },
    due: async (names) =>
      new Map(names.map((name) => [name, Math.max(held(name).dueAtMs, held(name).leasedUntilMs)])),
    status: async (names) =>
      names.map((region) => {
        const { listedAtMs, intervalSeconds, instances, breakerSinceMs, ...marks } = held(region);
        const republishWantedAt =
          marks.republishWantedAt > marks.republishedAt ? marks.republishWantedAt : undefined;
        return { region, listedAtMs, intervalSeconds, instances, breakerSinceMs, republishWantedAt };
      }),
    async requestRepublication(region, at) {
      if (at > held(region).republishWantedAt) change(region, { republishWantedAt: at, ...wake() });
    },
    async release(region) {
      const isHeld = held(region).breakerSinceMs !== undefined;
      if (isHeld) change(region, { releasedAtMs: now(), ...wake() });
      return isHeld;
    },
    members: async (region, page) => pages.get(`${region} ${page}`) ?? [],
    async saveMembers(region, page, ids) {
      pages.set(`${region} ${page}`, ids);
    },
    async leasePolling(execution, leaseMs) {
      if (charge && charge.execution !== execution && charge.untilMs > now()) return undefined;
      const turns = charge?.execution === execution ? charge.turns + 1 : 1;
      charge = { execution, untilMs: now() + leaseMs, turns };
      return turns;
    },
    async releasePolling(execution) {
      if (charge?.execution === execution) charge = undefined;
    },
  };
};

const begun = ({ republishWantedAt, republishedAt }: Held, nowMs: number) => ({
  ...{ page: 0, token: undefined, seen: 0, busy: false, startedAtMs: nowMs },
  republishAt: republishWantedAt > republishedAt ? republishWantedAt : undefined,
});

const completed = ({ seen, republishAt }: Listing, nowMs: number) => ({
  ...{ page: 0, removed: new Set<string>(), added: new Set<string>() },
  ...{ listedAtMs: nowMs, instances: seen },
  ...(republishAt !== undefined && { republishedAt: republishAt }),
});

const blank = (region: string): Held => ({
  ...{ region, page: 0, token: undefined, startedAtMs: 0, digests: [], seen: 0, busy: false },
  ...{ removed: new Set(), added: new Set(), absences: {}, lastBusyAtMs: 0, intervalSeconds: 0 },
  ...{ breakerSinceMs: undefined, releasedAtMs: undefined, republishAt: undefined },
  ...{ checks: noStatusChecks, dueAtMs: 0, leasedUntilMs: 0, wokenAtMs: 0 },
  ...{ republishWantedAt: 0, republishedAt: 0, listedAtMs: undefined, instances: 0 },
});
