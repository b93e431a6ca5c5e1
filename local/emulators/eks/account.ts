import type { Clock } from '../../../shared/ports/clock.ts';
import type { Duration, Random } from '../random.ts';
import type { Timers } from '../timers.ts';
import type { ClusterStatus, NodeGroupStatus } from './cluster.ts';
import type { ClusterVersion } from './cluster-versions.ts';
import type { Faults } from './faults.ts';

/** A status that a cluster or a node group entered; GONE where it does not exist any more. */
export type Transition = {
  readonly cluster: string;
  /** undefined for the cluster itself. */
  readonly nodeGroup: string | undefined;
  readonly status: ClusterStatus | NodeGroupStatus | 'GONE';
  readonly atMs: number;
};

/** How long a cluster or a node group stays in each status that is not at rest. */
export type DwellMs = Readonly<
  Record<
    | 'pending'
    | 'creating'
    | 'updating'
    | 'deleting'
    | 'nodeGroupCreating'
    | 'nodeGroupUpdating'
    | 'nodeGroupDeleting',
    Duration
  >
>;

const minuteMs = 60_000;

/** Times of AWS. */
export const defaultDwellMs: DwellMs = {
  pending: minuteMs,
  creating: 10 * minuteMs,
  updating: 8 * minuteMs,
  deleting: 8 * minuteMs,
  nodeGroupCreating: 3 * minuteMs,
  nodeGroupUpdating: 3 * minuteMs,
  nodeGroupDeleting: 4 * minuteMs,
};

/** A subnet in which clusters and node groups can be. */
export type ClusterSubnet = { readonly id: string; readonly vpcId: string; readonly zone: string };

/** The account of a region, and what all regions share. */
export type Account = {
  readonly id: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly dwellMs: DwellMs;
  subnets(region: string): readonly ClusterSubnet[];
  versions(): readonly ClusterVersion[];
  /** The current faults in the region. */
  faults(): Faults;
  /** True where the call that asks is to be throttled; each such answer counts. */
  takeThrottled(): boolean;
  onTransition(transition: Transition): void;
};
