import { createHash } from 'node:crypto';
import { FailedPreconditionError, UnavailableError } from '../../shared/core/errors.ts';
import type { Kind } from '../../shared/core/kind.ts';
import {
  type CreateRequest,
  type Facts,
  hasEnded,
  isLaunched,
  isLeased,
  type LaunchedRecord,
  type ResourceRecord,
  refuseDeleted,
} from '../../shared/core/record.ts';
import { type Target, targetKey, targetOfKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { instanceObservedEvent, republicationRequestedEvent } from '../../shared/wire/own-messages.ts';
import { aboutResource } from './check-resource.ts';
import type { Lifecycle } from './lifecycle.ts';
import { ownershipOf } from './read-resources.ts';
import { withTimeout } from './timeout.ts';

/** DCM waits ten seconds for the answer; the rest is for the network. */
const answerTimeoutMs = 9_000;
/** How much of that is left for the announcement when the launch must have ended. */
const announcementTimeoutMs = 1_500;
/** With less time left, a creation is not begun: it would only hold the lease, for which the next request then waits. */
const leastMs = announcementTimeoutMs + 1_000;
/** Longer than a request works on a creation, so that never two requests do at once. */
const leaseMs = 11_000;
/** Requests for one resource that come this close together get the same answer, whatever its status has become since. */
const sameAnswerForMs = 10_000;

export type CreateAsked<Spec> = Target & {
  readonly dcmId: string;
  readonly spec: Spec;
  readonly requestId: string;
  /** The request of an environment agent, where the caller named one by Idempotency-Key. */
  readonly request?: Omit<CreateRequest, 'specDigest'> | undefined;
};
type Asked<Spec> = Omit<CreateAsked<Spec>, 'request'> & { readonly request: CreateRequest | undefined };

type Parts<Spec, Launch, Known extends Facts, Answer> = AnnouncementParts<Known> & {
  readonly records: Pick<Records<Launch, Known>, 'begin'>;
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  readonly type: Pick<Lifecycle<Spec, Launch, Known, Answer, never>, 'answerOf'>;
  /**
   * Launches the resource of a record whose lease the caller holds; starts nothing after `deadlineMs`, in milliseconds since 1970.
   * Undefined: the creation must be begun again.
   */
  readonly launch: (
    record: ResourceRecord<Launch, Known>,
    asked: { readonly spec: Spec; readonly requestId: string; readonly deadlineMs: number },
  ) => Promise<LaunchedRecord<Launch, Known> | undefined>;
  readonly terminate: (record: LaunchedRecord<Launch, Known>, requestId: string) => Promise<unknown>;
  readonly creationOf: ReturnType<typeof awaitCreation<Launch, Known>>;
  /** @throws FailedPreconditionError where the record's resource must not be changed. */
  readonly refuseAdopted: (record: LaunchedRecord<Launch, Known>) => void;
};

/**
 * Creates a resource, or answers the one that has the id already, whatever its spec: after a 409, DCM would forget a resource that exists.
 * Answers within ten seconds.
 * @throws FailedPreconditionError while the resource with this id is being deleted, where an adopted one has the id, and where the request
 * must not create another one; UnavailableError where the outcome is unknown and a retry will find it; what `launch` throws.
 */
export const createResource = <Spec, Launch, Known extends Facts, Answer>(
  parts: Parts<Spec, Launch, Known, Answer>,
) => {
  const { records, resourceStore, type, launch, terminate, creationOf, refuseAdopted, now } = parts;
  const { announce, requestRepublication } = announcement(parts);
  type Found = ResourceRecord<Launch, Known>;
  type LaunchedAs = LaunchedRecord<Launch, Known>;

  return ({ request, ...asked }: CreateAsked<Spec>): Promise<Answer> => {
    const withDigest = request && { ...request, specDigest: specDigest(asked.spec) };
    return create({ ...asked, request: withDigest }, now() + answerTimeoutMs);
  };

  async function create(asked: Asked<Spec>, deadlineMs: number, after?: LaunchedAs): Promise<Answer> {
    const { dcmId, request } = asked;
    if (now() + leastMs > deadlineMs)
      throw new UnavailableError(`${dcmId} was not created in time; retry the request`);
    const beginning = { dcmId, region: targetKey(asked), leaseMs, request, ...(after && { after }) };
    const { outcome, record } = await records.begin(beginning);
    if (outcome === 'held') return existing(record, asked, deadlineMs);
    const launched = await launch(record, { ...asked, deadlineMs: deadlineMs - announcementTimeoutMs });
    return launched ? created(launched, asked.requestId) : create(asked, deadlineMs);
  }

  async function created(record: LaunchedAs, requestId: string): Promise<Answer> {
    await announce(record, requestId);
    if (record.deleteRequestedAtMs === undefined) return type.answerOf(record, { owner: 'unknown' }, now());
    await terminate(record, requestId);
    throw new FailedPreconditionError(`${record.dcmId} was deleted while it was being created`);
  }

  /** The id has a record already: of a creation under way, of a resource, or of one that has ended. */
  async function existing(found: Found, asked: Asked<Spec>, deadlineMs: number): Promise<Answer> {
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
    return type.answerOf(record, isSameAnswer ? { owner: 'unknown' } : held, now());
  }

  function refuseUnusable(record: LaunchedAs): void {
    if (record.deleteRequestedAtMs !== undefined) throw beingDeleted(record);
    refuseAdopted(record);
  }

  async function createdByOther(found: Found, deadlineMs: number): Promise<Found> {
    if (found.deleteRequestedAtMs !== undefined) throw beingDeleted(found);
    const record = await creationOf(found, deadlineMs);
    if (record) return record;
    throw new UnavailableError(`an earlier request to create ${found.dcmId} failed; retry the request`);
  }
};

const beingDeleted = ({ dcmId }: ResourceRecord) =>
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
const refuseSecondResource = (ended: LaunchedRecord, request: CreateRequest | undefined): void => {
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
const refuseAnotherSpec = (record: LaunchedRecord, request: CreateRequest | undefined): void => {
  if (request === undefined || record.requestKey === undefined || record.requestKey === request.key) return;
  if (record.specDigest === request.specDigest) return;
  throw new FailedPreconditionError(
    `${record.dcmId} was created by the request ${record.requestKey}, whose spec differs from that of ${request.key}`,
  );
};

const pollIntervalMs = 200;

type WaitingParts<Launch, Known extends Facts> = {
  readonly records: Pick<Records<Launch, Known>, 'read'>;
  readonly now: Clock;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
};

/**
 * Waits while another request holds the lease of a creation.
 * @returns the record, launched or with an expired lease; undefined where the creation was refused.
 * @throws UnavailableError where the lease is still held at `deadlineMs`.
 */
export const awaitCreation = <Launch, Known extends Facts>({
  records,
  now,
  pause,
}: WaitingParts<Launch, Known>) => {
  type Found = ResourceRecord<Launch, Known>;
  const settled = async (seen: Found, deadlineMs: number): Promise<Found | undefined> => {
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

type AnnouncementParts<Known extends Facts> = {
  readonly type: Pick<Lifecycle<never, never, Known, never, never>, 'addressesOf'> & {
    readonly format: { readonly kind: Kind };
  };
  readonly resourceStore: Pick<ResourceStore, 'claim'>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Claims a launched resource in the resource store, and queues its first observation for the normaliser. Idempotent. Never rejects: an
 * answer that the creation failed would be wrong, and the resource's tags and events make up for a missing announcement.
 */
const announcement = <Known extends Facts>(parts: AnnouncementParts<Known>) => {
  const { resourceStore, observations, type, now, log } = parts;

  const logFailure = (failed: string, dcmId: string, step: Promise<void>): Promise<void> =>
    withTimeout(announcementStepTimeoutMs, 'the resource store or the queue', step).catch((error: unknown) =>
      log.warn(failed, { dcmId, error }),
    );

  const requestRepublication = (record: LaunchedRecord): Promise<void> => {
    const { dcmId, resourceId, account } = record;
    const { region } = targetOfKey(record.region);
    const about = { 'instance-id': resourceId, region, account, at: Math.floor(now() / 1000) };
    const sent = observations.send([republicationRequestedEvent(about)], republishAfterSeconds);
    return logFailure('the republication of a launched resource was not queued', dcmId, sent);
  };

  const announce = async (record: LaunchedRecord<unknown, Known>, requestId: string): Promise<void> => {
    const { dcmId, resourceId, account, facts } = record;
    const { region } = targetOfKey(record.region);
    const addresses = type.addressesOf(facts);
    const claimed = resourceStore.claim({ resourceId, dcmId, region, account, ...addresses });
    await logFailure('a launched resource was not claimed in the resource store', dcmId, claimed);
    const starting = instanceObservedEvent({
      ...aboutResource(record, requestId),
      ...{ at: Math.floor(facts.launchedAtMs / 1000), state: type.format.kind.startingState },
      ...{ privateAddress: addresses.privateAddress, isWindows: addresses.isWindows },
    });
    await Promise.all([
      logFailure(
        'the observation of a launched resource was not queued',
        dcmId,
        observations.send([starting]),
      ),
      requestRepublication(record),
    ]);
  };

  return { announce, requestRepublication };
};
