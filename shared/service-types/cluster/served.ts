import type { ServedType } from '../../ports/served-type.ts';
import { clusterKind } from './kind.ts';
import type { Clusters } from './ports.ts';
import { ClusterFacts, type ClusterRecords } from './record.ts';

/** Clusters on EKS, as the normaliser and the poller need them. */
export const servedClusters = (clusters: Clusters, records?: ClusterRecords): ServedType => ({
  kind: clusterKind,
  service: 'EKS',
  resources: clusters,
  describeTimeoutMs: 3_000, // a cluster takes three calls or more, one after the other
  records,
  factsSeen: (seen) => ClusterFacts.parse(seen),
});
