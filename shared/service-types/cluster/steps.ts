import { workersGroup } from './launch.ts';
import type { Cluster } from './ports.ts';

/** What is to be done next for a cluster. */
export type Step =
  /** Something is under way in EKS. */
  | { readonly action: 'wait' }
  /** Nothing more is to be done. */
  | { readonly action: 'rest' }
  | { readonly action: 'add-administrators'; readonly principalArns: readonly string[] }
  | { readonly action: 'create-workers' }
  | { readonly action: 'delete-node-groups'; readonly names: readonly string[] }
  | { readonly action: 'delete-cluster' }
  /** EKS does not know the cluster any more. */
  | { readonly action: 'report-deleted' };

/** What DCM wants of a cluster, and what this provider may do with it. */
export type Wish = {
  readonly isDeletionRequested: boolean;
  /** This provider created the cluster, or the settings allow changing others. */
  readonly isOurs: boolean;
  /** ARNs of the IAM users and roles that are to administer the cluster. */
  readonly adminPrincipals: readonly string[];
  /** EKS may not show it yet, unless it has run: it was created moments ago. */
  readonly isRecent: boolean;
  /** No step of the last ten minutes has seen it, and none before them has completed its creation. */
  readonly isLost: boolean;
  /** The cluster was ACTIVE with its workers at some time. */
  readonly hasRun: boolean;
};

type Seen = Pick<Cluster, 'status' | 'workers' | 'nodeGroups'>;

/**
 * The next step of a cluster's creation or deletion. Pure: it follows from what EKS describes now, so a step that is repeated, or that a
 * crashed worker left, does no harm.
 *
 * A node group is created only before the cluster was ACTIVE with it: one that somebody deleted later is reported, and not created again.
 * A cluster that others removed during its creation may never have been listed, so that no listing can miss it: the steps report its end.
 * `seen` is undefined where EKS does not know the cluster. `administrators`: undefined where they were not read.
 */
export const nextStep = (
  wish: Wish,
  seen: Seen | undefined,
  administrators: readonly string[] | undefined,
): Step => {
  if (seen === undefined && wish.isRecent && !wish.hasRun) return { action: 'wait' };
  if (!wish.isOurs) return { action: 'rest' };
  if (wish.isDeletionRequested) return deletionStep(seen);
  if (seen === undefined) return { action: wish.isLost ? 'report-deleted' : 'wait' };
  return creationStep(wish, seen, administrators);
};

const creationStep = (
  { adminPrincipals, hasRun }: Wish,
  { status, workers, nodeGroups }: Seen,
  administrators: readonly string[] | undefined,
): Step => {
  if (status === 'FAILED' || status === 'DELETING') return { action: 'rest' };
  if (status !== 'ACTIVE') return { action: 'wait' };
  const missing = adminPrincipals.filter((arn) => administrators?.includes(arn) === false);
  if (missing.length > 0) return { action: 'add-administrators', principalArns: missing };
  if (workers === undefined) return { action: 'rest' };
  const group = nodeGroups.find(({ name }) => name === workersGroup);
  if (group === undefined) return { action: hasRun ? 'rest' : 'create-workers' };
  return { action: group.status === 'CREATING' ? 'wait' : 'rest' };
};

/** EKS refuses to delete a cluster with node groups, so they go first. */
const deletionStep = (seen: Seen | undefined): Step => {
  if (seen === undefined) return { action: 'report-deleted' };
  if (seen.status === 'DELETING') return { action: 'wait' };
  const names = seen.nodeGroups.filter(({ status }) => status !== 'DELETING').map(({ name }) => name);
  if (names.length > 0) return { action: 'delete-node-groups', names };
  return { action: seen.nodeGroups.length > 0 ? 'wait' : 'delete-cluster' };
};
