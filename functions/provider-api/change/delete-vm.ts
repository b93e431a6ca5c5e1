import { isLaunched } from '../../../shared/domain/vm-record.ts';
import type { VmRecords } from '../../../shared/ports/vm-records.ts';
import { awaitCreation, type WaitingParts } from '../create/await-creation.ts';
import { instanceLeftBehind, type SearchParts } from '../create/instance-left-behind.ts';
import { type TerminationParts, terminateVm } from './terminate-vm.ts';

/** DCM waits ten seconds for the answer; EC2 may take the rest of them. */
const creationWithinMs = 5_000;

type Parts = TerminationParts &
  WaitingParts &
  SearchParts & { readonly records: Pick<VmRecords, 'requestDelete' | 'abandon'> };

/**
 * Deletes a VM. Resolves once EC2 has taken the request, and also where there is no such VM (any more): DCM takes a 404 for a failure. A
 * creation that is under way is told, and waited for; what a crashed one may have left is looked for.
 * @throws FailedPreconditionError where the instance is protected from termination, or adopted; UnavailableError where it has to be asked again.
 */
export const deleteVm = (parts: Parts) => {
  const { records, now } = parts;
  const finished = awaitCreation(parts);
  const leftBehind = instanceLeftBehind(parts);
  const terminate = terminateVm(parts);

  return async (vmId: string, requestId: string): Promise<void> => {
    const marked = await records.requestDelete(vmId);
    const record = marked && (await finished(marked, now() + creationWithinMs));
    if (!record) return;
    const launched = isLaunched(record) ? record : await leftBehind(record);
    await (launched ? terminate(launched, requestId) : records.abandon(record));
  };
};
