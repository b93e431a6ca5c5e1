import { createHash } from 'node:crypto';
import { FailedPreconditionError, UnavailableError } from '../../shared/core/errors.ts';
import {
  type CreateRequest,
  hasEnded,
  isInHand,
  isLaunched,
  type LaunchedRecord,
  refuseDeleted,
  type VmRecord,
} from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { VmRecords } from '../../shared/ports/records.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { recollectionOf, type VmResource, vmResource } from '../../shared/service-types/vm/resource.ts';
import type { VmSpec } from '../../shared/service-types/vm/spec.ts';
import { instanceObservedEvent, republicationRequestedEvent } from '../../shared/wire/own-messages.ts';
import { aboutInstance, adoptedRefusal } from './check-instance.ts';
import { type TerminationParts, terminateVm } from './delete-resource.ts';
import { type LaunchParts, launchVm } from './launch-vm.ts';
import { within } from './timeout.ts';

/** DCM waits ten seconds for the answer; what is left of them is the way. */
const answerWithinMs = 9_000;
/** What EC2 must leave of them to those who are told of the launch. */
const announceWithinMs = 1_500;
/** Longer than a creation is worked at, so that whoever takes over does so alone. */
const leaseMs = 11_000;
/** Whoever asked for the same VM at the same time gets the same answer, whatever the instance has come to since. */
const sameAnswerForMs = 10_000;

type Parts = LaunchParts &
  TerminationParts &
  AnnouncementParts &
  WaitingParts & {
    readonly records: Pick<VmRecords, 'begin'>;
    readonly resourceStore: Pick<ResourceStore, 'recall'>;
  };

export type Asked = {
  readonly vmId: string;
  readonly region: string;
  readonly spec: VmSpec;
  readonly requestId: string;
  /** The request of an environment agent that it is of, where its caller names one. */
  readonly request?: Omit<CreateRequest, 'specDigest'> | undefined;
};
type Wanted = Omit<Asked, 'request'> & { readonly request: CreateRequest | undefined };

/**
 * Creates a VM, or answers the one that has the id, with whatever spec it was created: a 409 would have DCM forget a VM that exists.
 * Answers within ten seconds.
 * @throws FailedPreconditionError while the VM with this id is being deleted, where an adopted instance carries the id, and where the request
 * may create none (check-request.ts); UnavailableError where the same request, sent again, will find out what became of it; what planning
 * and EC2 refuse.
 */
export const createVm = (parts: Parts) => {
  const { records, resourceStore, now } = parts;
  const launch = launchVm(parts);
  const finished = awaitCreation(parts);
  const terminate = terminateVm(parts);
  const { announce, wantStatus } = announceLaunch(parts);

  return ({ request, ...asked }: Asked): Promise<VmResource> => {
    const wanted = { ...asked, request: request && { ...request, specDigest: specDigest(asked.spec) } };
    return create(wanted, now() + answerWithinMs);
  };

  async function create(asked: Wanted, deadlineMs: number, after?: LaunchedRecord): Promise<VmResource> {
    const { vmId, region, request } = asked;
    if (now() >= deadlineMs) throw new UnavailableError(`${vmId} could not be created in time; try it again`);
    const beginning = { vmId, region, leaseMs, request, ...(after && { after }) };
    const { outcome, record } = await records.begin(beginning);
    if (outcome === 'held') return existing(record, asked, deadlineMs);
    const launched = await launch(record, { ...asked, deadlineMs: deadlineMs - announceWithinMs });
    return launched ? announced(launched, asked.requestId) : create(asked, deadlineMs);
  }

  async function announced(record: LaunchedRecord, requestId: string): Promise<VmResource> {
    await announce(record, requestId);
    if (record.deleteRequestedAtMs === undefined) return vmResource(record, { owner: 'unknown' }, now());
    await terminate(record, requestId);
    throw new FailedPreconditionError(`${record.vmId} was deleted while it was being created`);
  }

  async function existing(held: VmRecord, asked: Wanted, deadlineMs: number): Promise<VmResource> {
    const { request } = asked;
    if (!isLaunched(held)) refuseDeleted(held, request);
    const record = isLaunched(held) ? held : await createdByAnother(held, deadlineMs);
    if (!isLaunched(record)) return create(asked, deadlineMs); // whoever had it in hand is gone
    const remembered = await recollectionOf(resourceStore, record);
    if (hasEnded(record, remembered, now())) {
      refuseSecondVm(record, request);
      return create(asked, deadlineMs, record);
    }
    refuseUnusable(record);
    refuseAnotherSpec(record, request);
    const tell = remembered.owner === 'unknown' ? announce : wantStatus;
    await tell(record, asked.requestId);
    const isSameTime = now() - record.updatedAtMs < sameAnswerForMs;
    return vmResource(record, isSameTime ? { owner: 'unknown' } : remembered, now());
  }

  /** What the id stands for is no answer to its creation. */
  function refuseUnusable(record: LaunchedRecord): void {
    if (record.deleteRequestedAtMs !== undefined) throw beingDeleted(record);
    if (record.adopted && !parts.changeAdopted) throw adoptedRefusal(record);
  }

  async function createdByAnother(held: VmRecord, deadlineMs: number): Promise<VmRecord> {
    if (held.deleteRequestedAtMs !== undefined) throw beingDeleted(held);
    const record = await finished(held, deadlineMs);
    if (record) return record;
    throw new UnavailableError(`an earlier request to create ${held.vmId} failed; try it again`);
  }
};

