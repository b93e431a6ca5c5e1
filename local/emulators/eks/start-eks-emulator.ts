import { randomInt } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { type Callers, defaultAccount, keyCallers } from '../callers.ts';
import { byPlace, callCounts, type Places, placedFaults } from '../places.ts';
import { seededRandom } from '../random.ts';
import { timers } from '../timers.ts';
import {
  type Account,
  type ClusterSubnet,
  type DwellMs,
  defaultDwellMs,
  type Transition,
} from './account.ts';
import { CreateCluster, clusterOf } from './actions/clusters.ts';
import { CreateNodegroup, nodeGroupOf } from './actions/node-groups.ts';
import { type Cluster, clusterArn, type Issue, type NodeGroup } from './cluster.ts';
import { type ClusterFaults, clusterFaults } from './cluster-faults.ts';
import { type ClusterVersion, versionsAt } from './cluster-versions.ts';
import { eksApi } from './eks-api.ts';
import { type Faults, noFaults } from './faults.ts';
import { openRegion, type Region } from './region.ts';

/** The true state of a cluster, which Describe calls may not show yet. */
type TrueCluster = Pick<Cluster, 'name' | 'region' | 'status' | 'version' | 'tags' | 'changedAtMs'> & {
  readonly arn: string;
  readonly issues: readonly Issue[];
  readonly nodeGroups: readonly Pick<NodeGroup, 'name' | 'status' | 'issues' | 'changedAtMs'>[];
};

/** EKS for demos, tests and the bench. Clients use EKS's API; these methods do what the API cannot. EKS emits no events. */
export type EksEmulator = LocalServer &
  ClusterFaults & {
    /** The clusters of all regions. */
    clusters(): readonly TrueCluster[];
    /** Number of calls of each action, including refused calls. */
    calls(places?: Places): Readonly<Record<string, number>>;
    /** Sets faults from now on; the others stay as they are. @default everywhere */
    faults(change: Partial<Faults>, places?: Places): void;
    /** Throttles the next calls, whatever their action. */
    throttleNext(calls: number): void;
    /** Adds many ACTIVE clusters, without transitions or timers. @returns their names, in the order of their index */
    populate(population: Population): readonly string[];
  };

export type EksEmulatorOptions = {
  readonly port?: number;
  /** The subnets of a region, such as those of the EC2 emulator. */
  readonly subnets: (region: string) => readonly ClusterSubnet[];
  /** @default defaultDwellMs, the times of AWS */
  readonly dwellMs?: Partial<DwellMs>;
  /** What EKS offers at a time. @default versionsAt */
  readonly versions?: (nowMs: number) => readonly ClusterVersion[];
  /** Called at each transition. */
  readonly onTransition?: (transition: Transition) => void;
  /** The home account: of callers that name no other one. @default defaultAccount */
  readonly account?: string;
  /** @default keyCallers of the home account */
  readonly callers?: Callers;
  /** Gives the times of changes. Durations use real timers. */
  readonly clock?: Clock;
  /** With the same seed, the same calls have the same dwell times and faults. */
  readonly seed?: number;
  /** Faults from the start. */
  readonly faults?: Partial<Faults>;
};

/**
 * Starts an emulator of EKS, with EKS's REST API. A region of an account is created when it is first used. Disposing stops all timers.
 */
export const startEksEmulator = async (options: EksEmulatorOptions): Promise<EksEmulator> => {
  const pendingTimers = timers();
  const counts = callCounts();
  const { account: home = defaultAccount, callers = keyCallers(home) } = options;
  const { clock = Date.now, versions = versionsAt } = options;
  const faults = placedFaults<Faults>({ ...noFaults, ...options.faults });
  let throttledCalls = 0;
  const shared: Omit<Account, 'id' | 'faults'> = {
    clock,
    random: seededRandom(options.seed ?? randomInt(2 ** 32)),
    timers: pendingTimers,
    dwellMs: { ...defaultDwellMs, ...options.dwellMs },
    subnets: options.subnets,
    versions: () => versions(clock()),
    takeThrottled: () => throttledCalls > 0 && throttledCalls-- > 0,
    onTransition: options.onTransition ?? (() => {}),
  };
  const regions = byPlace((place) =>
    openRegion(place.region, { ...shared, id: place.account, faults: () => faults.at(place) }),
  );
  const api = eksApi({ callers, region: regions.at, onCall: counts.count });
  const server = await serve(api.fetch, options.port);
  return {
    url: server.url,
    ...clusterFaults(regions.all),
    clusters: () => regions.all().flatMap((region) => [...region.all()].map(trueCluster)),
    calls: counts.of,
    faults: faults.set,
    throttleNext: (calls) => {
      throttledCalls = calls;
    },
    populate: ({ account = home, ...population }) =>
      populate(population, regions.at({ account, region: population.region })),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      pendingTimers[Symbol.dispose]();
    },
  };
};

const trueCluster = (cluster: Cluster): TrueCluster => {
  const { name, region, status, version, tags, issues, changedAtMs, nodeGroups } = cluster;
  return {
    ...{ name, region, status, version, tags, issues, changedAtMs },
    arn: clusterArn(cluster),
    nodeGroups: [...nodeGroups.values()],
  };
};

/** Clusters to add, each as if created by a call of its own. */
export type Population = {
  /** @default the home account */
  readonly account?: string;
  readonly region: string;
  readonly count: number;
  /** The name and tags of the cluster with this index, from 0. */
  readonly name: (index: number) => string;
  readonly tags: (index: number) => Tags;
  /** The names of the node groups of each. @default none */
  readonly nodeGroups?: readonly string[];
};

const populate = ({ count, name, tags, nodeGroups = [] }: Population, region: Region): readonly string[] => {
  const { id, subnets, faults } = region.account;
  const [first, ...others] = subnets(region.name).filter(
    ({ zone }) => !faults().unsupportedZones.includes(zone),
  );
  const subnetIds = [first, ...others.filter(({ vpcId }) => vpcId === first?.vpcId)].flatMap(
    (one) => one?.id ?? [],
  );
  return Array.from({ length: count }, (_, index) => {
    const request = CreateCluster.parse({
      ...{ name: name(index), tags: tags(index) },
      roleArn: `arn:aws:iam::${id}:role/cluster`,
      resourcesVpcConfig: { subnetIds },
    });
    const cluster = clusterOf(request, region);
    const groups = nodeGroups.map((nodegroupName) => {
      const nodeRole = `arn:aws:iam::${id}:role/node`;
      const group = { clusterName: cluster.name, nodegroupName, nodeRole, subnets: subnetIds };
      return nodeGroupOf(CreateNodegroup.parse(group), cluster, region);
    });
    region.addActive(cluster, groups);
    return cluster.name;
  });
};
