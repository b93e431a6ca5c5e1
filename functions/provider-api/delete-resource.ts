import { FailedPreconditionError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { hasEnded, isLaunched } from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import type { LaunchedVmRecord, VmRecord, VmRecords } from '../../shared/service-types/vm/record.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import { aboutInstance } from './check-instance.ts';
import type { awaitCreation } from './create-resource.ts';
import { ownershipOf } from './read-resources.ts';

/** DCM waits ten seconds for the answer; the rest is for EC2. */
const creationTimeoutMs = 5_000;

type Parts = {
  readonly records: Pick<VmRecords, 'requestDelete' | 'abandon'>;
  readonly creationOf: ReturnType<typeof awaitCreation>;
  /** Finds what a failed creation left running. */
  readonly orphanOf: (creation: VmRecord) => Promise<LaunchedVmRecord | undefined>;
  readonly terminate: ReturnType<typeof terminateResource>;
  readonly now: Clock;
};

/**
 * Deletes a resource. Resolves once its termination was requested, and also where there is no such resource, since DCM takes a 404 for a
 * failure. A creation under way sees the request and is waited for; the orphan of an interrupted one is looked for.
 * @throws FailedPreconditionError where the resource has termination protection, or is adopted; UnavailableError where a retry is needed.
 */
export const deleteResource =
  ({ records, creationOf, orphanOf, terminate, now }: Parts) =>
  async (dcmId: string, requestId: string): Promise<void> => {
    const requested = await records.requestDelete(dcmId);
    const record = requested && (await creationOf(requested, now() + creationTimeoutMs));
    if (!record) return;
    const launched = isLaunched(record) ? record : await orphanOf(record);
    await (launched ? terminate(launched, requestId) : records.abandon(record));
  };

type TerminationParts = {
  readonly records: Pick<VmRecords, 'withdrawDelete' | 'end'>;
  readonly resourceStore: Pick<ResourceStore, 'read' | 'requestDelete'>;
  /** Whether what the record names still is the resource. @throws FailedPreconditionError where it must not be changed. */
  readonly isStillIt: (record: LaunchedVmRecord) => Promise<boolean>;
  /** Resolves also where it is terminated already. @throws FailedPreconditionError where it is protected. */
  readonly requestTermination: (record: LaunchedVmRecord) => Promise<void>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/** A termination that was requested within this time is not requested again. */
const terminatingForMs = 60_000;

/**
 * Terminates a resource whose deletion was requested. Idempotent. Resolves when the termination was requested; the normaliser publishes
 * DELETING and DELETED. Where the record's instance no longer is the resource, the resource has ended and nothing is terminated.
 * @throws FailedPreconditionError where the resource has termination protection, or is adopted: its deletion is withdrawn; what
 * `requestTermination` throws.
 */
export const terminateResource = (parts: TerminationParts) => {
  const { records, resourceStore, isStillIt, requestTermination, observations, now, log } = parts;

  return async (record: LaunchedVmRecord, requestId: string): Promise<void> => {
    const { dcmId, resourceId } = record;
    const held = await ownershipOf(resourceStore, record);
    if (hasEnded(record, held, now())) return records.end(dcmId, resourceId);
    if (isTerminating(record, held, now())) return;
    try {
      if (!(await isStillIt(record))) return await records.end(dcmId, resourceId);
      await requestTermination(record);
    } catch (error) {
      if (error instanceof FailedPreconditionError) await records.withdrawDelete(dcmId);
      throw error;
    }
    await announce(record, requestId);
  };

  /** Stores the request first: with it, the normaliser reports the end as DELETED. EC2 has accepted the termination, so neither throws. */
  async function announce(record: LaunchedVmRecord, requestId: string): Promise<void> {
    const { dcmId, resourceId } = record;
    const warn = (message: string) => (error: unknown) => log.warn(message, { dcmId, resourceId, error });
    await resourceStore
      .requestDelete(resourceId)
      .catch(warn('the deletion was not stored in the resource store; EC2’s reason decides the last status'));
    const about = { ...aboutInstance(record, requestId), at: listingTime(now()) };
    await observations
      .send([instanceObservedEvent({ ...about, state: 'shutting-down' })])
      .catch(warn('the observation of a termination was not queued; an event of EC2 will report it'));
  }
};

const isTerminating = (
  { deleteRequestedAtMs }: LaunchedVmRecord,
  held: Ownership,
  nowMs: number,
): boolean => {
  if (held.owner !== 'ours') return false;
  const { state, deleteRequested } = held.vm;
  const wasJustRequested = deleteRequested === true && nowMs - (deleteRequestedAtMs ?? 0) < terminatingForMs;
  return state === 'shutting-down' || wasJustRequested;
};
