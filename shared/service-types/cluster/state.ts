import type { ClusterState } from './kind.ts';

/** A problem that EKS reports of a cluster or a node group. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterIssue.html */
export type HealthIssue = {
  readonly code: string;
  readonly message: string;
  readonly resourceIds: readonly string[];
};

export type NodeGroup = {
  readonly name: string;
  /** EKS's word. */
  readonly status: string;
  readonly issues: readonly HealthIssue[];
};

/** A cluster as EKS describes it, with its node groups. */
export type Snapshot = {
  /** EKS's word. */
  readonly status: string;
  readonly hasEndpoint: boolean;
  readonly issues: readonly HealthIssue[];
  readonly nodeGroups: readonly NodeGroup[];
  /** The node group that the cluster was created to have; undefined in Auto Mode. */
  readonly wanted: string | undefined;
};

/**
 * The state of a cluster with its node groups, by the first rule that matches. What only the past shows, such as whether the cluster was
 * ACTIVE before, is added where the observation is recorded (recordedState in kind.ts).
 */
export const clusterState = (seen: Snapshot): ClusterState =>
  rules.find(([, holds]) => holds(seen))?.[0] ?? 'ACTIVE';

const is =
  (...statuses: string[]) =>
  ({ status }: { readonly status: string }): boolean =>
    statuses.includes(status);

const someGroup =
  (...statuses: string[]) =>
  ({ nodeGroups }: Snapshot): boolean =>
    nodeGroups.some(is(...statuses));

const workersOf = ({ nodeGroups, wanted }: Snapshot): NodeGroup | undefined =>
  nodeGroups.find(({ name }) => name === wanted);

const lacksWorkers = (seen: Snapshot): boolean =>
  seen.wanted !== undefined && (workersOf(seen)?.status ?? 'CREATING') === 'CREATING';

/** EKS, or the network to it, fails. */
const unreachable = new Set(['ClusterUnreachable', 'InternalFailure']);

/** The last three are about a cluster that is ACTIVE by itself. Nobody asked this provider to remove a node group that is being deleted. */
const rules: readonly (readonly [ClusterState, (seen: Snapshot) => boolean])[] = [
  ['DELETING', is('DELETING')],
  ['FAILED', is('FAILED')],
  ['FAILED', (seen) => workersOf(seen)?.status === 'CREATE_FAILED'],
  ['CREATING', is('CREATING', 'PENDING')],
  ['JOINING', (seen) => is('ACTIVE')(seen) && lacksWorkers(seen)],
  ['UNREACHABLE', ({ issues }) => issues.some(({ code }) => unreachable.has(code))],
  ['DEGRADED', ({ issues }) => issues.length > 0],
  ['UPDATING', is('UPDATING')],
  ['ACTIVE', (seen) => !is('ACTIVE')(seen) && seen.hasEndpoint],
  ['CREATING', (seen) => !is('ACTIVE')(seen)],
  ['DEGRADED', someGroup('DEGRADED', 'DELETE_FAILED', 'CREATE_FAILED', 'DELETING')],
  ['DEGRADED', ({ nodeGroups }) => nodeGroups.some(({ issues }) => issues.length > 0)],
  ['UPDATING', someGroup('CREATING', 'UPDATING')],
];

/** In characters. The message of a status has room for it, so that a listing can compare the two. */
const longestReason = 600;

/** What EKS says of the cluster and its node groups, in words; undefined where the state says it all. */
export const reasonIn = (seen: Snapshot): string | undefined => {
  const { nodeGroups, wanted } = seen;
  const isMissing = wanted !== undefined && seen.status === 'ACTIVE' && workersOf(seen) === undefined;
  const parts = [
    ...(seen.status === clusterState(seen) ? [] : [`EKS says ${seen.status}`]),
    ...seen.issues.map(issueText),
    ...(isMissing ? [`there is no node group ${wanted}`] : []),
    ...[...nodeGroups].sort(byName).map(groupText),
  ];
  return parts.join('; ').slice(0, longestReason) || undefined;
};

const byName = (one: NodeGroup, other: NodeGroup): number => (one.name < other.name ? -1 : 1);

const groupText = ({ name, status, issues }: NodeGroup): string =>
  [`node group ${name} is ${status}`, ...issues.map(issueText)].join(': ');

export const issueText = ({ code, message, resourceIds }: HealthIssue): string =>
  `${code}: ${message}${resourceIds.length > 0 ? ` (${resourceIds.join(', ')})` : ''}`;
