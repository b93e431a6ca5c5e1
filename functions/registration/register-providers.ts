import type { Clock } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { HeldRow, ProviderRegistry, RegistrationAnswer } from '../../shared/ports/provider-registry.ts';
import type { Registration, Registrations } from '../../shared/ports/registrations.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { type ProviderRow, providerIdOf } from './providers.ts';

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

/** A refusal other than a conflict clears when somebody changes something: no hurry, and no noise in DCM's log. */
const refusedPauseSeconds = 600;
/** DCM can ask for no longer a pause. */
const longestPauseSeconds = 3600;
/**
 * Behind an environment agent nothing shows that the control plane was restored or lost a callback, so every status of the region is
 * published again so often (docs/adr/0043).
 */
const republishSeconds = 6 * 3600;

export type RowParts = {
  readonly registryOf: (row: ProviderRow) => Pick<ProviderRegistry, 'find' | 'register'>;
  readonly registrations: Pick<Registrations, 'record'>;
  readonly listings: Pick<Listings, 'wantRepublish'>;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * Registers one row and remembers how that went. It is remembered last: after a crash, the next attempt finds out again that DCM has
 * forgotten the statuses. @throws UnavailableError where it cannot be remembered.
 */
const registerRow =
  ({ registryOf, registrations, listings, now, log, meter }: RowParts) =>
  async (row: ProviderRow, remembered: Registration | undefined): Promise<Registration> => {
    const { id, region, registration } = row;
    const registry = registryOf(row);
    const found = await registry.find(id);
    const sentAt = Math.floor(now() / 1000);
    const answer = await registry.register(id, { ...registration, metadata: metadataOf(region, sentAt) });
    const at = Math.floor(now() / 1000);

    tell(answer);
    const isForgotten = answer.outcome === 'registered' && hasForgotten(remembered, found, answer);
    if (isForgotten)
      log.info('DCM has a new or a restored row: every status of the region is published again', { region });
    const republishes = isForgotten || (answer.outcome === 'registered' && isDue(row, remembered, at));
    if (republishes) await listings.wantRepublish(region, at);
    const republishedAt = republishes ? at : remembered?.republishedAt;
    const became = {
      ...registrationOf(answer, remembered, { at, sentAt }),
      ...{ providerId: id, republishedAt },
    };
    await registrations.record(registration.name, became);
    return became;

    function tell(told: RegistrationAnswer) {
      const fields = { row: registration.name, id, ...('detail' in told && { detail: told.detail }) };
      if (told.outcome === 'refused' && !isKnownConflict(told, remembered))
        log.error('DCM refuses to register a row', fields);
      if (told.outcome === 'unreachable') log.warn('DCM cannot be reached to register a row', fields);
      if (told.outcome === 'registered' && remembered?.outcome !== 'registered')
        log.info('DCM has registered a row', fields);
      countOutcome(meter, told.outcome);
    }
  };

/** It is tried every minute, and said once. */
const isKnownConflict = (
  { isConflict, detail }: Extract<RegistrationAnswer, { outcome: 'refused' }>,
  remembered: Registration | undefined,
): boolean => isConflict === true && detail === remembered?.detail;

/** Counted as long as it lasts, not only when it happens, so that the alarm does. */
const countOutcome = (meter: Meter, outcome: Registration['outcome']): void => {
  if (outcome === 'refused') meter.count('registrationRefused');
  if (outcome === 'unreachable') meter.count('registrationUnreachable');
};

const isDue = ({ registry }: ProviderRow, remembered: Registration | undefined, at: number): boolean =>
  registry.kind === 'agent' && at - (remembered?.republishedAt ?? 0) >= republishSeconds;

const metadataOf = (region: string, sentAt: number) => ({
  ...{ region_code: region, registered_at: new Date(sentAt * 1000).toISOString() },
});

type Times = { readonly at: number; readonly sentAt: number };

const registrationOf = (
  answer: RegistrationAnswer,
  remembered: Registration | undefined,
  { at, sentAt }: Times,
): Omit<Registration, 'providerId'> => {
  if (answer.outcome === 'registered')
    return {
      ...{ outcome: 'registered', detail: 'DCM has the row', at },
      ...{ rowCreatedAt: answer.row.createdAt, registeredAt: sentAt },
    };
  const { outcome, detail } = answer;
  const { rowCreatedAt, registeredAt } = remembered ?? {};
  return { outcome, detail, at, rowCreatedAt, registeredAt, nextAttemptAt: nextAttemptAt(answer, at) };
};

const nextAttemptAt = (
  answer: Exclude<RegistrationAnswer, { outcome: 'registered' }>,
  at: number,
): number | undefined => {
  if (answer.outcome === 'refused') return answer.isConflict ? undefined : at + refusedPauseSeconds;
  if (answer.retryAfterSeconds === undefined) return undefined;
  return at + Math.min(answer.retryAfterSeconds, longestPauseSeconds);
};

type Registered = Extract<RegistrationAnswer, { outcome: 'registered' }>;

/**
 * Whether a registry has lost rows or was restored from a backup, so that DCM may have lost statuses with it and every current one is
 * published again. Its row is new, or holds an older registration than the last that it accepted. DCM's own `update_time` does not show
 * it: its health checks write that, too.
 */
export const hasForgotten = (
  remembered: Pick<Registration, 'rowCreatedAt' | 'registeredAt'> | undefined,
  found: HeldRow | undefined,
  { isNew, row }: Registered,
): boolean =>
  isNew ||
  differs(row.createdAt, remembered?.rowCreatedAt) ||
  isEarlier(found?.registeredAt, remembered?.registeredAt);

/** A row that was made anew, of which we missed the answer that said so. */
const differs = (now: number | undefined, remembered: number | undefined) =>
  now !== undefined && remembered !== undefined && now !== remembered;

const isEarlier = (found: number | undefined, remembered: number | undefined) =>
  found !== undefined && remembered !== undefined && found < remembered;

type WithdrawRowsParts = {
  /** A control plane of the older generation; undefined where the rows are at environment agents, which cannot remove them. */
  readonly controlPlane: Pick<ProviderRegistry, 'withdraw'> | undefined;
  readonly registrations: Pick<Registrations, 'forget'>;
  readonly log: Log;
};

/**
 * Takes rows out of DCM's registry as far as it lets us: a stack that is deleted must not wait for a DCM that is gone.
 * @throws UnavailableError where the fleet table failed.
 */
export const withdrawRows =
  ({ controlPlane, registrations, log }: WithdrawRowsParts) =>
  async (rowNames: readonly string[]): Promise<void> => {
    await Promise.all(
      rowNames.map(async (row) => {
        const { outcome, detail } = (await controlPlane?.withdraw(providerIdOf(row))) ?? keptByAgent;
        if (outcome === 'withdrawn') log.info('a row is withdrawn from DCM', { row, detail });
        else log.warn('DCM keeps a row that is no more', { row, detail });
        await registrations.forget(row);
      }),
    );
  };

const keptByAgent = {
  ...{
    outcome: 'refused',
    detail: 'an environment agent keeps it until its AGENT_SP_PERSISTENCE_PATH is cleared',
  },
} as const;
