import {
  hasEnded,
  isLaunched,
  type LaunchedRecord,
  type VmRecord,
} from '../../../shared/domain/vm-record.ts';
import type { Fleet, Recollection } from '../../../shared/ports/fleet.ts';

/** What the fleet remembers of a record's instance. */
export const recollectionOf = async (
  fleet: Pick<Fleet, 'recall'>,
  { instanceId }: LaunchedRecord,
): Promise<Recollection> => (await fleet.recall([instanceId])).get(instanceId) ?? { owner: 'unknown' };

/** There is no such VM any more. One whose launch failed is there, FAILED, until DCM deletes it. */
export const isGone = (record: VmRecord, held: Recollection, nowMs: number): boolean => {
  if (!isLaunched(record) || !hasEnded(record, held, nowMs)) return false;
  const hasFailed =
    held.owner === 'us' && held.vm.vmId === record.vmId && held.vm.latest?.status === 'FAILED';
  return !hasFailed || record.deleteRequestedAtMs !== undefined || record.endedAtMs !== undefined;
};
