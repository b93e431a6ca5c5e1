import { UnavailableError } from '../../shared/core/errors.ts';
import {
  type Creation,
  factsOf,
  isAssigned,
  isDeletedFor,
  isLaunched,
  refuseDeleted,
  type VmRecord,
} from '../../shared/core/record.ts';
import type { Beginning, LaunchedVm, VmRecords } from '../../shared/ports/records.ts';

/** The VmRecords port in memory. Every method does its work in one turn, as a conditional write does. */
export const memoryVmRecords = (now: () => number = Date.now): VmRecords => {
  const records = new Map<string, VmRecord>();
  /** What stays of creations that were refused. */
  const vacant = new Map<string, Pick<VmRecord, 'generation' | 'turn' | 'deletedAtMs'>>();

  const attempts = new Map<string, number>();
  const failures = new Map<string, NonNullable<Creation['failure']>>();

  const keep = (record: VmRecord): VmRecord => {
    vacant.delete(record.vmId);
    records.set(record.vmId, record);
    return record;
  };
  const blank = (vmId: string, region: string): VmRecord => ({
    vmId,
    region,
    generation: 0,
    attempt: 0,
    turn: 0,
    ...vacant.get(vmId),
    createdAtMs: now(),
    updatedAtMs: now(),
  });
  const successorOf = ({ vmId, region, generation, turn, deletedAtMs }: VmRecord): VmRecord => ({
    ...blank(vmId, region),
    ...(deletedAtMs !== undefined && { deletedAtMs }),
    generation: generation + 1,
    turn,
  });
  const withInstance = (record: VmRecord, { instanceId, account, facts, adopted }: LaunchedVm): VmRecord => {
    const { launch: _, leaseUntilMs: __, adopted: ___, ...rest } = record;
    const origin = adopted === undefined ? {} : { adopted };
    return keep({ ...rest, instanceId, account, facts, ...origin, updatedAtMs: now() });
  };
  const inHand = ({ vmId, turn }: VmRecord): VmRecord | undefined => {
    const held = records.get(vmId);
    return held?.turn === turn && held.leaseUntilMs !== undefined ? held : undefined;
  };
  const listed = (region: string) =>
    [...records.values()]
      .filter((record) => record.region === region && record.endedAtMs === undefined)
      .sort((a, b) => (a.vmId < b.vmId ? -1 : 1));

  return {
    read: async (vmId) => records.get(vmId),

    async begin(beginning) {
      const { vmId, region, leaseMs, after, request } = beginning;
      const held = records.get(vmId);
      if (held && !isOpen(held, beginning, now())) return { outcome: 'held', record: held };
      refuseDeleted({ vmId, deletedAtMs: vacant.get(vmId)?.deletedAtMs }, request);
      if (!held && after) throw new UnavailableError(`the record of ${vmId} changed meanwhile; try it again`);
      const next = after ? successorOf(after) : (held ?? blank(vmId, region));
      attempts.set(vmId, now());
      failures.delete(vmId);
      const leaseUntilMs = now() + leaseMs;
      const record = keep({
        ...(request && { requestKey: request.key, specDigest: request.specDigest }),
        ...next,
        region: after ? region : next.region,
        turn: next.turn + 1,
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
      const held = records.get(mine.vmId);
      if (held?.generation !== mine.generation) return undefined;
      const isAwaited = held.leaseUntilMs !== undefined && held.attempt === mine.attempt;
      return held.instanceId === vm.instanceId || isAwaited
        ? withInstance(held, { ...vm, adopted: false })
        : undefined;
    },

    async abandon(mine) {
      const held = inHand(mine);
      if (!held) return;
      records.delete(mine.vmId);
      const { generation, turn, deletedAtMs } = held;
      vacant.set(mine.vmId, {
        generation: generation + 1,
        turn,
        ...(deletedAtMs !== undefined && { deletedAtMs }),
      });
    },

    async adopt(vm) {
      const held = records.get(vm.vmId);
      const isKnown = held?.instanceId === vm.instanceId;
      if (held && isAssigned(held, vm)) return isKnown ? 'known' : 'another';
      if (held && isKnown) {
        const { endedAtMs: _, ...rest } = held;
        keep(rest);
        return 'adopted';
      }
      const { vmId, region } = vm;
      const next = held?.endedAtMs ? successorOf(held) : (held ?? blank(vmId, region));
      withInstance({ ...next, region }, { ...vm, facts: factsOf(held, vm.facts) });
      return 'adopted';
    },

    async requestDelete(vmId) {
      const held = records.get(vmId);
      if (held) return keep({ deleteRequestedAtMs: now(), ...held, deletedAtMs: now() });
      vacant.set(vmId, { generation: 0, turn: 0, ...vacant.get(vmId), deletedAtMs: now() });
      return undefined;
    },

    async creation(vmId): Promise<Creation> {
      const record = records.get(vmId);
      const { turn, deletedAtMs } = record ?? vacant.get(vmId) ?? {};
      return { record, turn, deletedAtMs, attemptedAtMs: attempts.get(vmId), failure: failures.get(vmId) };
    },

    async fail(vmId, seen, status) {
      const record = records.get(vmId);
      const isAsSeen =
        (record ?? vacant.get(vmId))?.turn === seen.turn && record?.instanceId === seen.record?.instanceId;
      if (!isAsSeen || (record?.leaseUntilMs ?? 0) > now() || failures.has(vmId)) return undefined;
      failures.set(vmId, { status, isPublished: false });
      return status;
    },

    async failurePublished(vmId, statusId) {
      const failure = failures.get(vmId);
      if (failure?.status.id === statusId) failures.set(vmId, { ...failure, isPublished: true });
    },

    async withdrawDelete(vmId) {
      const held = records.get(vmId);
      if (!held) return;
      const { deleteRequestedAtMs: _, deletedAtMs: __, ...rest } = held;
      keep(rest);
    },

    async end(vmId, instanceId) {
      const held = records.get(vmId);
      if (held?.instanceId === instanceId) keep({ endedAtMs: now(), ...held });
    },

    async list(region, after, limit) {
      const rest = listed(region).filter(({ vmId }) => vmId > after);
      const page = rest.slice(0, limit);
      return { records: page, last: rest.length > limit ? page.at(-1)?.vmId : undefined };
    },

    count: async (region) =>
      listed(region).filter(
        ({ deleteRequestedAtMs, instanceId, launch }) =>
          deleteRequestedAtMs === undefined && (instanceId ?? launch) !== undefined,
      ).length,
  };
};

const isOpen = (held: VmRecord, { after, request }: Beginning, nowMs: number): boolean => {
  if (isDeletedFor(held, request)) return false;
  if (after) return held.turn === after.turn && held.instanceId === after.instanceId;
  return !isLaunched(held) && held.deleteRequestedAtMs === undefined && (held.leaseUntilMs ?? 0) <= nowMs;
};
