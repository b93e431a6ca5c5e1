import { UnavailableError } from '../../../shared/core/errors.ts';
import { isInHand, type VmRecord } from '../../../shared/core/record.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { VmRecords } from '../../../shared/ports/records.ts';

const pollMs = 200;

export type WaitingParts = {
  readonly records: Pick<VmRecords, 'read'>;
  readonly now: Clock;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
};

/**
 * Waits while somebody else has the creation of a VM in hand.
 * @returns the record, with an instance or with a lease that has run out; undefined where the creation was refused.
 * @throws UnavailableError where that takes until `deadlineMs`.
 */
export const awaitCreation = ({ records, now, pause }: WaitingParts) => {
  const settled = async (seen: VmRecord, deadlineMs: number): Promise<VmRecord | undefined> => {
    if (!isInHand(seen, now())) return seen;
    if (now() + pollMs > deadlineMs)
      throw new UnavailableError(`${seen.vmId} is still being created by an earlier request; try it again`);
    await pause(pollMs);
    const record = await records.read(seen.vmId);
    return record?.generation === seen.generation ? settled(record, deadlineMs) : undefined;
  };
  return settled;
};
