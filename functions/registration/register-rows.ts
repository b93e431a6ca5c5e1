import type { Registration, Registrations } from '../../shared/ports/registrations.ts';
import type { ProviderRow } from './provider-rows.ts';
import { countOutcome, type RowParts, registerRow } from './register-row.ts';

export type Parts = Omit<RowParts, 'registrations'> & { readonly registrations: Registrations };

/** What became of each row, by its name. */
export type Outcomes = ReadonlyMap<string, Registration>;

/** No row is begun later in one run: a registry that does not answer takes 28 seconds, and the function has 60. */
const beginMs = 30_000;

/**
 * Registers these rows one after the other, the first one first, and each on its own: one that fails stops no other.
 * @throws UnavailableError, after all rows have been tried, where the fleet table failed for one.
 */
export const registerRows =
  (parts: Parts) =>
  async (rows: readonly ProviderRow[]): Promise<Outcomes> =>
    registerEach(parts, rows, await parts.registrations.recall(rows.map(nameOf)));

/** The same for those rows whose time has come; the others stay as they are remembered. */
export const keepRowsRegistered =
  (parts: Parts) =>
  async (rows: readonly ProviderRow[]): Promise<Outcomes> => {
    const remembered = await parts.registrations.recall(rows.map(nameOf));
    const nowSeconds = parts.now() / 1000;
    const waiting = new Map(
      [...remembered].filter(([, { nextAttemptAt = 0 }]) => nextAttemptAt > nowSeconds),
    );
    for (const { outcome } of waiting.values()) countOutcome(parts.meter, outcome);
    const due = rows.filter((row) => !waiting.has(nameOf(row)));
    return new Map([...waiting, ...(await registerEach(parts, due, remembered))]);
  };

const registerEach = async (
  parts: Parts,
  rows: readonly ProviderRow[],
  remembered: Outcomes,
): Promise<Outcomes> => {
  const register = registerRow(parts);
  const startedAtMs = parts.now();
  const outcomes = new Map<string, Registration>();
  const failures: unknown[] = [];
  for (const row of inTurn(rows, remembered)) {
    const known = remembered.get(nameOf(row));
    if (parts.now() - startedAtMs > beginMs) outcomes.set(nameOf(row), known ?? notTried(row, startedAtMs));
    else
      await register(row, known).then(
        (became) => outcomes.set(nameOf(row), became),
        (error: unknown) => failures.push(error),
      );
  }
  if (failures.length > 0) throw failures[0];
  return outcomes;
};

/** The first row first, then those whose last attempt is the longest ago: registries that do not answer keep no other row waiting for long. */
const inTurn = ([first, ...others]: readonly ProviderRow[], remembered: Outcomes): ProviderRow[] => {
  if (first === undefined) return [];
  const lastAt = (row: ProviderRow) => remembered.get(nameOf(row))?.at ?? 0;
  return [first, ...others.toSorted((one, other) => lastAt(one) - lastAt(other))];
};

const notTried = ({ id }: ProviderRow, atMs: number): Registration => ({
  ...{ outcome: 'unreachable', detail: 'not tried yet: others took too long; the next run tries it' },
  ...{ at: Math.floor(atMs / 1000), providerId: id },
});

const nameOf = ({ registration }: ProviderRow): string => registration.name;
