import type { Cluster as EksCluster } from '@aws-sdk/client-eks';
import { type ListedEntry, objectOf } from '../../core/inventory/entry.ts';

/** A cluster of EKS in the inventory. */
export const clusterEntry = (cluster: EksCluster): ListedEntry | undefined => {
  const { name, status, tags = {}, resourcesVpcConfig, health } = cluster;
  if (name === undefined) return undefined;
  const issue = health?.issues?.[0];
  return {
    ...{ id: name, name, tags, state: status, vpcId: resourcesVpcConfig?.vpcId },
    ...(issue && { unhealthy: `${issue.code ?? 'Other'}: ${issue.message ?? 'without a message'}` }),
    object: objectOf(cluster),
  };
};
