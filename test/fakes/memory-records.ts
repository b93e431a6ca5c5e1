import { NotFoundError, UnavailableError } from '../../shared/core/errors.ts';
import {
  type Creation,
  type Facts,
  isDeletedFor,
  isKeptElsewhere,
  isLaunched,
  isTaken,
  type ResourceRecord,
  refuseDeleted,
  refuseElsewhere,
  refuseKept,
  type Vacancy,
} from '../../shared/core/record.ts';
import { type Target, targetKey, targetOfKey } from '../../shared/core/target.ts';
import type { Beginning, LaunchedResource, RecordFormat, Records } from '../../shared/ports/records.ts';
import { type VmRecords, vmRecords } from '../../shared/service-types/vm/record.ts';

/** The records of VMs in memory. */
export const memoryVmRecords = (now: () => number = Date.now): VmRecords => memoryRecords(vmRecords, now);

/** The Records port in memory. Every method is atomic, like a conditional write. */
export const memoryRecords = <Launch, Known extends Facts>(
  { factsOf }: Pick<RecordFormat<Launch, Known>, 'factsOf'>,
  now: () => number = Date.now,
): Records<Launch, Known> => {
  type VmRecord = ResourceRecord<Launch, Known>;
  const records = new Map<string, VmRecord>();
  /** The parts of refused creations that are kept. */
  const vacant = new Map<string, Pick<VmRecord, 'generation' | 'leaseNumber'> & Vacancy>();

  /** When an id was deleted in a target that had nothing of it. */
  const unused = new Map<string, number>();

  const attempts = new Map<string, number>();
  const failures = new Map<string, NonNullable<Creation['failure']>>();

  const keep = (record: VmRecord): VmRecord => {
    vacant.delete(record.dcmId);
    records.set(record.dcmId, record);
    return record;
  };
  const deletion = (dcmId: string, region: string | undefined): { readonly deletedAtMs?: number } => {
    const deletedAtMs = unused.get(`${dcmId} ${region}`) ?? vacant.get(dcmId)?.deletedAtMs;
    return deletedAtMs === undefined ? {} : { deletedAtMs };
  };
  const blank = (dcmId: string, region: string): VmRecord => ({
    dcmId,
    region,
    generation: 0,
    attempt: 0,
    leaseNumber: 0,
    ...withoutKeptFor(vacant.get(dcmId)),
    ...deletion(dcmId, region),
    createdAtMs: now(),
    updatedAtMs: now(),
  });
  const successorOf = ({
    dcmId,
    region,
    generation,
    leaseNumber,
    deletedAtMs,
  }: Omit<VmRecord, 'launch' | 'facts'>): VmRecord => ({
    ...blank(dcmId, region),
    ...(deletedAtMs !== undefined && { deletedAtMs }),
    generation: generation + 1,
    leaseNumber,
  });
  const withInstance = (
    record: VmRecord,
    { resourceId, account, facts, adopted }: LaunchedResource<Known>,
  ): VmRecord => {
    const { launch: _, leaseUntilMs: __, adopted: ___, ...rest } = record;
    const origin = adopted === undefined ? {} : { adopted };
    return keep({ ...rest, resourceId, account, facts, ...origin, updatedAtMs: now() });
  };
  const inHand = ({ dcmId, leaseNumber }: VmRecord): VmRecord | undefined => {
    const held = records.get(dcmId);
    return held?.leaseNumber === leaseNumber && held.leaseUntilMs !== undefined ? held : undefined;
  };
  const listed = (target: Target) =>
    [...records.values()]
      .filter((record) => record.region === targetKey(target) && record.endedAtMs === undefined)
      .sort((a, b) => (a.dcmId < b.dcmId ? -1 : 1));

  const heldFor = ({ dcmId, region, thereAlone }: Beginning): VmRecord | undefined => {
    const held = records.get(dcmId);
    if (held && thereAlone) refuseElsewhere(held, targetOfKey(region));
    if (!held && thereAlone) refuseKept({ dcmId, ...vacant.get(dcmId) }, { region });
    return held;
  };

  return {
    read: async (dcmId) => records.get(dcmId),

    async begin(beginning) {
      const { dcmId, region, leaseMs, after, request } = beginning;
      const held = heldFor(beginning);
      if (held && !isOpen(held, beginning, now())) return { outcome: 'held', record: held };
      refuseDeleted({ dcmId, ...deletion(dcmId, region) }, request);
      if (!held && after)
        throw new UnavailableError(`the record of ${dcmId} changed meanwhile; try it again`);
      const { failure: _, ...next } = after ? successorOf(after) : (held ?? blank(dcmId, region));
      attempts.set(dcmId, now());
      failures.delete(dcmId);
      const leaseUntilMs = now() + leaseMs;
      const record = keep({
        ...(request && { requestKey: request.key, specDigest: request.specDigest }),
        ...next,
        region: after ? region : next.region,
        leaseNumber: next.leaseNumber + 1,
        leaseUntilMs,
        updatedAtMs: now(),
      });
      return { outcome: 'begun', record };
    },

    async attempt(mine, launch, attempt) {
      const held = inHand(mine);
      return held && keep({ ...held, launch, attempt, updatedAtMs: now() });
    },

    async launched(mine, vm) {
      const held = records.get(mine.dcmId);
      if (held?.generation !== mine.generation) return undefined;
      const isAwaited = held.leaseUntilMs !== undefined && held.attempt === mine.attempt;
      return held.resourceId === vm.resourceId || isAwaited
        ? withInstance(held, { ...vm, adopted: false })
        : undefined;
    },

    async abandon(mine) {
      const held = inHand(mine);
      if (!held) return;
      records.delete(mine.dcmId);
      const { generation, leaseNumber, deletedAtMs, region } = held;
      vacant.set(mine.dcmId, {
        generation: generation + 1,
        leaseNumber,
        keptFor: region,
        ...(deletedAtMs !== undefined && { deletedAtMs }),
      });
    },

    async adopt(vm) {
      const held = records.get(vm.dcmId);
      const isKnown = held?.resourceId === vm.resourceId;
      if (isTaken(held, vacant.get(vm.dcmId), vm)) return isKnown ? 'known' : 'another';
      if (held && isKnown) {
        const { endedAtMs: _, ...rest } = held;
        keep(rest);
        return 'adopted';
      }
      const { dcmId, region } = vm;
      const next = held?.endedAtMs ? successorOf(held) : (held ?? blank(dcmId, region));
      withInstance({ ...next, region }, { ...vm, facts: factsOf(held, vm.facts) });
      return 'adopted';
    },

    async requestDelete(dcmId, target) {
      const held = records.get(dcmId);
      if (held && target && held.region !== targetKey(target))
        throw new NotFoundError(`${dcmId} is not in this target`);
      if (held) return keep({ deleteRequestedAtMs: now(), ...held, deletedAtMs: now() });
      const before = vacant.get(dcmId);
      const region = target && targetKey(target);
      if (before && region !== undefined && isKeptElsewhere(before, { region }))
        throw new NotFoundError(`${dcmId} is not in this target`);
      if (region === undefined)
        vacant.set(dcmId, { generation: 0, leaseNumber: 0, ...before, deletedAtMs: now() });
      else unused.set(`${dcmId} ${region}`, now());
      return undefined;
    },

    async creation(dcmId, target) {
      const record = records.get(dcmId);
      const { leaseNumber } = record ?? vacant.get(dcmId) ?? {};
      return {
        record,
        leaseNumber,
        deletedAtMs: (record ?? deletion(dcmId, target && targetKey(target))).deletedAtMs,
        attemptedAtMs: attempts.get(dcmId),
        failure: failures.get(dcmId),
      };
    },

    async fail(dcmId, seen, status) {
      const record = records.get(dcmId);
      const isAsSeen =
        (record ?? vacant.get(dcmId))?.leaseNumber === seen.leaseNumber &&
        record?.resourceId === seen.record?.resourceId;
      if (!isAsSeen || (record?.leaseUntilMs ?? 0) > now() || failures.has(dcmId)) return undefined;
      failures.set(dcmId, { status, isPublished: false });
      if (record) records.set(dcmId, { ...record, failure: status });
      return status;
    },

    async failurePublished(dcmId, statusId) {
      const failure = failures.get(dcmId);
      if (failure?.status.id === statusId) failures.set(dcmId, { ...failure, isPublished: true });
    },

    async withdrawDelete(dcmId) {
      const held = records.get(dcmId);
      if (!held) return;
      const { deleteRequestedAtMs: _, deletedAtMs: __, ...rest } = held;
      keep(rest);
    },

    async end(dcmId, resourceId) {
      const held = records.get(dcmId);
      if (held?.resourceId === resourceId) keep({ endedAtMs: now(), ...held });
    },

    async list(target, after, limit) {
      const rest = listed(target).filter(({ dcmId }) => dcmId > after);
      const page = rest.slice(0, limit);
      return { records: page, last: rest.length > limit ? page.at(-1)?.dcmId : undefined };
    },

    count: async (target) =>
      listed(target).filter(
        ({ deleteRequestedAtMs, resourceId, launch }) =>
          deleteRequestedAtMs === undefined && (resourceId ?? launch) !== undefined,
      ).length,

    deletionsRequested: async (target, untilMs) =>
      listed(target).flatMap(({ dcmId, deleteRequestedAtMs = Number.POSITIVE_INFINITY }) =>
        deleteRequestedAtMs <= untilMs ? [dcmId] : [],
      ),
  };
};

const withoutKeptFor = (kept: Partial<Pick<ResourceRecord, 'generation' | 'leaseNumber'>> & Vacancy = {}) => {
  const { keptFor: _, ...rest } = kept;
  return rest;
};

const isOpen = (held: ResourceRecord, { after, request }: Beginning, nowMs: number): boolean => {
  if (isDeletedFor(held, request)) return false;
  if (after) return held.leaseNumber === after.leaseNumber && held.resourceId === after.resourceId;
  return !isLaunched(held) && held.deleteRequestedAtMs === undefined && (held.leaseUntilMs ?? 0) <= nowMs;
};
