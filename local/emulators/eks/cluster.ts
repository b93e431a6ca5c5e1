import { createHash } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import { patchVersion, platformVersion } from './cluster-versions.ts';

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html */
export type ClusterStatus = 'PENDING' | 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING' | 'FAILED';

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html */
export type NodeGroupStatus =
  | 'CREATING'
  | 'ACTIVE'
  | 'UPDATING'
  | 'DEGRADED'
  | 'DELETING'
  | 'CREATE_FAILED'
  | 'DELETE_FAILED';

/** A health issue. Codes: https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterIssue.html and API_Issue.html there */
export type Issue = {
  readonly code: string;
  readonly message: string;
  readonly resourceIds?: readonly string[];
};

export type AuthenticationMode = 'API' | 'API_AND_CONFIG_MAP' | 'CONFIG_MAP';

/** What an update of the configuration can change. */
export type ClusterConfig = {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly endpointPublicAccess: boolean;
  readonly endpointPrivateAccess: boolean;
  readonly publicAccessCidrs: readonly string[];
  readonly authenticationMode: AuthenticationMode;
  readonly supportType: 'STANDARD' | 'EXTENDED';
  /** undefined without EKS Auto Mode. */
  readonly autoMode:
    | { readonly nodePools: readonly string[]; readonly nodeRoleArn: string | undefined }
    | undefined;
  readonly loggedTypes: readonly string[];
  readonly deletionProtection: boolean;
};

/** An update of a cluster or node group. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_Update.html */
export type Update = {
  readonly id: string;
  /** undefined for an update of the cluster. */
  readonly nodeGroup: string | undefined;
  readonly type: string;
  readonly status: 'InProgress' | 'Failed' | 'Cancelled' | 'Successful';
  readonly params: readonly { readonly type: string; readonly value: string }[];
  readonly createdAtMs: number;
  readonly errors: readonly UpdateError[];
  readonly clientToken: string | undefined;
};

export type UpdateError = {
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly resourceIds?: readonly string[];
};

export type AccessEntry = {
  readonly principalArn: string;
  readonly type: string;
  readonly username: string;
  readonly kubernetesGroups: readonly string[];
  readonly tags: Tags;
  readonly createdAtMs: number;
  readonly policies: readonly AssociatedPolicy[];
};

export type AssociatedPolicy = {
  readonly policyArn: string;
  readonly accessScope: { readonly type: 'cluster' | 'namespace'; readonly namespaces: readonly string[] };
  readonly associatedAtMs: number;
};

/** A cluster with all that belongs to it, which vanishes with it. */
export type Cluster = {
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly createdAtMs: number;
  readonly version: string;
  readonly roleArn: string;
  readonly vpcId: string;
  readonly bootstrapClusterCreatorAdminPermissions: boolean;
  readonly serviceIpv4Cidr: string;
  readonly config: ClusterConfig;
  readonly clientToken: string | undefined;
  /** The whole request, to compare it with another one that has the same client token. */
  readonly request: unknown;
  readonly status: ClusterStatus;
  readonly changedAtMs: number;
  /** It was ACTIVE once, and has an endpoint since. */
  readonly hasEndpoint: boolean;
  readonly issues: readonly Issue[];
  readonly tags: Tags;
  /** AWS patches the control plane: no change is accepted, whatever the status. */
  readonly isPatched: boolean;
  readonly nodeGroups: ReadonlyMap<string, NodeGroup>;
  readonly updates: ReadonlyMap<string, Update>;
  readonly accessEntries: ReadonlyMap<string, AccessEntry>;
};

export type NodeGroup = {
  readonly name: string;
  /** Part of its ARN and of the name of its Auto Scaling group. */
  readonly id: string;
  readonly createdAtMs: number;
  readonly version: string;
  readonly settings: NodeGroupSettings;
  readonly clientToken: string | undefined;
  readonly request: unknown;
  readonly status: NodeGroupStatus;
  readonly changedAtMs: number;
  readonly hasNodes: boolean;
  readonly issues: readonly Issue[];
  readonly tags: Tags;
  /** How many more of its deletions fail, and with which issue. */
  readonly failingDeletions: { readonly times: number; readonly issue: Issue } | undefined;
};

export type Scaling = { readonly minSize: number; readonly maxSize: number; readonly desiredSize: number };

export type NodeGroupSettings = {
  readonly scalingConfig: Scaling;
  readonly updateConfig: {
    readonly maxUnavailable?: number | undefined;
    readonly maxUnavailablePercentage?: number | undefined;
  };
  readonly diskSize: number;
  readonly subnets: readonly string[];
  readonly instanceTypes: readonly string[];
  readonly amiType: string;
  readonly capacityType: string;
  readonly nodeRole: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Readonly<Record<string, string | undefined>>[];
};

type Named = Pick<Cluster, 'name' | 'region' | 'account'>;

const arnOf = ({ region, account }: Named, resource: string): string =>
  `arn:aws:eks:${region}:${account}:${resource}`;

export const clusterArn = (cluster: Named): string => arnOf(cluster, `cluster/${cluster.name}`);

export const nodeGroupArn = (cluster: Named, { name, id }: Pick<NodeGroup, 'name' | 'id'>): string =>
  arnOf(cluster, `nodegroup/${cluster.name}/${name}/${id}`);

