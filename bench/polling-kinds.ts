import * as z from 'zod';
import { publishEvents } from '../functions/nats-bridge/publish-events.ts';
import type { PolledTarget } from '../functions/poller/env.ts';
import { subnetsOf } from '../local/emulators/ec2/actions/network.ts';
import { startEc2Simulator } from '../local/emulators/ec2/start-ec2-simulator.ts';
import { startEcsEmulator } from '../local/emulators/ecs/start-ecs-emulator.ts';
import { startEksEmulator } from '../local/emulators/eks/start-eks-emulator.ts';
import { startTogether } from '../local/processes/disposables.ts';
import { provider } from '../local/stack/options.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { listingKey } from '../shared/core/target.ts';
import { eksClusters } from '../shared/service-types/cluster/eks/clusters.ts';
import { eksUpdates } from '../shared/service-types/cluster/eks/updates.ts';
import { workersGroup } from '../shared/service-types/cluster/launch.ts';
import { servedClusters } from '../shared/service-types/cluster/served.ts';
import { ecsTasks } from '../shared/service-types/container/ecs/tasks.ts';
import { servedContainers } from '../shared/service-types/container/served.ts';
import { kinds } from '../shared/service-types/kinds.ts';
import { memoryEventStream } from '../test/fakes/memory-event-stream.ts';
import { startTable, tableName } from './emulators.ts';
import type { Figures } from './figures.ts';
import { idleDollarsOf } from './polling-cost.ts';
import { type PolledRegions, polledRegions, startMs } from './polling-regions.ts';
import { environment } from './processes.ts';
import { quietNormaliser } from './quiet-normaliser.ts';
import { region, sqsBatches, tagKeys } from './workload.ts';

const vms = 1_000;
const tasks = 1_000;
const clusters = 20;
const ecsCluster = 'dcm';
/** As infra/settings/reported-regions.ts has them polled: EKS sends no event of a cluster's state. */
const containerTarget: PolledTarget = { target: { region, serviceType: 'container' }, mode: 'streaming' };
const clusterTarget: PolledTarget = { target: { region, serviceType: 'cluster' }, mode: 'legacy' };
/** Longer than any interval, and a multiple of the quiet one. */
const restMs = 900_000;

/** What it takes to list the containers and clusters of one region, by the stock SDK, and to poll them and its VMs while all are at rest. */
export const pollingOfKinds = async (): Promise<Figures> => {
  await using dynamoDb = await startTable();
  await using services = await startServices();
  using _ = environment({
    AWS_ENDPOINT_URL_ECS: services.ecs.url,
    AWS_ENDPOINT_URL_EKS: services.eks.url,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const types = servedTypes();
  const others = { types, targets: [containerTarget, clusterTarget], calls: services.calls };
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions: [region], vms, others });

  await recordAll(polled, types);
  const listed = async ({ target }: PolledTarget) => {
    const before = services.calls();
    await polled.handle({ do: 'poll', region: listingKey(target) });
    return services.calls() - before;
  };
  polled.skip(restMs); // long enough for both to be quiet
  const ecsCalls = await listed(containerTarget);
  const eksCalls = await listed(clusterTarget);
  await expectListed(polled);
  const dollars = await idleDollarsOf(polled);
  if (polled.queued.length > 0) throw new Error('The poller found a change where there was none.');
  return {
    poll_ecs_calls_1k: ecsCalls,
    poll_eks_calls_20: eksCalls,
    poll_idle_dollars_per_day_kinds: dollars,
  };
};

/** ECS and EKS with resources of ours that have run for an hour. */
const startServices = () =>
  startTogether(async (use) => {
    const clock = () => startMs - 3_600_000;
    const emit = () => undefined;
    const ec2 = await use(startEc2Simulator({ emit }));
    const ecs = await use(startEcsEmulator({ network: ec2.network, emit, clock, clusters: [ecsCluster] }));
    const eks = await use(startEksEmulator({ subnets: subnetsOf, clock }));
    ecs.populate({
      ...{ region, cluster: ecsCluster, count: tasks, subnetId: subnetsOf(region)[0]?.id ?? '' },
      task: (index) => {
        const startedBy = `${provider}/container-${index}`;
        return { startedBy, group: `${startedBy}/a-client-token`, tags: {} };
      },
    });
    eks.populate({
      ...{ region, count: clusters, nodeGroups: [workersGroup] },
      name: (index) => `cluster-${index}`,
      tags: (index) => ({
        [tagKeys.managedBy]: 'dcm',
        [tagKeys.instanceId]: `cluster-${index}`,
        [tagKeys.provider]: provider,
      }),
    });
    const counts = () => [...Object.values(ecs.calls()), ...Object.values(eks.calls())];
    return { ecs, eks, calls: () => counts().reduce((sum, count) => sum + count, 0) };
  });

/** The two types as functions/poller/handler.ts serves them. */
const servedTypes = () => [
  servedContainers(ecsTasks({ provider, tagKeys, publicAddresses: false, clusterOf: () => ecsCluster })),
  {
    ...servedClusters(eksClusters(), undefined, eksUpdates()),
    steps: {
      request: () => Promise.reject(new Error('A step was requested for a cluster that is at rest.')),
    },
  },
];

/** Has all of both services listed for the first time, and recorded by the normaliser. */
const recordAll = async (polled: PolledRegions, types: ReturnType<typeof servedTypes>): Promise<void> => {
  const stream = memoryEventStream();
  const handle = quietNormaliser({
    resourceStore: dynamoDbResourceStore(polled.unmetered, tableName, kinds),
    publisher: publishEvents(stream),
    types,
  });
  for (const { target } of [containerTarget, clusterTarget])
    await polled.handle({ do: 'poll', region: listingKey(target) });
  await handle(sqsBatches(polled.queued.splice(0).map((event) => JSON.stringify(event))));
  const statuses = stream.stored.map(({ data }) => Object(data).status);
  const [running, active] = ['RUNNING', 'ACTIVE'].map((word) => statuses.filter((one) => one === word));
  if (running?.length !== tasks || active?.length !== clusters)
    throw new Error('Not every container and cluster was published.');
};

const Report = z.object({
  regions: z.array(
    z.object({ region: z.string(), instances: z.number(), lastListedAt: z.iso.datetime().optional() }),
  ),
});

/** @throws where a listing is not complete, or did not show all. */
const expectListed = async (polled: PolledRegions): Promise<void> => {
  const { regions } = Report.parse(await polled.handle({ do: 'regions' }));
  const isListed = ({ target }: PolledTarget, count: number) =>
    regions.some(
      (one) =>
        one.region === listingKey(target) &&
        one.instances === count &&
        Date.parse(one.lastListedAt ?? '') === polled.now(),
    );
  if (!isListed(containerTarget, tasks) || !isListed(clusterTarget, clusters))
    throw new Error('The poller did not list every container and cluster.');
};
