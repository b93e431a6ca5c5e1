import type { ServedType } from '../../ports/served-type.ts';
import { clusterKind } from './kind.ts';
import type { Clusters, ClusterUpdates } from './ports.ts';
import { ClusterFacts, type ClusterRecords } from './record.ts';

/** Clusters on EKS, as the normaliser and the poller need them. */
export const servedClusters = (
  clusters: Clusters,
  records?: ClusterRecords,
  updates?: ClusterUpdates,
): ServedType => ({
  kind: clusterKind,
  service: 'EKS',
  resources: clusters,
  describeTimeoutMs: 3_000, // a cluster takes three calls or more, one after the other
  records,
  changes: updates && { state: 'UPDATING', failure: updates },
  factsSeen: (seen) => ClusterFacts.parse(seen),
});
