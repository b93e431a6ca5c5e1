import { createHash } from 'node:crypto';
import { FailedPreconditionError, UnavailableError } from '../../shared/core/errors.ts';
import {
  type CreateRequest,
  hasEnded,
  isLaunched,
  isLeased,
  refuseDeleted,
} from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import type { LaunchedVmRecord, VmRecord, VmRecords } from '../../shared/service-types/vm/record.ts';
import { instanceObservedEvent, republicationRequestedEvent } from '../../shared/wire/own-messages.ts';
import { aboutInstance } from './check-instance.ts';
import { type AnswerOf, ownershipOf } from './read-resources.ts';
import { withTimeout } from './timeout.ts';

/** DCM waits ten seconds for the answer; the rest is for the network. */
const answerTimeoutMs = 9_000;
/** How much of that is left for the announcement when the launch must have ended. */
const announcementTimeoutMs = 1_500;
/** Longer than a request works on a creation, so that never two requests do at once. */
const leaseMs = 11_000;
/** Requests for one resource that come this close together get the same answer, whatever its status has become since. */
const sameAnswerForMs = 10_000;

export type CreateAsked<Spec> = {
  readonly dcmId: string;
  readonly region: string;
  readonly spec: Spec;
  readonly requestId: string;
  /** The request of an environment agent, where the caller named one by Idempotency-Key. */
  readonly request?: Omit<CreateRequest, 'specDigest'> | undefined;
};
type Asked<Spec> = Omit<CreateAsked<Spec>, 'request'> & { readonly request: CreateRequest | undefined };

type Launch<Spec> = (
  record: VmRecord,
  asked: {
    readonly spec: Spec;
    readonly requestId: string;
    /** Milliseconds since 1970. After it, nothing is started any more. */
    readonly deadlineMs: number;
  },
) => Promise<LaunchedVmRecord | undefined>;

type Parts<Spec, Answer> = AnnouncementParts & {
  readonly records: Pick<VmRecords, 'begin'>;
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  /** Launches the resource of a record whose lease the caller holds. Undefined: the creation must be begun again. */
  readonly launch: Launch<Spec>;
  readonly terminate: (record: LaunchedVmRecord, requestId: string) => Promise<void>;
  readonly creationOf: ReturnType<typeof awaitCreation>;
  /** @throws FailedPreconditionError where the record's resource must not be changed. */
  readonly refuseAdopted: (record: LaunchedVmRecord) => void;
  readonly answerOf: AnswerOf<Answer>;
};

/**
 * Creates a resource, or answers the one that has the id already, whatever its spec: after a 409, DCM would forget a resource that exists.
 * Answers within ten seconds.
 * @throws FailedPreconditionError while the resource with this id is being deleted, where an adopted one has the id, and where the request
 * must not create another one; UnavailableError where the outcome is unknown and a retry will find it; what `launch` throws.
 */
export const createResource = <Spec, Answer>(parts: Parts<Spec, Answer>) => {
  const { records, resourceStore, launch, terminate, creationOf, refuseAdopted, answerOf, now } = parts;
  const { announce, requestRepublication } = announcement(parts);

  return ({ request, ...asked }: CreateAsked<Spec>): Promise<Answer> => {
    const withDigest = request && { ...request, specDigest: specDigest(asked.spec) };
    return create({ ...asked, request: withDigest }, now() + answerTimeoutMs);
  };

  async function create(asked: Asked<Spec>, deadlineMs: number, after?: LaunchedVmRecord): Promise<Answer> {
    const { dcmId, region, request } = asked;
    if (now() >= deadlineMs)
      throw new UnavailableError(`${dcmId} was not created in time; retry the request`);
    const beginning = { dcmId, region, leaseMs, request, ...(after && { after }) };
    const { outcome, record } = await records.begin(beginning);
    if (outcome === 'held') return existing(record, asked, deadlineMs);
    const launched = await launch(record, { ...asked, deadlineMs: deadlineMs - announcementTimeoutMs });
    return launched ? created(launched, asked.requestId) : create(asked, deadlineMs);
  }

  async function created(record: LaunchedVmRecord, requestId: string): Promise<Answer> {
    await announce(record, requestId);
    if (record.deleteRequestedAtMs === undefined) return answerOf(record, { owner: 'unknown' }, now());
    await terminate(record, requestId);
    throw new FailedPreconditionError(`${record.dcmId} was deleted while it was being created`);
  }

  /** The id has a record already: of a creation under way, of a resource, or of one that has ended. */
  async function existing(found: VmRecord, asked: Asked<Spec>, deadlineMs: number): Promise<Answer> {
    const { request, requestId } = asked;
    if (!isLaunched(found)) refuseDeleted(found, request);
    const record = isLaunched(found) ? found : await createdByOther(found, deadlineMs);
    if (!isLaunched(record)) return create(asked, deadlineMs); // the other request's lease has run out
    const held = await ownershipOf(resourceStore, record);
    if (hasEnded(record, held, now())) {
      refuseSecondResource(record, request);
      return create(asked, deadlineMs, record);
    }
    refuseUnusable(record);
    refuseAnotherSpec(record, request);
    await (held.owner === 'unknown' ? announce(record, requestId) : requestRepublication(record));
    const isSameAnswer = now() - record.updatedAtMs < sameAnswerForMs;
    return answerOf(record, isSameAnswer ? { owner: 'unknown' } : held, now());
  }

  function refuseUnusable(record: LaunchedVmRecord): void {
    if (record.deleteRequestedAtMs !== undefined) throw beingDeleted(record);
    refuseAdopted(record);
  }

  async function createdByOther(found: VmRecord, deadlineMs: number): Promise<VmRecord> {
    if (found.deleteRequestedAtMs !== undefined) throw beingDeleted(found);
    const record = await creationOf(found, deadlineMs);
    if (record) return record;
    throw new UnavailableError(`an earlier request to create ${found.dcmId} failed; retry the request`);
  }
};

