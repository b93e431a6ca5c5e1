import * as z from 'zod/mini';
import type { Circumstances, Kind } from '../../core/kind.ts';
import type { Addresses } from '../../core/outputs.ts';
import { type Target, targetKey, targetOfKey } from '../../core/target.ts';

/**
 * The name of an EKS cluster.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
 */
const namePattern = '[0-9A-Za-z][A-Za-z0-9_-]{0,99}';

/** `eks/<key of the target>/<name>`: the name of an EKS cluster is unique in its account and region only. */
const idPattern = new RegExp(`^eks/((?:\\d{12}/)?[a-z0-9-]+)/(${namePattern})$`);

export const resourceIdOf = (target: Target, name: string): string => `eks/${targetKey(target)}/${name}`;

/** The cluster's name in EKS; undefined where this is no id of a cluster in the target. */
export const clusterNameIn = (target: Target, resourceId: string): string | undefined => {
  const [, key, name] = idPattern.exec(resourceId) ?? [];
  return key === targetKey(target) ? name : undefined;
};

/** Undefined where this is no id of a cluster. */
export const targetIn = (resourceId: string): Target | undefined => {
  const [, key] = idPattern.exec(resourceId) ?? [];
  return key === undefined ? undefined : targetOfKey(key);
};

/**
 * The states of a cluster with its node groups, by rank. EKS's own words, with JOINING for an ACTIVE cluster whose workers are not there
 * yet, UNREACHABLE for a cluster that EKS cannot reach, and DELETED for one that EKS no longer knows.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html
 */
export const ClusterState = z.enum([
  'CREATING',
  'JOINING',
  'ACTIVE',
  'UPDATING',
  'DEGRADED',
  'UNREACHABLE',
  'FAILED',
  'DELETING',
  'DELETED',
]);
export type ClusterState = z.infer<typeof ClusterState>;

/**
 * DCM's words for a cluster: those of DCM's current definition, then CREATING and UPDATING, which only its first proposal has.
 * @see https://github.com/dcm-project/enhancements (state-management/service-provider-status-reporting.md)
 */
export const ClusterStatus = z.enum([
  'PROGRESSING',
  'ACTIVE',
  'DEGRADED',
  'UNAVAILABLE',
  'FAILED',
  'DELETING',
  'DELETED',
  'CREATING',
  'UPDATING',
]);
export type ClusterStatus = z.infer<typeof ClusterStatus>;

const byState = {
  CREATING: 'PROGRESSING',
  JOINING: 'PROGRESSING',
  ACTIVE: 'ACTIVE',
  UPDATING: 'PROGRESSING',
  DEGRADED: 'DEGRADED',
  UNREACHABLE: 'UNAVAILABLE',
  FAILED: 'FAILED',
  DELETING: 'DELETING',
  DELETED: 'DELETED',
} as const satisfies Record<ClusterState, ClusterStatus>;

/** The nearest word of the first proposal, which has no failure: its clusters are then DEGRADED until they are deleted. */
const firstWords = {
  CREATING: 'CREATING',
  JOINING: 'CREATING',
  ACTIVE: 'ACTIVE',
  UPDATING: 'UPDATING',
  DEGRADED: 'DEGRADED',
  UNREACHABLE: 'DEGRADED',
  FAILED: 'DEGRADED',
  DELETING: 'UPDATING',
  DELETED: 'DELETED',
} as const satisfies Record<ClusterState, ClusterStatus>;

/** A cluster that is still being created after the time for it, or whose workers EKS refused, has failed. */
const clusterStatus = (
  state: ClusterState,
  { notice, clusterWords = 'current' }: Circumstances,
): ClusterStatus => {
  const hasFailed = (state === 'CREATING' || state === 'JOINING') && notice === 'stuck-launch';
  return (clusterWords === 'first' ? firstWords : byState)[hasFailed ? 'FAILED' : state];
};

