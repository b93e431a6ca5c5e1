import { UnavailableError } from '../../shared/core/errors.ts';
import { isNewerObservation, sequenceOf } from '../../shared/core/gate.ts';
import { pastStatusOf, surplusOf } from '../../shared/core/history.ts';
import { finalState, isEnd, isStopped, kindOf } from '../../shared/core/kind.ts';
import type { Observation } from '../../shared/core/message.ts';
import { type Addresses, changesOutputs } from '../../shared/core/outputs.ts';
import {
  isNewNotice,
  isNewRepublication,
  joinsHistory,
  keptNotice,
  type Resource,
  type UnpublishedStatus,
} from '../../shared/core/resource.ts';
import type { Ownership, Recorded, ResourceStore } from '../../shared/ports/resource-store.ts';
import { kinds } from '../../shared/service-types/kinds.ts';

const dayMs = 86_400_000;

/** The ResourceStore port in memory. Every method is atomic, like a conditional write. */
export const memoryResourceStore = (now: () => number = Date.now): ResourceStore => {
  const vms = new Map<string, Resource>();
  const foreignUntil = new Map<string, number>();
  const duplicates = new Map<string, string>();

  const recollection = (id: string): Ownership => {
    const vm = vms.get(id);
    if (vm) return { owner: 'ours', vm };
    if ((foreignUntil.get(id) ?? 0) <= now()) return { owner: 'unknown' };
    const duplicateOf = duplicates.get(id);
    return duplicateOf === undefined ? { owner: 'foreign' } : { owner: 'foreign', duplicateOf };
  };
  const keep = (vm: Resource): Resource => {
    vms.set(vm.resourceId, vm);
    return vm;
  };

  return {
    read: async (ids) => new Map(ids.map((id) => [id, recollection(id)])),

    async ended({ kind, region, since }) {
      const isEnded = (vm: Resource) =>
        vm.kind === kind && vm.region === region && isEnd(kind, vm.state ?? '') && vm.sequence >= since * 10;
      return { resources: [...vms.values()].filter(isEnded), next: undefined };
    },

    async readConsistently(id): Promise<Recorded> {
      const vm = vms.get(id);
      return vm ? { outcome: 'unchanged', vm } : { outcome: 'unknown' };
    },

    async claim({ deleteRequested, ...claim }) {
      const held = vms.get(claim.resourceId);
      if (held && held.state === finalState(held.kind)) return;
      foreignUntil.delete(claim.resourceId);
      keep({
        kind: kindOf(kinds, claim.resourceId),
        sequence: 0,
        outbox: [],
        history: [],
        ...held,
        ...claim,
        ...seenOf(claim),
        ...(deleteRequested && { deleteRequested }),
      });
    },

    async move(vm, dcmId, status) {
      const held = vms.get(vm.resourceId);
      if (held?.dcmId !== vm.dcmId) throw new UnavailableError(`${vm.resourceId} changed meanwhile`);
      insist(vm, held);
      const { deleteRequested: _, repeatedAt: __, ...rest } = held;
      const moved = { ...rest, dcmId, outbox: [] };
      return keep(status ? withStatus(moved, status) : moved);
    },

    async markForeign(ids, duplicateOf) {
      for (const id of ids) {
        if (vms.has(id)) continue;
        foreignUntil.set(id, now() + dayMs);
        duplicates.delete(id);
        if (duplicateOf !== undefined) duplicates.set(id, duplicateOf);
      }
    },

    async requestDelete(id) {
      const held = vms.get(id);
      if (held) keep({ ...held, deleteRequested: true });
    },

    async removeOwnership(id) {
      if (!vms.delete(id)) return;
      foreignUntil.set(id, now() + dayMs);
      duplicates.delete(id);
    },

    async record(observation, status): Promise<Recorded> {
      const held = vms.get(observation.resourceId);
      if (!held) return { outcome: 'unknown' };
      if (!isNewerObservation(held.kind, held, observation)) return { outcome: 'stale', vm: held };
      const { state } = observation;
      const seen = { sequence: sequenceOf(held.kind, observation), ...seenOf(observation) };
      if (held.state === state) {
        if (changesOutputs(held, observation))
          throw new UnavailableError(`${observation.resourceId} has another address`);
        return {
          outcome: 'unchanged',
          vm: keep({ ...held, ...seen, ...eventSequenceOf(held, observation) }),
        };
      }
      return {
        outcome: 'accepted',
        vm: keep(withNewStatus({ ...keptIn(state, held), ...seen, state }, status)),
      };
    },

    async notify(vm, notice, status): Promise<Recorded> {
      const held = vms.get(vm.resourceId);
      if (!held) return { outcome: 'unknown' };
      if (!isNewNotice(held, notice)) return { outcome: 'stale', vm: held };
      insist(vm, held);
      const noted = { ...held, notices: { ...held.notices, [notice.notice]: keptNotice(notice) } };
      return { outcome: 'accepted', vm: keep(status ? withNewStatus(noted, status) : noted) };
    },

    async readdress(vm, seen, status): Promise<Recorded> {
      const held = vms.get(vm.resourceId);
      if (!held) return { outcome: 'unknown' };
      insist(vm, held);
      const readdressed = { ...held, ...seenOf(seen) };
      return status
        ? {
            outcome: 'accepted',
            vm: keep((joinsHistory(held, status) ? withNewStatus : withStatus)(readdressed, status)),
          }
        : { outcome: 'unchanged', vm: keep(readdressed) };
    },

    async republish(vm, status): Promise<Recorded> {
      const held = vms.get(vm.resourceId);
      if (!held) return { outcome: 'unknown' };
      const at = status.republishedAt ?? status.at;
      if (!isNewRepublication(held, { at })) return { outcome: 'stale', vm: held };
      insist(vm, held);
      return { outcome: 'accepted', vm: keep(withStatus({ ...held, repeatedAt: at }, status)) };
    },

    async settle(
      { resourceId: id, outbox, history },
      keys,
      { keep: kept, forwarded } = { keep: [], forwarded: [] },
    ) {
      const held = vms.get(id);
      const isForwarded = ({ key }: UnpublishedStatus) =>
        [...forwarded, ...kept.map((one) => one.key)].includes(key);
      const unforwarded = [...(held?.unforwarded ?? []).filter((one) => !isForwarded(one)), ...kept];
      const unpublished = outbox.flatMap(({ key }) => (keys.includes(key) ? [] : [key]));
      const surplus = surplusOf(history, unpublished);
      return (
        held &&
        keep({
          ...held,
          outbox: held.outbox.filter(({ key }) => !keys.includes(key)),
          history: held.history.filter(({ key }) => !surplus.includes(key)),
          unforwarded:
            unforwarded.length > 0 ? unforwarded.toSorted((a, b) => (a.key < b.key ? -1 : 1)) : undefined,
        })
      );
    },
  };
};

