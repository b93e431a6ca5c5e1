import type { Clock } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { ProviderRegistry, RegistrationAnswer } from '../../shared/ports/provider-registry.ts';
import type { Registration, Registrations } from '../../shared/ports/registrations.ts';
import { hasForgotten } from './has-forgotten.ts';
import type { ProviderRow } from './provider-rows.ts';

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
export const registerRow =
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
export const countOutcome = (meter: Meter, outcome: Registration['outcome']): void => {
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
