import type { Target } from '../../core/target.ts';
import type { DescribedResource, DescribedResources } from '../../ports/described-resources.ts';
import type { ChangeFailure } from '../../ports/served-type.ts';
import type { ClusterState } from './kind.ts';
import type { ClusterPlan, Workers } from './launch.ts';
import type { NodeGroup } from './state.ts';

/** A cluster as EKS describes it, with its node groups where it is DCM's. */
export type Cluster = DescribedResource<ClusterState> & {
  readonly name: string;
  /** EKS's word for the cluster alone. */
  readonly status: string;
  readonly version: string | undefined;
  readonly nodeGroups: readonly NodeGroup[];
  /** In its tags; undefined in Auto Mode. */
  readonly workers: Workers | undefined;
  readonly subnetIds: readonly string[];
  /** Base64 of the PEM certificate of its Kubernetes API; undefined until it is ACTIVE. */
  readonly certificateAuthority: string | undefined;
};

export type Clusters = DescribedResources<Cluster>;

/** Why the newest update of a cluster, or of its workers, failed or was cancelled. */
export type ClusterUpdates = ChangeFailure;

export type CreatedCluster = {
  readonly account: string;
  /** Milliseconds since 1970, on EKS's clock. */
  readonly createdAtMs: number;
};

/**
 * The actions on EKS clusters. Every one is idempotent and answers in seconds, before its effect is complete. Rejects with the error of
 * core/errors.ts that belongs to EKS's error code; `FailedPreconditionError` where the state of the cluster or of a node group does not
 * allow the action now.
 */
export type ClusterActions = {
  /** `taken`: there is a cluster with this name already, of an earlier attempt or another one. */
  create(plan: ClusterPlan, clientToken: string): Promise<CreatedCluster | 'taken'>;
  createNodeGroup(
    target: Target,
    clusterName: string,
    group: {
      readonly name: string;
      readonly workers: Workers;
      readonly nodeRoleArn: string;
      readonly subnetIds: readonly string[];
      readonly tags: Readonly<Record<string, string>>;
      readonly clientToken: string;
    },
  ): Promise<void>;
  /** Resolves also where there is no such node group. */
  deleteNodeGroup(target: Target, clusterName: string, name: string): Promise<void>;
  /** Resolves also where there is no such cluster. */
  delete(target: Target, clusterName: string): Promise<void>;
  /** The ARNs of the principals that administer the cluster. */
  administrators(target: Target, clusterName: string): Promise<readonly string[]>;
  /** Makes an IAM user or role an administrator of the cluster. */
  addAdministrator(target: Target, clusterName: string, principalArn: string): Promise<void>;
};

/** A minor version of Kubernetes that EKS offers. */
export type ClusterVersion = {
  /** Such as `1.33`. */
  readonly version: string;
  readonly support: 'standard' | 'extended' | 'ended';
  /** The version of clusters that name none. */
  readonly isDefault: boolean;
};

/** The versions that EKS offers in a region. Answers may be minutes old. Errors as those of ClusterActions. */
export type ClusterVersions = (target: Target) => Promise<readonly ClusterVersion[]>;
