import type { Listing, Listings } from '../../shared/ports/listings.ts';

const abandonedAfterMs = 10 * 60_000;

type Held = Listing & { readonly dueAtMs: number; readonly leasedUntilMs: number };

/** The Listings port in memory. */
export const memoryListings = (now: () => number = Date.now): Listings => {
  const regions = new Map<string, Held>();
  const pages = new Map<string, readonly string[]>();
  let charge: { execution: string; untilMs: number; turns: number } | undefined;

  return {
    async take(region, { floorMs, leaseMs }) {
      const held = regions.get(region);
      if (held && (held.leasedUntilMs > now() || held.dueAtMs > now())) return undefined;
      const goesOn = held?.token !== undefined && held.startedAtMs > now() - abandonedAfterMs;
      if (held && !goesOn && held.startedAtMs > now() - floorMs) return undefined;
      const taken: Held = {
        ...blank(region),
        ...held,
        ...(!goesOn && { page: 0, token: undefined, seen: 0, busy: false, startedAtMs: now() }),
        leasedUntilMs: now() + leaseMs,
      };
      regions.set(region, taken);
      return taken;
    },
    async save(listing, { token, dueAtMs }) {
      const next =
        token === undefined
          ? { page: 0, removed: new Set<string>(), added: new Set<string>() }
          : { page: listing.page + 1 };
      regions.set(listing.region, { ...listing, ...next, token, dueAtMs, leasedUntilMs: 0 });
    },
    async fail(region, dueAtMs) {
      regions.set(region, {
        ...blank(region),
        ...regions.get(region),
        token: undefined,
        dueAtMs,
        leasedUntilMs: 0,
      });
    },
    due: async (names) =>
      new Map(
        names.map((name) => {
          const { dueAtMs, leasedUntilMs } = regions.get(name) ?? blank(name);
          return [name, Math.max(dueAtMs, leasedUntilMs)];
        }),
      ),
    pages: async (region) => regions.get(region)?.digests.length ?? 0,
    members: async (region, page) => pages.get(`${region} ${page}`) ?? [],
    async keepMembers(region, page, ids) {
      pages.set(`${region} ${page}`, ids);
    },
    async takeCharge(execution, leaseMs) {
      if (charge && charge.execution !== execution && charge.untilMs > now()) return undefined;
      const turns = charge?.execution === execution ? charge.turns + 1 : 1;
      charge = { execution, untilMs: now() + leaseMs, turns };
      return turns;
    },
    async resign(execution) {
      if (charge?.execution === execution) charge = undefined;
    },
  };
};

const blank = (region: string): Held => ({
  region,
  page: 0,
  token: undefined,
  startedAtMs: 0,
  digests: [],
  seen: 0,
  busy: false,
  removed: new Set(),
  added: new Set(),
  absences: {},
  lastBusyAtMs: 0,
  intervalSeconds: 0,
  breakerSinceMs: undefined,
  dueAtMs: 0,
  leasedUntilMs: 0,
});
