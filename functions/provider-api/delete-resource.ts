import { FailedPreconditionError } from '../../shared/core/errors.ts';
import { finalState } from '../../shared/core/kind.ts';
import {
  type Facts,
  hasEnded,
  isLaunched,
  type LaunchedRecord,
  type ResourceRecord,
} from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import { aboutResource } from './check-resource.ts';
import type { Announced, Lifecycle } from './lifecycle.ts';
import { ownershipOf } from './read-resources.ts';

/** DCM waits ten seconds for the answer; the rest is for EC2. */
const creationTimeoutMs = 5_000;

type Parts<Launch, Known extends Facts> = {
  readonly records: Pick<Records<Launch, Known>, 'requestDelete' | 'abandon'>;
  /** As `awaitCreation` makes it. */
  readonly creationOf: (
    seen: ResourceRecord<Launch, Known>,
    deadlineMs: number,
  ) => Promise<ResourceRecord<Launch, Known> | undefined>;
  /** Finds what a failed creation left running. */
  readonly orphanOf: (
    creation: ResourceRecord<Launch, Known>,
  ) => Promise<LaunchedRecord<Launch, Known> | undefined>;
  readonly terminate: (record: LaunchedRecord<Launch, Known>, requestId: string) => Promise<void>;
  readonly now: Clock;
};

/**
 * Deletes a resource. Resolves once its termination was requested, and also where there is no such resource, since DCM takes a 404 for a
 * failure. A creation under way sees the request and is waited for; the orphan of an interrupted one is looked for.
 * @throws FailedPreconditionError where the resource has termination protection, or is adopted; UnavailableError where a retry is needed.
 */
export const deleteResource =
  <Launch, Known extends Facts>({ records, creationOf, orphanOf, terminate, now }: Parts<Launch, Known>) =>
  async (dcmId: string, requestId: string): Promise<void> => {
    const requested = await records.requestDelete(dcmId);
    const record = requested && (await creationOf(requested, now() + creationTimeoutMs));
    if (!record) return;
    const launched = isLaunched(record) ? record : await orphanOf(record);
    await (launched ? terminate(launched, requestId) : records.abandon(record));
  };

type TerminationParts<Launch, Known extends Facts> = {
  readonly records: Pick<Records<Launch, Known>, 'withdrawDelete' | 'end'>;
  readonly resourceStore: Pick<ResourceStore, 'read' | 'requestDelete'>;
  readonly type: Pick<
    Lifecycle<never, Launch, Known, never, never>,
    'format' | 'service' | 'terminate' | 'staysEnded'
  >;
  /** Whether what the record names still is the resource. @throws FailedPreconditionError where it must not be changed. */
  readonly isStillIt: (record: LaunchedRecord<Launch, Known>) => Promise<boolean>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/** A termination that was requested within this time is not requested again. */
const terminatingForMs = 60_000;

/**
 * Terminates a resource whose deletion was requested. Idempotent. Resolves when the termination was requested; the normaliser publishes
 * DELETING and DELETED. Where the record's resource no longer is the one of the id, it has ended and nothing is terminated.
 * @throws FailedPreconditionError where the resource has termination protection, or is adopted: its deletion is withdrawn; what
 * `terminate` of the service type throws; UnavailableError where the end of a resource that has ended already was not queued, since nothing
 * else would report it.
 */
export const terminateResource = <Launch, Known extends Facts>(parts: TerminationParts<Launch, Known>) => {
  const { records, resourceStore, type, isStillIt, observations, now, log } = parts;
  const { kind } = type.format;

  return async (record: LaunchedRecord<Launch, Known>, requestId: string): Promise<void> => {
    const held = await ownershipOf(resourceStore, record);
    if (hasEnded(record, held, now())) return records.end(record.dcmId, record.resourceId);
    if (hasStayed(held)) return announce(record, lastState(), requestId);
    if (isTerminating(record, held, now())) return;
    const announced = await end(record);
    const warn = warning(record);
    if (announced)
      await announce(record, announced, requestId).catch(
        warn('the observation of a termination was not queued; an event or a listing will report it'),
      );
  };

  function warning({ dcmId, resourceId }: LaunchedRecord<Launch, Known>) {
    return (message: string) => (error: unknown) => log.warn(message, { dcmId, resourceId, error });
  }

  function hasStayed(held: Ownership): boolean {
    return held.owner === 'ours' && type.staysEnded?.(held.vm) === true;
  }

  function lastState(): Announced {
    return { state: finalState(kind), at: Math.floor(now() / 1000) };
  }

  async function end(record: LaunchedRecord<Launch, Known>): Promise<Announced | undefined> {
    const { dcmId, resourceId } = record;
    try {
      if (await isStillIt(record)) return await type.terminate(record);
      await records.end(dcmId, resourceId);
      return undefined;
    } catch (error) {
      if (error instanceof FailedPreconditionError) await records.withdrawDelete(dcmId);
      throw error;
    }
  }

  /**
   * Stores the request first: with it, the normaliser reports the end as DELETED. A failure of that is only logged, since the service has
   * accepted the termination. @throws UnavailableError where the observation may not be queued.
   */
  async function announce(
    record: LaunchedRecord<Launch, Known>,
    announced: Announced,
    requestId: string,
  ): Promise<void> {
    const warn = warning(record);
    await resourceStore
      .requestDelete(record.resourceId)
      .catch(
        warn(
          `the deletion was not stored in the resource store; ${type.service}’s reason decides the last status`,
        ),
      );
    await observations.send([instanceObservedEvent({ ...aboutResource(record, requestId), ...announced })]);
  }
};

const isTerminating = (
  { deleteRequestedAtMs }: Pick<LaunchedRecord, 'deleteRequestedAtMs'>,
  held: Ownership,
  nowMs: number,
): boolean => {
  if (held.owner !== 'ours') return false;
  const { kind, state, deleteRequested } = held.vm;
  const wasJustRequested = deleteRequested === true && nowMs - (deleteRequestedAtMs ?? 0) < terminatingForMs;
  return wasJustRequested || (state !== undefined && kind.statusOf(state) === 'DELETING');
};