/** A word that we do not know is taken as ACTIVE, the nearest of the living states. */
const clusterStateOf = (word: string): { state: ClusterState; unrecognised?: string } => {
  const known = ClusterState.safeParse(word.trim().toUpperCase());
  return known.success ? { state: known.data } : { state: 'ACTIVE', unrecognised: word };
};

/**
 * What a snapshot of EKS cannot show: whether the cluster was ACTIVE before, and whether DCM wants it deleted. Before the first ACTIVE an
 * update is a step of the creation; after it, missing workers are a fault and not on their way.
 */
const recordedState = (
  state: string,
  { deleteRequested, hasRun }: Pick<Circumstances, 'deleteRequested' | 'hasRun'>,
): string => {
  if (state === 'DELETED') return state;
  if (deleteRequested) return 'DELETING';
  if (state === 'UPDATING' && !hasRun) return 'CREATING';
  return state === 'JOINING' && hasRun ? 'DEGRADED' : state;
};

const living = ['ACTIVE', 'UPDATING', 'DEGRADED', 'UNREACHABLE', 'FAILED'] as const;
const ends = ['DELETING', 'DELETED'] as const;

const nextStates: Record<ClusterState, readonly ClusterState[]> = {
  CREATING: ['JOINING', 'ACTIVE', 'DEGRADED', 'UNREACHABLE', 'FAILED', ...ends],
  JOINING: ['ACTIVE', 'DEGRADED', 'UNREACHABLE', 'FAILED', ...ends],
  ACTIVE: [...living, ...ends],
  UPDATING: [...living, ...ends],
  DEGRADED: [...living, ...ends],
  UNREACHABLE: [...living, ...ends],
  FAILED: ends,
  DELETING: ['DELETED'],
  DELETED: [],
};

/**
 * The read-only field of DCM's cluster spec that others can refer to. It never changes, so it is published while the cluster can be used.
 * @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/servicetypes/cluster/spec.yaml)
 */
const outputsOf = (
  { apiEndpoint }: Addresses,
  status: string,
): { readonly api_endpoint: string } | undefined =>
  apiEndpoint !== undefined && (status === 'ACTIVE' || status === 'DEGRADED')
    ? { api_endpoint: apiEndpoint }
    : undefined;

/** Clusters on Amazon EKS. EKS sends no events about them: their states are those of listings and checks. */
export const clusterKind: Kind = {
  serviceType: 'cluster',
  collection: 'clusters',
  noun: 'cluster',
  idExtension: 'clustername',
  hasId: (resourceId) => idPattern.test(resourceId),
  states: ClusterState.options,
  startingState: 'CREATING',
  runningState: 'ACTIVE',
  statesAfterRunning: new Set(['ACTIVE', 'UPDATING', 'DEGRADED', 'UNREACHABLE']),
  stoppedStates: new Set(),
  billedStates: new Set(ClusterState.options.filter((state) => state !== 'DELETED')),
  transitionalStates: new Set(['CREATING', 'JOINING', 'UPDATING', 'DELETING']),
  nextStates,
  stuckAfterMinutes: 40,
  frequentlyCheckedMinutes: 40,
  coalescesWithinSecond: true,
  timedBy: 'sight',
  recordedState,
  reasonsChange: true,
  needsAddress: false,
  nearestState: clusterStateOf,
  statuses: ClusterStatus.options,
  statusOf: (state, circumstances = {}) => clusterStatus(clusterStateOf(state).state, circumstances),
  needsReason: () => false,
  outputsOf,
  billedExtensions: () => ({}),
  notices: {
    /** Every step finds the same reason again. */
    'stuck-launch': { isKnownByText: true },
    /** EKS refuses to delete the cluster, or a node group of it. Once it is DELETED, that is over. */
    'deletion-refused': { isKnownByText: true, onlyIn: 'DELETING', explainsForSeconds: 0 },
  },
};
