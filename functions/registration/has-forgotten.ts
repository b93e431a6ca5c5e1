import type { HeldRow, RegistrationAnswer } from '../../shared/ports/provider-registry.ts';
import type { Registration } from '../../shared/ports/registrations.ts';

type Registered = Extract<RegistrationAnswer, { outcome: 'registered' }>;

/**
 * Whether DCM knows less than it was told, so that every current status is to be told once more. It was made anew, when its row is: at the
 * first registration, or because the registry was lost. It was restored from a backup, when the row as it was found had been written last
 * before we last had it written, which happens every minute.
 */
export const hasForgotten = (
  remembered: Pick<Registration, 'rowCreatedAt' | 'rowUpdatedAt'> | undefined,
  found: HeldRow | undefined,
  { isNew, row }: Registered,
): boolean =>
  isNew ||
  differs(row.createdAt, remembered?.rowCreatedAt) ||
  isEarlier(found?.updatedAt, remembered?.rowUpdatedAt);

/** A row that was made anew, of which we missed the answer that said so. */
const differs = (now: number | undefined, remembered: number | undefined) =>
  now !== undefined && remembered !== undefined && now !== remembered;

const isEarlier = (found: number | undefined, remembered: number | undefined) =>
  found !== undefined && remembered !== undefined && found < remembered;