const beingDeleted = ({ vmId }: VmRecord) =>
  new FailedPreconditionError(`${vmId} is being deleted; create it again when it is gone`);

/** The same for specs that ask for the same, in whatever order. */
const specDigest = (spec: VmSpec): string =>
  createHash('sha256').update(JSON.stringify(spec, inOrder)).digest('base64url');

const inOrder = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/**
 * One request creates one VM: JetStream delivers it again when an agent did not acknowledge it, and its VM may have ended meanwhile.
 * @throws FailedPreconditionError where the VM that is gone was the request's own, or where DCM deleted it.
 */
const refuseSecondVm = (gone: LaunchedRecord, request: CreateRequest | undefined): void => {
  refuseDeleted(gone, request);
  if (request !== undefined && gone.requestKey === request.key)
    throw new FailedPreconditionError(
      `the request ${request.key} created ${gone.vmId}, which is gone; a request creates one VM`,
    );
};

/**
 * DCM sends a create again under another key, with the same spec, where it has not heard of the first one. Another spec is another VM's.
 * @throws FailedPreconditionError where the VM was created by another request with another spec.
 */
const refuseAnotherSpec = (vm: LaunchedRecord, request: CreateRequest | undefined): void => {
  if (request === undefined || vm.requestKey === undefined || vm.requestKey === request.key) return;
  if (vm.specDigest === request.specDigest) return;
  throw new FailedPreconditionError(
    `${vm.vmId} was created by the request ${vm.requestKey}, with another spec than that of ${request.key}`,
  );
};

/** The caller waits. */
const timeoutMs = 750;
/** By then DCM has written down what we answered; what it was told before that, it has dropped. */
const repeatAfterSeconds = 5;

export type AnnouncementParts = {
  readonly resourceStore: Pick<ResourceStore, 'claim'>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Makes a launched instance ours in the fleet, and tells the normaliser of it. Idempotent, and never fails: an answer that there is no VM
 * would be wrong, and what is left undone here the instance's tags and its events make up for.
 */
const announceLaunch = ({ resourceStore, observations, now, log }: AnnouncementParts) => {
  const tried = async (what: string, vmId: string, done: Promise<void>) => {
    await within(timeoutMs, 'whoever remembers it', done).catch((error: unknown) =>
      log.warn(`a launched VM could not be ${what}`, { vmId, error }),
    );
  };

  const wantStatus = ({ instanceId, region, account, vmId }: LaunchedRecord) => {
    const wanted = { 'instance-id': instanceId, region, account, at: Math.floor(now() / 1000) };
    return tried(
      'told of once more',
      vmId,
      observations.send([republicationRequestedEvent(wanted)], repeatAfterSeconds),
    );
  };

  const announce = async (record: LaunchedRecord, requestId: string): Promise<void> => {
    const { vmId, instanceId, region, account, facts } = record;
    const { privateAddress, getsPublicAddress, isWindows } = facts;
    const addresses = { privateAddress, getsPublicAddress, isWindows };
    await tried('claimed', vmId, resourceStore.claim({ instanceId, vmId, region, account, ...addresses }));
    const at = Math.floor(facts.launchedAtMs / 1000);
    const pending = {
      ...aboutInstance(record, requestId),
      ...{ at, state: 'pending' as const, privateAddress, isWindows },
    };
    await Promise.all([
      tried('told of', vmId, observations.send([instanceObservedEvent(pending)])),
      wantStatus(record),
    ]);
  };

  return { announce, wantStatus };
};

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
