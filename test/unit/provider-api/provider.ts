import { setImmediate as turn } from 'node:timers/promises';
import type { Change } from '../../../functions/provider-api/change-vm.ts';
import { completeDeletions } from '../../../functions/provider-api/complete-deletions.ts';
import { vmLifecycle } from '../../../functions/provider-api/service-types/vm.ts';
import type { Observation } from '../../../shared/core/message.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { InstanceState, StateReason } from '../../../shared/service-types/vm/kind.ts';
import type { InstanceActions, Instances } from '../../../shared/service-types/vm/ports.ts';
import { specOf } from '../../../shared/service-types/vm/spec.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEc2 } from '../../fakes/memory-ec2.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { launchPlan } from '../../fixtures/launches.ts';
import { halfPastTen, tagKeys } from '../../fixtures/resource-messages.ts';
import { statusOf } from '../../fixtures/statuses.ts';

export const dcmId = 'vm-1';
const region = 'us-east-1';
export const asked = { dcmId, region, spec: specOf({ vcpu: { count: 2 } }), requestId: 'request-1' };

/** What the use cases are given, all in memory; `pause` moves the clock. */
export const providerParts = () => {
  const clock = { ms: halfPastTen * 1000 };
  const now = () => clock.ms;
  const queued: { event: EventBridgeEvent; afterSeconds: number }[] = [];
  const observations: Observations = {
    async send(events, afterSeconds = 0) {
      queued.push(...events.map((event) => ({ event, afterSeconds })));
    },
  };
  const ec2 = memoryEc2(now);
  const actions: InstanceActions = ec2;
  const instances: Pick<Instances, 'list' | 'describe'> = ec2;
  const parts = {
    records: memoryVmRecords(now),
    resourceStore: memoryResourceStore(now),
    actions,
    instances,
    observations,
    plan: async () => launchPlan(),
    provider: 'ec2-sp',
    changeAdopted: false,
    tagKeys,
    now,
    log: memoryLog(),
    async pause(ms: number) {
      const untilMs = clock.ms + ms;
      await turn();
      clock.ms = Math.max(clock.ms, untilMs); // those who wait at the same time wait together
    },
  };
  return { parts, clock, ec2, queued };
};
export type ProviderParts = ReturnType<typeof providerParts>['parts'];

/** One turn of completing the recorded deletions of VMs, as the schedule has it. */
export const completionTurn = (parts: ProviderParts, meter = countingMeter()): Promise<void> =>
  completeDeletions({
    services: [{ serviceType: 'vm', targets: [{ region }] }],
    deletionsIn: () => ({ vm: vmLifecycle(parts).deletions, container: undefined, cluster: undefined }),
    ...{ now: parts.now, random: () => 0.5, log: parts.log, meter },
  })();

/** The provider's use cases, and the world around them. */
export const provider = (change: (parts: ProviderParts) => Partial<ProviderParts> = () => ({})) => {
  const world = providerParts();
  const parts: ProviderParts = { ...world.parts, ...change(world.parts) };
  /** What the normaliser makes of an event of EC2's; the newest instance's unless another is named. */
  const happens = async (
    state: InstanceState,
    more: Partial<Observation> & { reason?: StateReason } = {},
  ) => {
    const instanceId = [...world.ec2.instances.keys()].at(-1) ?? '';
    const at = Math.floor(world.clock.ms / 1000);
    const seen = {
      kind: 'observation',
      resourceId: instanceId,
      region,
      account: '123456789012',
      at,
    } as const;
    const observation: Observation = { ...seen, state, seenBy: 'event', ...more };
    const held = (await parts.resourceStore.read([observation.resourceId])).get(observation.resourceId);
    const deleteRequested = held?.owner === 'ours' && held.vm.deleteRequested;
    await parts.resourceStore.record(observation, statusOf(observation, { deleteRequested }));
    return observation;
  };
  const useCases = vmLifecycle(parts);
  return {
    ...world,
    parts,
    happens,
    create: useCases.create,
    remove: (dcmId: string) => useCases.delete(dcmId, asked.requestId),
    read: useCases.read,
    change: (dcmId: string, change: Change) => useCases.change(dcmId, change, asked.requestId),
  };
};