const beingDeleted = ({ dcmId }: VmRecord) =>
  new FailedPreconditionError(`${dcmId} is being deleted; this create is refused`);

/** Equal for specs with equal fields, in any order. */
const specDigest = (spec: unknown): string =>
  createHash('sha256').update(JSON.stringify(spec, sortedFields)).digest('base64url');

const sortedFields = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/**
 * One request creates one resource. JetStream delivers a request again where the agent did not acknowledge it, and the request's resource
 * may have ended in between.
 * @throws FailedPreconditionError where the ended resource was created by this request, or where DCM deleted it.
 */
const refuseSecondResource = (ended: LaunchedVmRecord, request: CreateRequest | undefined): void => {
  refuseDeleted(ended, request);
  if (request !== undefined && ended.requestKey === request.key)
    throw new FailedPreconditionError(
      `the request ${request.key} created ${ended.dcmId}, which does not exist any more; one request creates one resource`,
    );
};

/**
 * DCM repeats a create that it got no answer to, under another key and with the same spec. A create with another spec is meant for another
 * resource.
 * @throws FailedPreconditionError where another request, with another spec, created the resource.
 */
const refuseAnotherSpec = (record: LaunchedVmRecord, request: CreateRequest | undefined): void => {
  if (request === undefined || record.requestKey === undefined || record.requestKey === request.key) return;
  if (record.specDigest === request.specDigest) return;
  throw new FailedPreconditionError(
    `${record.dcmId} was created by the request ${record.requestKey}, whose spec differs from that of ${request.key}`,
  );
};

const pollIntervalMs = 200;

type WaitingParts = {
  readonly records: Pick<VmRecords, 'read'>;
  readonly now: Clock;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
};

/**
 * Waits while another request holds the lease of a creation.
 * @returns the record, launched or with an expired lease; undefined where the creation was refused.
 * @throws UnavailableError where the lease is still held at `deadlineMs`.
 */
export const awaitCreation = ({ records, now, pause }: WaitingParts) => {
  const settled = async (seen: VmRecord, deadlineMs: number): Promise<VmRecord | undefined> => {
    if (!isLeased(seen, now())) return seen;
    if (now() + pollIntervalMs > deadlineMs)
      throw new UnavailableError(
        `${seen.dcmId} is still being created by an earlier request; retry the request`,
      );
    await pause(pollIntervalMs);
    const record = await records.read(seen.dcmId);
    return record?.generation === seen.generation ? settled(record, deadlineMs) : undefined;
  };
  return settled;
};

/** For each write, since the caller waits. */
const announcementStepTimeoutMs = 750;
/** By then DCM has stored our answer. DCM drops statuses that it receives before. */
const republishAfterSeconds = 5;

type AnnouncementParts = {
  readonly resourceStore: Pick<ResourceStore, 'claim'>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Claims a launched instance in the resource store, and queues its first observation for the normaliser. Idempotent. Never rejects: an
 * answer that the creation failed would be wrong, and the instance's tags and events make up for a missing announcement.
 */
const announcement = ({ resourceStore, observations, now, log }: AnnouncementParts) => {
  const logFailure = (failed: string, dcmId: string, step: Promise<void>): Promise<void> =>
    withTimeout(announcementStepTimeoutMs, 'the resource store or the queue', step).catch((error: unknown) =>
      log.warn(failed, { dcmId, error }),
    );

  const requestRepublication = ({ dcmId, resourceId, region, account }: LaunchedVmRecord): Promise<void> => {
    const about = { 'instance-id': resourceId, region, account, at: Math.floor(now() / 1000) };
    const sent = observations.send([republicationRequestedEvent(about)], republishAfterSeconds);
    return logFailure('the republication of a launched resource was not queued', dcmId, sent);
  };

  const announce = async (record: LaunchedVmRecord, requestId: string): Promise<void> => {
    const { dcmId, resourceId, region, account, facts } = record;
    const { privateAddress, getsPublicAddress, isWindows } = facts;
    const addresses = { privateAddress, getsPublicAddress, isWindows };
    const claimed = resourceStore.claim({ resourceId, dcmId, region, account, ...addresses });
    await logFailure('a launched resource was not claimed in the resource store', dcmId, claimed);
    const pending = instanceObservedEvent({
      ...aboutInstance(record, requestId),
      ...{ at: Math.floor(facts.launchedAtMs / 1000), state: 'pending', privateAddress, isWindows },
    });
    await Promise.all([
      logFailure(
        'the observation of a launched resource was not queued',
        dcmId,
        observations.send([pending]),
      ),
      requestRepublication(record),
    ]);
  };

  return { announce, requestRepublication };
};