/** The first event of the held state. */
const eventSequenceOf = (held: Resource, observation: Observation): Pick<Resource, 'eventSequence'> => {
  if (held.eventSequence !== undefined || observation.seenBy !== 'event') return {};
  return { eventSequence: sequenceOf(held.kind, observation) };
};

/** A running resource has no notices, and a stopped one has no public address. */
const keptIn = (
  state: string,
  { notices, publicAddress, eventSequence: _, ...rest }: Resource,
): Resource => ({
  ...rest,
  ...(state !== rest.kind.runningState && { notices }),
  ...(state !== rest.kind.startingState && !isStopped(rest.kind, state) && { publicAddress }),
});

const seenOf = ({
  privateAddress,
  publicAddress,
  getsPublicAddress,
  isWindows,
  ports,
  apiEndpoint,
}: Addresses): Addresses => ({
  ...(privateAddress !== undefined && { privateAddress }),
  ...(publicAddress !== undefined && { publicAddress }),
  ...((getsPublicAddress || publicAddress) && { getsPublicAddress: true }),
  ...(isWindows && { isWindows }),
  ...(ports !== undefined && { ports }),
  ...(apiEndpoint !== undefined && { apiEndpoint }),
});

const withStatus = (vm: Resource, status: UnpublishedStatus): Resource => ({
  ...vm,
  latest: status,
  outbox: [...vm.outbox, status],
});

const withNewStatus = (vm: Resource, status: UnpublishedStatus): Resource => ({
  ...withStatus(vm, status),
  history: [...vm.history, pastStatusOf(status)],
});

const insist = (vm: Resource, held: Resource) => {
  if (held.sequence !== vm.sequence || held.latest?.id !== vm.latest?.id)
    throw new UnavailableError(`${vm.resourceId} changed meanwhile`);
};
