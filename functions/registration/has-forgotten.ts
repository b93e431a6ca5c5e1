import type { HeldRow, RegistrationAnswer } from '../../shared/ports/provider-registry.ts';
import type { Registration } from '../../shared/ports/registrations.ts';

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
