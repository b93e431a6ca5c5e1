import type { Cluster, Issue, NodeGroup, UpdateError } from './cluster.ts';
import type { Region } from './region.ts';
import { EksError } from './rest-json.ts';

/**
 * What happens to clusters and node groups without a call of the client. Each method throws an EksError for an unknown cluster or node group.
 * A name means the first region that has such a cluster.
 */
export type ClusterFaults = {
  /** Makes a cluster that is being created FAILED now. It keeps its name until it is deleted. */
  failCluster(cluster: string, issue: Issue): void;
  /** Makes a node group CREATE_FAILED now where it is CREATING, else DEGRADED. */
  failNodeGroup(cluster: string, nodeGroup: string, issue: Issue): void;
  /** Makes the next deletions of a node group end in DELETE_FAILED; with Infinity, all of them. */
  failDeletions(
    cluster: string,
    nodeGroup: string,
    failing: { readonly times: number; readonly issue: Issue },
  ): void;
  /** Replaces the health issues of a cluster, whose status stays as it is. */
  clusterIssues(cluster: string, issues: readonly Issue[]): void;
  /** Replaces the health issues of a node group: it is DEGRADED with issues, and ACTIVE without. */
  nodeGroupIssues(cluster: string, nodeGroup: string, issues: readonly Issue[]): void;
  /** Somebody else updates an ACTIVE cluster. @returns the id of the update */
  updateCluster(cluster: string, update?: OtherUpdate): string;
  /** AWS patches the control plane: a cluster stays ACTIVE, and refuses all changes because of an update, until `endPatch`. */
  startPatch(cluster: string): void;
  endPatch(cluster: string): void;
  /** Somebody else deletes a node group. */
  removeNodeGroup(cluster: string, nodeGroup: string): void;
  /** Somebody else deletes a cluster, with its node groups, at once. */
  removeCluster(cluster: string): void;
  /** Ends the status that a cluster or node group is in now, as if its time had passed; does nothing where it would not end by itself. */
  settle(cluster: string, nodeGroup?: string): void;
  /** Keeps a cluster or node group in a status that it would leave by itself, until a call or another of these methods changes it. */
  stall(cluster: string, nodeGroup?: string): void;
};

type OtherUpdate = {
  /** @default VersionUpdate */
  readonly type?: string;
  /** @default Successful */
  readonly outcome?: 'Successful' | 'Failed';
  readonly errors?: readonly UpdateError[];
};

export const clusterFaults = (regions: () => Iterable<Region>): ClusterFaults => {
  const find = (name: string): { readonly region: Region; readonly cluster: Cluster } => {
    for (const region of regions()) {
      const cluster = region.lookUp(name);
      if (cluster) return { region, cluster };
    }
    throw new EksError('ResourceNotFoundException', `No cluster found for name: ${name}.`);
  };
  const findNodeGroup = (
    name: string,
    nodeGroup: string,
  ): { readonly region: Region; readonly group: NodeGroup } => {
    const { region, cluster } = find(name);
    const group = cluster.nodeGroups.get(nodeGroup);
    if (group) return { region, group };
    throw new EksError('ResourceNotFoundException', `No node group found for name: ${nodeGroup}.`);
  };
  const regionOf = (name: string, nodeGroup: string | undefined): Region =>
    (nodeGroup === undefined ? find(name) : findNodeGroup(name, nodeGroup)).region;
  return {
    failCluster: (name, issue) => {
      const { region, cluster } = find(name);
      if (cluster.hasEndpoint || cluster.status === 'DELETING') {
        throw new EksError('InvalidRequestException', `The cluster ${name} is not being created.`);
      }
      region.enter(name, 'FAILED', [issue]);
    },
    failNodeGroup: (name, nodeGroup, issue) => {
      const { region, group } = findNodeGroup(name, nodeGroup);
      const status = group.status === 'CREATING' ? 'CREATE_FAILED' : 'DEGRADED';
      region.enterNodeGroup(name, nodeGroup, status, [issue]);
    },
    failDeletions: (name, nodeGroup, failingDeletions) =>
      findNodeGroup(name, nodeGroup).region.changeNodeGroup(name, nodeGroup, { failingDeletions }),
    clusterIssues: (name, issues) => void find(name).region.change(name, { issues }),
    nodeGroupIssues: (name, nodeGroup, issues) =>
      void findNodeGroup(name, nodeGroup).region.enterNodeGroup(
        name,
        nodeGroup,
        issues.length > 0 ? 'DEGRADED' : 'ACTIVE',
        issues,
      ),
    updateCluster: (name, { type = 'VersionUpdate', outcome = 'Successful', errors } = {}) => {
      const { region, cluster } = find(name);
      if (cluster.status !== 'ACTIVE') {
        throw new EksError('InvalidRequestException', `Cluster '${name}' is not in ACTIVE status`);
      }
      const change = { type, params: [], clientToken: undefined, outcome, ...(errors && { errors }) };
      return region.update(name, change, {}).id;
    },
    startPatch: (name) => void find(name).region.change(name, { isPatched: true }),
    endPatch: (name) => void find(name).region.change(name, { isPatched: false }),
    removeNodeGroup: (name, nodeGroup) =>
      void findNodeGroup(name, nodeGroup).region.deleteNodeGroup(name, nodeGroup),
    removeCluster: (name) => find(name).region.remove(name),
    settle: (name, nodeGroup) => regionOf(name, nodeGroup).settle(name, nodeGroup),
    stall: (name, nodeGroup) => regionOf(name, nodeGroup).stall(name, nodeGroup),
  };
};
