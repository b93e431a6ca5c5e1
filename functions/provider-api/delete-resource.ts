import { FailedPreconditionError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { hasEnded, isLaunched, type LaunchedRecord } from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { VmRecords } from '../../shared/ports/records.ts';
import type { Recollection, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { recollectionOf } from '../../shared/service-types/vm/resource.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import {
  aboutInstance,
  type CheckParts,
  checkInstance,
  type TerminatingParts,
  terminateInstance,
} from './check-instance.ts';
import { awaitCreation, type WaitingParts } from './create-resource.ts';
import { orphanedInstance, type SearchParts } from './launch-vm.ts';

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
  const orphan = orphanedInstance(parts);
  const terminate = terminateVm(parts);

  return async (vmId: string, requestId: string): Promise<void> => {
    const marked = await records.requestDelete(vmId);
    const record = marked && (await finished(marked, now() + creationWithinMs));
    if (!record) return;
    const launched = isLaunched(record) ? record : await orphan(record);
    await (launched ? terminate(launched, requestId) : records.abandon(record));
  };
};

export type TerminationParts = TerminatingParts &
  CheckParts & {
    readonly records: Pick<VmRecords, 'withdrawDelete' | 'end'>;
    readonly resourceStore: Pick<ResourceStore, 'recall' | 'requestDelete'>;
    readonly observations: Observations;
    readonly now: Clock;
    readonly log: Log;
  };

/** What EC2 was asked for this short a while ago, it is busy with. */
const busyForMs = 60_000;

/**
 * Has EC2 terminate a VM whose deletion was asked for. Replays do no more than is needed. Resolves when EC2 has taken the request; DELETING
 * and DELETED follow by the normaliser. Where the instance is not the VM any more, the VM is gone, and EC2 is not asked.
 * @throws FailedPreconditionError where the instance is protected from termination, or adopted; the deletion counts as not asked for then.
 * What else terminateInstance throws.
 */
export const terminateVm = (parts: TerminationParts) => {
  const { records, resourceStore, observations, now, log } = parts;
  const terminate = terminateInstance(parts);
  const isItsInstance = checkInstance(parts);

  const tell = async (record: LaunchedRecord, requestId: string): Promise<void> => {
    await resourceStore.requestDelete(record.instanceId);
    const at = listingTime(now());
    const leaving = { ...aboutInstance(record, requestId), at, state: 'shutting-down' } as const;
    await observations.send([instanceObservedEvent(leaving)]);
  };

  return async (record: LaunchedRecord, requestId: string): Promise<void> => {
    const { vmId, instanceId, region, facts } = record;
    const held = await recollectionOf(resourceStore, record);
    if (hasEnded(record, held, now())) return records.end(vmId, instanceId);
    if (isUnderWay(record, held, now())) return;
    try {
      if (!(await isItsInstance(record))) return await records.end(vmId, instanceId);
      await terminate({ instanceId, region, launchedAtMs: facts.launchedAtMs });
    } catch (error) {
      if (error instanceof FailedPreconditionError) await records.withdrawDelete(vmId);
      throw error;
    }
    await tell(record, requestId).catch((error: unknown) =>
      log.warn('the normaliser was not told of a termination; EC2 tells it', { vmId, instanceId, error }),
    );
  };
};

const isUnderWay = ({ deleteRequestedAtMs }: LaunchedRecord, held: Recollection, nowMs: number): boolean => {
  if (held.owner !== 'us') return false;
  const { state, deleteRequested } = held.vm;
  const justAsked = deleteRequested === true && nowMs - (deleteRequestedAtMs ?? 0) < busyForMs;
  return state === 'shutting-down' || justAsked;
};
