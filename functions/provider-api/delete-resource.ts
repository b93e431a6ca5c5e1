import { FailedPreconditionError } from '../../shared/core/errors.ts';
import { finalState } from '../../shared/core/kind.ts';
import { isRecentlyLaunched } from '../../shared/core/ownership.ts';
import {
  type Facts,
  hasEnded,
  isLaunched,
  isLeased,
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
  /** As `terminateResource` makes it. */
  readonly terminate: (record: LaunchedRecord<Launch, Known>, requestId: string) => Promise<boolean>;
  readonly now: Clock;
};

/**
 * Deletes a resource. Resolves once its termination was requested, and also where there is no such resource, since DCM takes a 404 for a
 * failure. A creation under way sees the request and is waited for; the orphan of an interrupted one is looked for.
 * @throws FailedPreconditionError where the resource has termination protection, or is adopted; UnavailableError where a retry is needed.
 */
export const deleteResource = <Launch, Known extends Facts>(parts: Parts<Launch, Known>) => {
  const { records, creationOf, now } = parts;
  const end = endResource(parts);
  return async (dcmId: string, requestId: string): Promise<void> => {
    const requested = await records.requestDelete(dcmId);
    const record = requested && (await creationOf(requested, now() + creationTimeoutMs));
    if (record) await end(record, requestId);
  };
};

/**
 * Deletes a resource whose deletion is recorded, where the request that recorded it may have ended too early. Leaves alone what a create
 * has the lease of, since it sees the deletion, and for two minutes a creation that has recorded no resource: its service may not show the
 * orphan before.
 * @returns whether anything was left to do. @throws as `deleteResource`.
 */
export const completeDeletion = <Launch, Known extends Facts>(
  parts: Omit<Parts<Launch, Known>, 'records' | 'creationOf'> & {
    readonly records: Pick<Records<Launch, Known>, 'read' | 'abandon'>;
  },
) => {
  const { records, now } = parts;
  const end = endResource(parts);
  return async (dcmId: string, requestId: string): Promise<boolean> => {
    const record = await records.read(dcmId);
    if (record?.deleteRequestedAtMs === undefined || isLeased(record, now())) return false;
    if (!isLaunched(record) && isRecentlyLaunched(record.updatedAtMs, now())) return false;
    return end(record, requestId);
  };
};

const endResource =
  <Launch, Known extends Facts>({
    records,
    orphanOf,
    terminate,
  }: Pick<Parts<Launch, Known>, 'orphanOf' | 'terminate'> & {
    readonly records: Pick<Records<Launch, Known>, 'abandon'>;
  }) =>
  async (record: ResourceRecord<Launch, Known>, requestId: string): Promise<boolean> => {
    const launched = isLaunched(record) ? record : await orphanOf(record);
    if (launched) return terminate(launched, requestId);
    await records.abandon(record);
    return false;
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
 * @returns whether this call ended it; false where it has ended already, or is ending.
 * @throws FailedPreconditionError where the resource has termination protection, or is adopted: its deletion is withdrawn; what
 * `terminate` of the service type throws; UnavailableError where the end of a resource that has ended already was not queued, since nothing
 * else would report it.
 */
export const terminateResource = <Launch, Known extends Facts>(parts: TerminationParts<Launch, Known>) => {
  const { records, resourceStore, type, isStillIt, observations, now, log } = parts;
  const { kind } = type.format;

  return async (record: LaunchedRecord<Launch, Known>, requestId: string): Promise<boolean> => {
    const held = await ownershipOf(resourceStore, record);
    if (hasEnded(record, held, now())) {
      await records.end(record.dcmId, record.resourceId);
      return false;
    }
    if (hasStayed(held)) {
      await announce(record, lastState(), requestId);
      return true;
    }
    return !isTerminating(record, held, now()) && terminate(record, requestId);
  };

  async function terminate(record: LaunchedRecord<Launch, Known>, requestId: string): Promise<boolean> {
    const announced = await end(record);
    if (announced === undefined) return false;
    const warn = warning(record);
    await announce(record, announced, requestId).catch(
      warn('the observation of a termination was not queued; an event or a listing will report it'),
    );
    return true;
  }

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