const accessEntryArn = (cluster: Named, { principalArn, createdAtMs }: AccessEntry): string => {
  const [, , , , account = '', principal = ''] = principalArn.split(':');
  const [kind = '', ...path] = principal.split('/');
  const id = uuidOf(`${clusterArn(cluster)} ${principalArn} ${createdAtMs}`);
  return arnOf(cluster, `access-entry/${cluster.name}/${kind}/${account}/${path.at(-1) ?? ''}/${id}`);
};

const hexOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const uuidOf = (text: string): string =>
  hexOf(text)
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

const allLogTypes = ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'];

/** The member `cluster` of an answer. Times are seconds. */
export const clusterJson = (cluster: Cluster): object => {
  const { name, region, config, createdAtMs, hasEndpoint } = cluster;
  const hex = hexOf(`${clusterArn(cluster)} ${createdAtMs}`);
  const id = hex.slice(0, 32).toUpperCase();
  return {
    name,
    arn: clusterArn(cluster),
    createdAt: createdAtMs / 1000,
    version: cluster.version,
    platformVersion,
    roleArn: cluster.roleArn,
    status: cluster.status,
    ...(hasEndpoint && {
      endpoint: `https://${id}.gr7.${region}.eks.amazonaws.com`,
      identity: { oidc: { issuer: `https://oidc.eks.${region}.amazonaws.com/id/${id}` } },
    }),
    certificateAuthority: hasEndpoint ? { data: certificateOf(hex) } : {},
    resourcesVpcConfig: {
      subnetIds: config.subnetIds,
      securityGroupIds: config.securityGroupIds,
      ...(hasEndpoint && { clusterSecurityGroupId: `sg-0${hex.slice(0, 16)}` }),
      vpcId: cluster.vpcId,
      endpointPublicAccess: config.endpointPublicAccess,
      endpointPrivateAccess: config.endpointPrivateAccess,
      publicAccessCidrs: config.publicAccessCidrs,
    },
    kubernetesNetworkConfig: {
      serviceIpv4Cidr: cluster.serviceIpv4Cidr,
      ipFamily: 'ipv4',
      elasticLoadBalancing: { enabled: config.autoMode !== undefined },
    },
    computeConfig: { enabled: config.autoMode !== undefined, ...config.autoMode },
    storageConfig: { blockStorage: { enabled: config.autoMode !== undefined } },
    logging: {
      clusterLogging: [
        { types: config.loggedTypes, enabled: true },
        { types: allLogTypes.filter((type) => !config.loggedTypes.includes(type)), enabled: false },
      ].filter(({ types }) => types.length > 0),
    },
    accessConfig: {
      authenticationMode: config.authenticationMode,
      bootstrapClusterCreatorAdminPermissions: cluster.bootstrapClusterCreatorAdminPermissions,
    },
    upgradePolicy: { supportType: config.supportType },
    deletionProtection: config.deletionProtection,
    clientRequestToken: cluster.clientToken,
    health: { issues: cluster.issues },
    tags: cluster.tags,
  };
};

/** Has the form of a certificate in PEM, in base64, but certifies nothing. */
const certificateOf = (hex: string): string => {
  const lines = Buffer.from(hex.repeat(8), 'hex').toString('base64').replace(/.{64}/g, '$&\n');
  return Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`).toString('base64');
};

/** The member `nodegroup` of an answer. */
export const nodeGroupJson = (cluster: Cluster, nodeGroup: NodeGroup): object => ({
  nodegroupName: nodeGroup.name,
  nodegroupArn: nodeGroupArn(cluster, nodeGroup),
  clusterName: cluster.name,
  version: nodeGroup.version,
  releaseVersion: `${patchVersion(nodeGroup.version)}-20260102`,
  createdAt: nodeGroup.createdAtMs / 1000,
  modifiedAt: nodeGroup.changedAtMs / 1000,
  status: nodeGroup.status,
  ...nodeGroup.settings,
  resources: nodeGroup.hasNodes
    ? { autoScalingGroups: [{ name: `eks-${nodeGroup.name}-${nodeGroup.id}` }] }
    : {},
  health: { issues: nodeGroup.issues },
  tags: nodeGroup.tags,
});

/** The member `update` of an answer. */
export const updateJson = ({ id, type, status, params, createdAtMs, errors }: Update): object => ({
  ...{ id, type, status, params, errors },
  createdAt: createdAtMs / 1000,
});

/** The member `accessEntry` of an answer. */
export const accessEntryJson = (cluster: Cluster, entry: AccessEntry): object => ({
  clusterName: cluster.name,
  principalArn: entry.principalArn,
  accessEntryArn: accessEntryArn(cluster, entry),
  type: entry.type,
  username: entry.username,
  kubernetesGroups: entry.kubernetesGroups,
  tags: entry.tags,
  createdAt: entry.createdAtMs / 1000,
  modifiedAt: entry.createdAtMs / 1000,
});

/** An element of `associatedAccessPolicies` of an answer. */
export const associatedPolicyJson = ({
  policyArn,
  accessScope,
  associatedAtMs,
}: AssociatedPolicy): object => ({
  policyArn,
  accessScope,
  associatedAt: associatedAtMs / 1000,
  modifiedAt: associatedAtMs / 1000,
});
