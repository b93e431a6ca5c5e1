import { FailedPreconditionError, UnavailableError } from '../../../shared/domain/errors.ts';
import {
  type CreateRequest,
  hasEnded,
  isLaunched,
  type LaunchedRecord,
  refuseDeleted,
  type VmRecord,
} from '../../../shared/domain/vm-record.ts';
import type { Fleet } from '../../../shared/ports/fleet.ts';
import type { VmRecords } from '../../../shared/ports/vm-records.ts';
import type { VmResource } from '../../../shared/wire/vm.ts';
import { adoptedRefusal } from '../change/check-instance.ts';
import { type TerminationParts, terminateVm } from '../change/terminate-vm.ts';
import { vmResource } from '../read/vm-resource.ts';
import { recollectionOf } from '../read/vm-standing.ts';
import type { VmSpec } from '../spec/vm-spec.ts';
import { type AnnouncementParts, announceLaunch } from './announce-launch.ts';
import { awaitCreation, type WaitingParts } from './await-creation.ts';
import { refuseAnotherSpec, refuseSecondVm, specDigest } from './check-request.ts';
import { type LaunchParts, launchVm } from './launch-vm.ts';

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
    readonly fleet: Pick<Fleet, 'recall'>;
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
  const { records, fleet, now } = parts;
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
    const remembered = await recollectionOf(fleet, record);
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
