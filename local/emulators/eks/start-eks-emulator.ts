import { randomInt } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
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
    calls(): Readonly<Record<string, number>>;
    /** Sets faults from now on; the others stay as they are. */
    faults(change: Partial<Faults>): void;
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
  /** @default '123456789012' */
  readonly account?: string;
  /** Gives the times of changes. Durations use real timers. */
  readonly clock?: Clock;
  /** With the same seed, the same calls have the same dwell times and faults. */
  readonly seed?: number;
  /** Faults from the start. */
  readonly faults?: Partial<Faults>;
};

/**
 * Starts an emulator of EKS for one AWS account, with EKS's REST API. A region is created when it is first used. Disposing stops all
 * timers.
 */
export const startEksEmulator = async (options: EksEmulatorOptions): Promise<EksEmulator> => {
  const pendingTimers = timers();
  const counts = new Map<string, number>();
  const regions = new Map<string, Region>();
  const { clock = Date.now, versions = versionsAt } = options;
  let faults: Faults = { ...noFaults, ...options.faults };
  let throttledCalls = 0;
  const account: Account = {
    id: options.account ?? '123456789012',
    clock,
    random: seededRandom(options.seed ?? randomInt(2 ** 32)),
    timers: pendingTimers,
    dwellMs: { ...defaultDwellMs, ...options.dwellMs },
    subnets: options.subnets,
    versions: () => versions(clock()),
    faults: () => faults,
    takeThrottled: () => throttledCalls > 0 && throttledCalls-- > 0,
    onTransition: options.onTransition ?? (() => {}),
  };
  const region = (name: string): Region => {
    const opened = regions.get(name) ?? openRegion(name, account);
    regions.set(name, opened);
    return opened;
  };
  const onCall = (action: string) => counts.set(action, (counts.get(action) ?? 0) + 1);
  const server = await serve(eksApi({ region, onCall }).fetch, options.port);
  return {
    url: server.url,
    ...clusterFaults(() => regions.values()),
    clusters: () => [...regions.values()].flatMap((opened) => [...opened.all()].map(trueCluster)),
    calls: () => Object.fromEntries(counts),
    faults: (change) => {
      faults = { ...faults, ...change };
    },
    throttleNext: (calls) => {
      throttledCalls = calls;
    },
    populate: (population) => populate(population, region(population.region)),
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
