/** Instances that complete listings no longer show, and how often and how long they were missed. */
export type Absences = Readonly<Record<string, { readonly sinceMs: number; readonly listings: number }>>;

const minimumListings = 3;
const minimumMs = 10 * 60_000;
const alwaysAllowed = 3;
const allowedShare = 0.1;

/**
 * The absences after one more complete listing. `removed` and `added` are what it shows less and more than the one before; an instance
 * that only moved to another page is in both.
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

/** Those that were missed often and long enough for EC2 to be asked a second time, another way. */
export const overdue = (absences: Absences, nowMs: number): string[] =>
  Object.entries(absences).flatMap(([id, { sinceMs, listings }]) =>
    listings >= minimumListings && nowMs - sinceMs >= minimumMs ? [id] : [],
  );

/** So many at once that the listing is rather to be doubted than believed. */
export const isMassDeletion = (deletions: number, vmsInRegion: number): boolean =>
  deletions > Math.max(alwaysAllowed, Math.floor(vmsInRegion * allowedShare));
