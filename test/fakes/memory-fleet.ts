import { UnavailableError } from '../../shared/domain/errors.ts';
import { isNews, sequenceOf } from '../../shared/domain/gate.ts';
import { isNoticeNews, isRepeatNews, type UnpublishedStatus, type Vm } from '../../shared/domain/vm.ts';
import type { Fleet, Recollection, Recorded } from '../../shared/ports/fleet.ts';

const dayMs = 86_400_000;

/** The Fleet port in memory. Every method does its work in one turn, as a conditional write does. */
export const memoryFleet = (now: () => number = Date.now): Fleet => {
  const vms = new Map<string, Vm>();
  const foreignUntil = new Map<string, number>();

  const recollection = (id: string): Recollection => {
    const vm = vms.get(id);
    if (vm) return { owner: 'us', vm };
    return (foreignUntil.get(id) ?? 0) > now() ? { owner: 'others' } : { owner: 'unknown' };
  };
  const keep = (vm: Vm): Vm => {
    vms.set(vm.instanceId, vm);
    return vm;
  };

  return {
    recall: async (ids) => new Map(ids.map((id) => [id, recollection(id)])),

    async claim(claim) {
      const held = vms.get(claim.instanceId);
      if (held?.state === 'terminated') return;
      foreignUntil.delete(claim.instanceId);
      keep({ sequence: 0, outbox: [], ...held, ...claim });
    },

    async disclaim(ids) {
      for (const id of ids) if (!vms.has(id)) foreignUntil.set(id, now() + dayMs);
    },

    async release(id) {
      if (vms.delete(id)) foreignUntil.set(id, now() + dayMs);
    },

    async record(observation, status): Promise<Recorded> {
      const held = vms.get(observation.instanceId);
      if (!held) return { outcome: 'unknown' };
      if (!isNews(held, observation)) return { outcome: 'stale', vm: held };
      const sequence = sequenceOf(observation);
      if (held.state === observation.state) return { outcome: 'unchanged', vm: keep({ ...held, sequence }) };
      const { notice, ...rest } = held;
      const kept = observation.state === 'running' ? rest : { ...rest, notice };
      const { state } = observation;
      return { outcome: 'accepted', vm: keep(withStatus({ ...kept, sequence, state }, status)) };
    },

    async notify(vm, notice, status): Promise<Recorded> {
      const held = vms.get(vm.instanceId);
      if (!held) return { outcome: 'unknown' };
      if (!isNoticeNews(held, notice)) return { outcome: 'stale', vm: held };
      insist(vm, held);
      const { notice: kind, at, text } = notice;
      const noted = { ...held, notice: { notice: kind, at, text } };
      return { outcome: 'accepted', vm: keep(status ? withStatus(noted, status) : noted) };
    },

    async repeat(vm, status): Promise<Recorded> {
      const held = vms.get(vm.instanceId);
      if (!held) return { outcome: 'unknown' };
      if (!isRepeatNews(held, status)) return { outcome: 'stale', vm: held };
      insist(vm, held);
      return { outcome: 'accepted', vm: keep(withStatus({ ...held, repeatedAt: status.at }, status)) };
    },

    async settle(id, keys) {
      const held = vms.get(id);
      if (held) keep({ ...held, outbox: held.outbox.filter(({ key }) => !keys.includes(key)) });
    },
  };
};

const withStatus = (vm: Vm, status: UnpublishedStatus): Vm => ({
  ...vm,
  latest: status,
  outbox: [...vm.outbox, status],
});

const insist = (vm: Vm, held: Vm) => {
  if (held.sequence !== vm.sequence || held.latest?.id !== vm.latest?.id)
    throw new UnavailableError(`${vm.instanceId} changed meanwhile`);
};
