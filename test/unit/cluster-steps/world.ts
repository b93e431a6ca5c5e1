import { setImmediate as turn } from 'node:timers/promises';
import { takeStep } from '../../../functions/cluster-steps/take-step.ts';
import { clusterLifecycle } from '../../../functions/provider-api/service-types/cluster.ts';
import { type Target, targetKey } from '../../../shared/core/target.ts';
import type { ClusterStepRequest } from '../../../shared/ports/cluster-steps.ts';
import { clusterKind } from '../../../shared/service-types/cluster/kind.ts';
import { clusterNameOf } from '../../../shared/service-types/cluster/launch.ts';
import { clusterRecords } from '../../../shared/service-types/cluster/record.ts';
import { specOf } from '../../../shared/service-types/cluster/spec.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEks } from '../../fakes/memory-eks.ts';
import { memoryRecords } from '../../fakes/memory-records.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, tagKeys } from '../../fixtures/resource-messages.ts';

export const dcmId = 'c-1';
const region = 'us-east-1';
export const resourceId = `eks/${region}/${dcmId}`;
export const admin = 'arn:aws:iam::123456789012:role/admin';
export const asked = { dcmId, region, spec: specOf({ version: '1.33' }), requestId: 'request-1' };

const nodeRoleOf = (account: string) => `arn:aws:iam::${account}:role/node`;
/** Another account that has clusters. */
export const otherAccount = '222222222222';

type Given = { readonly hasWorkers?: boolean; readonly account?: string };

/** What the use cases of clusters and cluster-steps are given, all in memory; `pause` moves the clock. */
export const clusterWorld = ({ hasWorkers = true, account }: Given = {}) => {
  const clock = { ms: halfPastTen * 1000 };
  const now = () => clock.ms;
  const eks = memoryEks(now, region, account);
  const events: EventBridgeEvent[] = [];
  const queue: { request: ClusterStepRequest; afterSeconds: number }[] = [];
  const parts = {
    records: memoryRecords(clusterRecords, now),
    resourceStore: memoryResourceStore(now),
    clusters: eks.views,
    actions: eks.actions,
    observations: { send: async (sent: readonly EventBridgeEvent[]) => void events.push(...sent) },
    steps: {
      request: async (requests: readonly ClusterStepRequest[], afterSeconds = 0) =>
        void queue.push(...requests.map((request) => ({ request, afterSeconds }))),
    },
    stepSeconds: 25,
    account,
    settingsIn: (target: Target) =>
      [undefined, otherAccount].includes(target.account)
        ? {
            nodeRoleArn: nodeRoleOf(target.account ?? '123456789012'),
            ...{ adminPrincipals: [admin], changeAdopted: false },
          }
        : undefined,
    async plan(_: unknown, about: { readonly dcmId: string; readonly generation: number }) {
      return {
        ...{
          region: targetKey({ region, account }),
          name: clusterNameOf(about),
          version: '1.33',
          extendedSupport: false,
        },
        ...{
          clusterRoleArn: 'arn:aws:iam::123456789012:role/cluster',
          nodeRoleArn: nodeRoleOf('123456789012'),
        },
        ...{ subnetIds: ['subnet-1', 'subnet-2'], securityGroupIds: [], endpoint: 'public' as const },
        workers: hasWorkers ? { count: 2, instanceType: 't3.large', diskGib: 20 } : undefined,
        adminPrincipals: [admin],
        tags: { 'managed-by': 'dcm', 'dcm-instance-id': about.dcmId, 'dcm-provider': 'ec2-sp' },
        chosenBy: { version: 'version', workers: 'the test' },
      };
    },
    ...{ provider: 'ec2-sp', tagKeys, changeAdopted: false },
    ...{ now, log: memoryLog() },
    async pause(ms: number) {
      const untilMs = clock.ms + ms;
      await turn();
      clock.ms = Math.max(clock.ms, untilMs);
    },
  };
  return { parts, eks, events, queue, clock };
};
export type ClusterWorld = ReturnType<typeof clusterWorld>;
export type WorldParts = ClusterWorld['parts'];

/** What the normaliser would record of the newest observation of a state. */
export const recordState = async ({ parts }: ClusterWorld, state: string): Promise<void> => {
  const at = Math.floor(parts.now() / 1000);
  await parts.resourceStore.record(
    { kind: 'observation', resourceId, region, account: '123456789012', at, state, seenBy: 'listing' },
    {
      key: String(at * 10 + clusterKind.states.indexOf(state)),
      id: `${at}`,
      at,
      status: clusterKind.statusOf(state),
      message: state,
    },
  );
};

/** Has the steps taken that the poller requests, and lets EKS finish what they began, as often as it can be necessary. */
export const untilAtRest = async (world: ClusterWorld): Promise<void> => {
  for (let round = 0; round < 10; round++) {
    await takeStep(world.parts)({ dcmId, continues: false });
    world.eks.progress();
    world.clock.ms += 30_000;
  }
};

export const lifecycle = (parts: WorldParts) => clusterLifecycle(parts);
