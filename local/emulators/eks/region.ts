import { randomUUID } from 'node:crypto';
import { type Duration, drawMs } from '../random.ts';
import type { Account } from './account.ts';
import type {
  Cluster,
  ClusterStatus,
  Issue,
  NodeGroup,
  NodeGroupStatus,
  Update,
  UpdateError,
} from './cluster.ts';
import { EksError } from './rest-json.ts';

/** A change that EKS makes in the background. It is applied when it ends, and only where it is successful. */
export type Change = Pick<Update, 'type' | 'params' | 'clientToken'> & {
  readonly outcome: 'Successful' | 'Failed';
  readonly errors?: readonly UpdateError[];
};

/** The clusters of one region, and the operations on them. */
export type Region = {
  readonly name: string;
  readonly account: Account;
  /** All clusters, also those that calls do not find yet. */
  all(): Iterable<Cluster>;
  /** The same, for one name; undefined for an unknown one. */
  lookUp(cluster: string): Cluster | undefined;
  /** The clusters that calls find. */
  found(): readonly Cluster[];
  /** @throws EksError where calls find no cluster of that name. */
  get(cluster: string): Cluster;
  /** The node groups that calls find. */
  foundNodeGroups(cluster: Cluster): readonly NodeGroup[];
  /** @throws EksError where calls find no node group of that name. */
  nodeGroup(cluster: Cluster, name: string): NodeGroup;
  /** Adds a cluster, which takes some time to become ACTIVE. */
  create(cluster: Cluster): Cluster;
  /** Adds a cluster and node groups that are ACTIVE, without transitions or timers. */
  addActive(cluster: Cluster, nodeGroups: readonly NodeGroup[]): void;
  /** Replaces properties that have no transitions. */
  change(
    cluster: string,
    changes: Partial<Pick<Cluster, 'tags' | 'issues' | 'isPatched' | 'accessEntries'>>,
  ): Cluster;
  enter(cluster: string, status: ClusterStatus, issues?: readonly Issue[]): Cluster;
  /** Ends the status that a cluster or node group is in now, if it would end by itself. */
  settle(cluster: string, nodeGroup: string | undefined): void;
  /** Ends the timer of the status that a cluster or node group is in, so that it stays in it. */
  stall(cluster: string, nodeGroup: string | undefined): void;
  update(cluster: string, change: Change, applied: Partial<Pick<Cluster, 'config' | 'version'>>): Update;
  delete(cluster: string): Cluster;
  /** Removes a cluster with its node groups, without DELETING. */
  remove(cluster: string): void;
  createNodeGroup(cluster: string, nodeGroup: NodeGroup): NodeGroup;
  changeNodeGroup(
    cluster: string,
    nodeGroup: string,
    changes: Partial<Pick<NodeGroup, 'tags' | 'failingDeletions'>>,
  ): void;
  enterNodeGroup(
    cluster: string,
    nodeGroup: string,
    status: NodeGroupStatus,
    issues?: readonly Issue[],
  ): NodeGroup;
  updateNodeGroup(
    cluster: string,
    nodeGroup: string,
    change: Change,
    applied: Partial<Pick<NodeGroup, 'settings' | 'version'>>,
  ): Update;
  deleteNodeGroup(cluster: string, nodeGroup: string): NodeGroup;
};

const dwellOf = { PENDING: 'pending', CREATING: 'creating', UPDATING: 'updating' } as const;

