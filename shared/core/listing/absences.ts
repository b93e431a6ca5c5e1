/** Resources that are missing from complete listings: since when, and from how many. */
export type Absences = Readonly<Record<string, { readonly sinceMs: number; readonly listings: number }>>;

const minimumListings = 3;
const minimumMs = 10 * 60_000;

/**
 * The absences after one more complete listing. `removed` and `added` are its differences from the listing before; a resource that only
 * moved to another page is in both.
 */
export const nextAbsences = (
  absences: Absences,
  { removed, added }: { readonly removed: ReadonlySet<string>; readonly added: ReadonlySet<string> },
  nowMs: number,
): Absences => {
  const still = Object.entries(absences).filter(([id]) => !added.has(id));
  const fresh = [...removed].filter((id) => !added.has(id) && absences[id] === undefined);
  return Object.fromEntries([
    ...still.map(([id, { sinceMs, listings }]) => [id, { sinceMs, listings: listings + 1 }] as const),
    ...fresh.map((id) => [id, { sinceMs: nowMs, listings: 1 }] as const),
  ]);
};

/** The ids that were absent often and long enough; the service is then asked for each of them, to confirm that it is deleted. */
export const overdue = (absences: Absences, nowMs: number): string[] =>
  Object.entries(absences).flatMap(([id, { sinceMs, listings }]) =>
    listings >= minimumListings && nowMs - sinceMs >= minimumMs ? [id] : [],
  );

const alwaysAllowed = 3;
const allowedShare = 0.1;

/** Whether one listing shows so many deletions that it may be wrong: then the breaker trips. */
export const isMassDeletion = (deletions: number, vms: number): boolean =>
  deletions > Math.max(alwaysAllowed, Math.floor(vms * allowedShare));

const breakerMs = 10 * 60_000;

/** The breaker holds deletions back for ten minutes, or until an operator releases it. */
export const isBreakerOpen = (
  {
    breakerSinceMs,
    releasedAtMs = 0,
  }: { readonly breakerSinceMs: number; readonly releasedAtMs?: number | undefined },
  nowMs: number,
): boolean => nowMs - breakerSinceMs < breakerMs && releasedAtMs < breakerSinceMs;
