import type { Registration, Registrations } from '../../shared/ports/registrations.ts';
import type { ProviderRow } from './provider-rows.ts';
import { countOutcome, type RowParts, registerRow } from './register-row.ts';

export type Parts = Omit<RowParts, 'registrations'> & { readonly registrations: Registrations };

/** What became of each row, by its name. */
export type Outcomes = ReadonlyMap<string, Registration>;

/**
 * Registers these rows at once, each on its own: one that fails stops no other.
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
  const attempts = rows.map(
    async (row) => [nameOf(row), await register(row, remembered.get(nameOf(row)))] as const,
  );
  await Promise.allSettled(attempts);
  return new Map(await Promise.all(attempts));
};

const nameOf = ({ registration }: ProviderRow): string => registration.name;
