import type { Clock } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { ProviderRegistry, RegistrationAnswer } from '../../shared/ports/provider-registry.ts';
import type { Registration, Registrations } from '../../shared/ports/registrations.ts';
import { hasForgotten } from './has-forgotten.ts';
import type { ProviderRow } from './provider-rows.ts';

/** A refusal clears when somebody changes something: no hurry, and no noise in DCM's log. */
const refusedPauseSeconds = 600;
/** DCM can ask for no longer a pause. */
const longestPauseSeconds = 3600;

export type RowParts = {
  readonly registry: ProviderRegistry;
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
  ({ registry, registrations, listings, now, log, meter }: RowParts) =>
  async (row: ProviderRow, remembered: Registration | undefined): Promise<Registration> => {
    const { id, region, registration } = row;
    const found = await registry.find(id);
    const answer = await registry.register(id, registration);
    const at = Math.floor(now() / 1000);

    tell(answer);
    if (answer.outcome === 'registered' && hasForgotten(remembered, found, answer)) {
      log.info('DCM is to be told every status of the region once more', { region });
      await listings.wantRepublish(region, at);
    }
    const became = { ...registrationOf(answer, remembered, at), providerId: id };
    await registrations.record(registration.name, became);
    return became;

    function tell(told: RegistrationAnswer) {
      const fields = { row: registration.name, id, ...('detail' in told && { detail: told.detail }) };
      if (told.outcome === 'refused') log.error('DCM refuses to register a row', fields);
      if (told.outcome === 'unreachable') log.warn('DCM cannot be reached to register a row', fields);
      if (told.outcome === 'registered' && remembered?.outcome !== 'registered')
        log.info('DCM has registered a row', fields);
      countOutcome(meter, told.outcome);
    }
  };

/** Counted as long as it lasts, not only when it happens, so that the alarm does. */
export const countOutcome = (meter: Meter, outcome: Registration['outcome']): void => {
  if (outcome === 'refused') meter.count('registrationRefused');
  if (outcome === 'unreachable') meter.count('registrationUnreachable');
};

const registrationOf = (
  answer: RegistrationAnswer,
  remembered: Registration | undefined,
  at: number,
): Omit<Registration, 'providerId'> => {
  if (answer.outcome === 'registered')
    return {
      ...{ outcome: 'registered', detail: 'DCM has the row', at },
      ...{ rowCreatedAt: answer.row.createdAt, rowUpdatedAt: answer.row.updatedAt },
    };
  const { outcome, detail } = answer;
  const { rowCreatedAt, rowUpdatedAt } = remembered ?? {};
  return { outcome, detail, at, rowCreatedAt, rowUpdatedAt, nextAttemptAt: nextAttemptAt(answer, at) };
};

const nextAttemptAt = (
  answer: Exclude<RegistrationAnswer, { outcome: 'registered' }>,
  at: number,
): number | undefined => {
  if (answer.outcome === 'refused') return at + refusedPauseSeconds;
  if (answer.retryAfterSeconds === undefined) return undefined;
  return at + Math.min(answer.retryAfterSeconds, longestPauseSeconds);
};