export const openRegion = (name: string, account: Account): Region => {
  const { clock, dwellMs, random, timers } = account;
  const clusters = new Map<string, Cluster>();
  const timerOf = (cluster: string, nodeGroup = '') => `${account.id} ${name} ${cluster} ${nodeGroup}`;
  const after = (timer: string, duration: Duration, callback: () => void) =>
    timers.after(timer, drawMs(duration, random), callback);

  const known = (cluster: string): Cluster => clusters.get(cluster) ?? unknown(cluster);
  const knownNodeGroup = (cluster: Cluster, nodeGroup: string): NodeGroup =>
    cluster.nodeGroups.get(nodeGroup) ?? unknownNodeGroup(cluster, nodeGroup);
  const isFound = ({ createdAtMs }: { readonly createdAtMs: number }) =>
    clock() - createdAtMs >= account.faults().notFoundMs;
  const put = (cluster: Cluster): Cluster => {
    clusters.set(cluster.name, cluster);
    return cluster;
  };
  const enter: Region['enter'] = (cluster, status, issues) => {
    const before = known(cluster);
    timers.cancel(timerOf(cluster));
    const hasEndpoint = before.hasEndpoint || status === 'ACTIVE';
    const atMs = clock();
    account.onTransition({ cluster, nodeGroup: undefined, status, atMs });
    return put({ ...before, status, changedAtMs: atMs, hasEndpoint, issues: issues ?? before.issues });
  };
  const passThrough = (
    cluster: string,
    [status, ...later]: readonly (keyof typeof dwellOf)[],
    last: () => void,
  ): void => {
    if (status === undefined) {
      last();
    } else {
      enter(cluster, status);
      after(timerOf(cluster), dwellMs[dwellOf[status]], () => passThrough(cluster, later, last));
    }
  };

  const remove = (cluster: string): void => {
    for (const nodeGroup of known(cluster).nodeGroups.keys()) timers.cancel(timerOf(cluster, nodeGroup));
    timers.cancel(timerOf(cluster));
    clusters.delete(cluster);
    account.onTransition({ cluster, nodeGroup: undefined, status: 'GONE', atMs: clock() });
  };

  const putNodeGroup = (cluster: string, nodeGroup: NodeGroup): NodeGroup => {
    const { nodeGroups, ...others } = known(cluster);
    put({ ...others, nodeGroups: new Map(nodeGroups).set(nodeGroup.name, nodeGroup) });
    return nodeGroup;
  };
  const enterNodeGroup: Region['enterNodeGroup'] = (cluster, nodeGroup, status, issues) => {
    const before = knownNodeGroup(known(cluster), nodeGroup);
    timers.cancel(timerOf(cluster, nodeGroup));
    const hasNodes = before.hasNodes || status === 'ACTIVE' || status === 'DEGRADED';
    const atMs = clock();
    account.onTransition({ cluster, nodeGroup, status, atMs });
    return putNodeGroup(cluster, {
      ...before,
      ...{ status, changedAtMs: atMs, hasNodes, issues: issues ?? before.issues },
    });
  };

  const putUpdate = (cluster: string, update: Update): Update => {
    const { updates, ...others } = known(cluster);
    put({ ...others, updates: new Map(updates).set(update.id, update) });
    return update;
  };
  const startUpdate = (cluster: string, nodeGroup: string | undefined, change: Change): Update => {
    const { type, params, clientToken } = change;
    return putUpdate(cluster, {
      ...{ id: randomUUID(), nodeGroup, type, params, clientToken },
      ...{ status: 'InProgress', createdAtMs: clock(), errors: [] },
    });
  };
  const endUpdate = (cluster: string, update: Update, { outcome, errors }: Change): void =>
    void putUpdate(cluster, {
      ...update,
      status: outcome,
      errors: outcome === 'Failed' ? (errors ?? [unknownCause]) : [],
    });

  return {
    name,
    account,
    all: () => clusters.values(),
    lookUp: (cluster) => clusters.get(cluster),
    found: () => [...clusters.values()].filter(isFound),
    get: (cluster) => {
      const one = known(cluster);
      return isFound(one) ? one : unknown(cluster);
    },
    foundNodeGroups: ({ nodeGroups }) => [...nodeGroups.values()].filter(isFound),
    nodeGroup: (cluster, nodeGroup) => {
      const one = knownNodeGroup(cluster, nodeGroup);
      return isFound(one) ? one : unknownNodeGroup(cluster, nodeGroup);
    },
    create: (cluster) => {
      put(cluster);
      const { creationStatuses, clusterCreationFails } = account.faults();
      passThrough(cluster.name, creationStatuses, () =>
        clusterCreationFails
          ? enter(cluster.name, 'FAILED', [clusterCreationFails])
          : enter(cluster.name, 'ACTIVE'),
      );
      return known(cluster.name);
    },
    addActive: (cluster, nodeGroups) => {
      const active = nodeGroups.map((one) => ({ ...one, status: 'ACTIVE' as const, hasNodes: true }));
      put({
        ...{ ...cluster, status: 'ACTIVE', hasEndpoint: true },
        nodeGroups: new Map(active.map((one) => [one.name, one])),
      });
    },
    change: (cluster, changes) => put({ ...known(cluster), ...changes }),
    enter,
    settle: (cluster, nodeGroup) => timers.fire(timerOf(cluster, nodeGroup)),
    stall: (cluster, nodeGroup) => timers.cancel(timerOf(cluster, nodeGroup)),
    update: (cluster, change, applied) => {
      const update = startUpdate(cluster, undefined, change);
      enter(cluster, 'UPDATING');
      after(timerOf(cluster), dwellMs.updating, () => {
        if (change.outcome === 'Successful') put({ ...known(cluster), ...applied });
        endUpdate(cluster, update, change);
        enter(cluster, 'ACTIVE');
      });
      return update;
    },
    delete: (cluster) => {
      const deleting = enter(cluster, 'DELETING');
      after(timerOf(cluster), dwellMs.deleting, () => remove(cluster));
      return deleting;
    },
    remove,
    createNodeGroup: (cluster, nodeGroup) => {
      putNodeGroup(cluster, nodeGroup);
      const failure = account.faults().nodeGroupCreationFails;
      const creating = enterNodeGroup(cluster, nodeGroup.name, 'CREATING');
      after(timerOf(cluster, nodeGroup.name), dwellMs.nodeGroupCreating, () =>
        failure
          ? enterNodeGroup(cluster, nodeGroup.name, failure.status, [failure.issue])
          : enterNodeGroup(cluster, nodeGroup.name, 'ACTIVE'),
      );
      return creating;
    },
    changeNodeGroup: (cluster, nodeGroup, changes) =>
      void putNodeGroup(cluster, { ...knownNodeGroup(known(cluster), nodeGroup), ...changes }),
    enterNodeGroup,
    updateNodeGroup: (cluster, nodeGroup, change, applied) => {
      const update = startUpdate(cluster, nodeGroup, change);
      enterNodeGroup(cluster, nodeGroup, 'UPDATING');
      after(timerOf(cluster, nodeGroup), dwellMs.nodeGroupUpdating, () => {
        const one = knownNodeGroup(known(cluster), nodeGroup);
        if (change.outcome === 'Successful') putNodeGroup(cluster, { ...one, ...applied });
        endUpdate(cluster, update, change);
        enterNodeGroup(cluster, nodeGroup, one.issues.length > 0 ? 'DEGRADED' : 'ACTIVE');
      });
      return update;
    },
    deleteNodeGroup: (cluster, nodeGroup) => {
      const deleting = enterNodeGroup(cluster, nodeGroup, 'DELETING', []);
      after(timerOf(cluster, nodeGroup), dwellMs.nodeGroupDeleting, () => {
        const { failingDeletions: failing } = knownNodeGroup(known(cluster), nodeGroup);
        if (failing && failing.times > 0) {
          const failed = enterNodeGroup(cluster, nodeGroup, 'DELETE_FAILED', [failing.issue]);
          const failingDeletions = { ...failing, times: failing.times - 1 };
          return void putNodeGroup(cluster, { ...failed, failingDeletions });
        }
        const { nodeGroups, ...others } = known(cluster);
        const left = [...nodeGroups].filter(([name]) => name !== nodeGroup);
        put({ ...others, nodeGroups: new Map(left) });
        account.onTransition({ cluster, nodeGroup, status: 'GONE', atMs: clock() });
      });
      return deleting;
    },
  };
};

const unknownCause: UpdateError = { errorCode: 'Unknown', errorMessage: 'The update failed.' };

const unknown = (clusterName: string): never => {
  throw new EksError('ResourceNotFoundException', `No cluster found for name: ${clusterName}.`, {
    clusterName,
  });
};

const unknownNodeGroup = ({ name: clusterName }: Cluster, nodegroupName: string): never => {
  const concerned = { clusterName, nodegroupName };
  throw new EksError(
    'ResourceNotFoundException',
    `No node group found for name: ${nodegroupName}.`,
    concerned,
  );
};
