import * as z from 'zod';
import type { ClusterSubnet } from '../account.ts';
import type { ClusterConfig } from '../cluster.ts';
import { supportOf } from '../cluster-versions.ts';
import type { Region } from '../region.ts';
import { EksError, invalidParameter } from '../rest-json.ts';

export const RoleArn = z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/, 'expected the ARN of a role');

const Switch = z.object({ enabled: z.boolean().optional() });

const AutoModeRequest = z.object({
  computeConfig: Switch.extend({
    nodePools: z.array(z.string()).default([]),
    nodeRoleArn: RoleArn.optional(),
  }).optional(),
  kubernetesNetworkConfig: z
    .object({ serviceIpv4Cidr: z.string().optional(), elasticLoadBalancing: Switch.optional() })
    .optional(),
  storageConfig: z.object({ blockStorage: Switch.optional() }).optional(),
});

/** The members of a request to create a cluster, or to update its configuration. */
export const ConfigRequest = AutoModeRequest.extend({
  resourcesVpcConfig: z
    .object({
      subnetIds: z.array(z.string()).optional(),
      securityGroupIds: z.array(z.string()).max(5, 'expected at most 5 security groups').optional(),
      endpointPublicAccess: z.boolean().optional(),
      endpointPrivateAccess: z.boolean().optional(),
      publicAccessCidrs: z.array(z.string()).optional(),
    })
    .default({}),
  accessConfig: z
    .object({
      authenticationMode: z.enum(['API', 'API_AND_CONFIG_MAP', 'CONFIG_MAP']).optional(),
      bootstrapClusterCreatorAdminPermissions: z.boolean().default(true),
    })
    .prefault({}),
  upgradePolicy: z.object({ supportType: z.enum(['STANDARD', 'EXTENDED']).optional() }).default({}),
  logging: z
    .object({
      clusterLogging: z.array(
        z.object({ types: z.array(z.string()).default([]), enabled: z.boolean().default(false) }),
      ),
    })
    .optional(),
  deletionProtection: z.boolean().optional(),
  clientRequestToken: z.string().optional(),
});
type ConfigRequest = z.infer<typeof ConfigRequest>;

/** The configuration of a cluster that asks for nothing. The authentication mode is that of clusters created by API. */
export const defaultConfig: ClusterConfig = {
  subnetIds: [],
  securityGroupIds: [],
  endpointPublicAccess: true,
  endpointPrivateAccess: false,
  publicAccessCidrs: ['0.0.0.0/0'],
  authenticationMode: 'CONFIG_MAP',
  supportType: 'EXTENDED',
  autoMode: undefined,
  loggedTypes: [],
  deletionProtection: false,
};

/** The configuration with what the request changes. @throws EksError where it cannot be so. */
export const configWith = (
  before: ClusterConfig,
  { resourcesVpcConfig: vpc, accessConfig, upgradePolicy, logging, ...request }: ConfigRequest,
  region: Region,
): ClusterConfig => {
  const config: ClusterConfig = {
    subnetIds: vpc.subnetIds ?? before.subnetIds,
    securityGroupIds: vpc.securityGroupIds ?? before.securityGroupIds,
    endpointPublicAccess: vpc.endpointPublicAccess ?? before.endpointPublicAccess,
    endpointPrivateAccess: vpc.endpointPrivateAccess ?? before.endpointPrivateAccess,
    publicAccessCidrs: vpc.publicAccessCidrs ?? before.publicAccessCidrs,
    authenticationMode: accessConfig.authenticationMode ?? before.authenticationMode,
    supportType: upgradePolicy.supportType ?? before.supportType,
    autoMode: autoModeOf(request, before.autoMode),
    loggedTypes: logging
      ? logging.clusterLogging.flatMap(({ types, enabled }) => (enabled ? types : []))
      : before.loggedTypes,
    deletionProtection: request.deletionProtection ?? before.deletionProtection,
  };
  checkConfig(config, region);
  return config;
};

const checkConfig = (config: ClusterConfig, region: Region): void => {
  checkZones(subnetsWith(config.subnetIds, region), region);
  checkRole(config.autoMode?.nodeRoleArn, region);
  if (!config.endpointPublicAccess && !config.endpointPrivateAccess) {
    throw invalidParameter('Private and public endpoint access cannot be false.');
  }
  if (config.autoMode && config.authenticationMode === 'CONFIG_MAP') {
    throw invalidParameter('EKS Auto Mode needs the authentication mode API or API_AND_CONFIG_MAP.');
  }
};

type AutoMode = ClusterConfig['autoMode'];

/** @see https://docs.aws.amazon.com/eks/latest/userguide/automode-get-started-cli.html */
const autoModeOf = (
  { computeConfig, kubernetesNetworkConfig, storageConfig }: z.infer<typeof AutoModeRequest>,
  before: AutoMode,
): AutoMode => {
  const switches = new Set([
    computeConfig?.enabled,
    kubernetesNetworkConfig?.elasticLoadBalancing?.enabled,
    storageConfig?.blockStorage?.enabled,
  ]);
  if (switches.size > 1) {
    throw invalidParameter(
      'For EKS Auto Mode, please ensure that all required configs, including computeConfig, kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.',
    );
  }
  const { enabled, nodePools = [], nodeRoleArn } = computeConfig ?? {};
  if (enabled === undefined) return before;
  const unknown = nodePools.find((pool) => pool !== 'general-purpose' && pool !== 'system');
  if (unknown !== undefined) throw invalidParameter(`The node pool ${unknown} is not supported.`);
  if (!enabled && (nodePools.length > 0 || nodeRoleArn !== undefined)) {
    throw invalidParameter('When computeConfig is disabled, nodePools and nodeRoleArn must not be provided.');
  }
  if (nodePools.length > 0 && nodeRoleArn === undefined) {
    throw invalidParameter('When nodePools are provided, nodeRoleArn must be provided.');
  }
  if (nodeRoleArn !== undefined && nodePools.length === 0) {
    throw invalidParameter(
      'When Compute Config nodeRoleArn is not null or empty, nodePool value(s) must be provided.',
    );
  }
  return enabled ? { nodePools, nodeRoleArn } : undefined;
};

/** The subnets of these ids. @throws EksError for an unknown one. */
export const subnetsWith = (ids: readonly string[], { name, account }: Region): readonly ClusterSubnet[] => {
  const subnets = account.subnets(name);
  return ids.map((id) => {
    const subnet = subnets.find((one) => one.id === id);
    if (subnet) return subnet;
    throw invalidParameter(
      `The subnet ID '${id}' does not exist (Service: AmazonEC2; Status Code: 400; Error Code: InvalidSubnetID.NotFound)`,
    );
  });
};

/** @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html */
const checkZones = (subnets: readonly ClusterSubnet[], { name, account }: Region): void => {
  if (new Set(subnets.map(({ vpcId }) => vpcId)).size > 1) {
    throw invalidParameter('Subnets specified must belong to the same VPC.');
  }
  const { unsupportedZones } = account.faults();
  const unsupported = subnets.find(({ zone }) => unsupportedZones.includes(zone));
  if (unsupported) {
    const validZones = [...new Set(account.subnets(name).map(({ zone }) => zone))].filter(
      (zone) => !unsupportedZones.includes(zone),
    );
    throw new EksError(
      'UnsupportedAvailabilityZoneException',
      `Cannot create cluster because ${unsupported.zone}, the targeted availability zone, does not currently have sufficient capacity to support the cluster. Retry and choose from these availability zones: ${validZones.join(', ')}`,
      { validZones },
    );
  }
  if (new Set(subnets.map(({ zone }) => zone)).size < 2) {
    throw invalidParameter('Subnets specified must be in at least two different AZs');
  }
};

/** @throws EksError where the faults say that there is no such role. */
export const checkRole = (roleArn: string | undefined, { account }: Region): void => {
  const role = roleArn?.split('/').at(-1) ?? '';
  if (!account.faults().missingRoles.includes(role)) return;
  throw invalidParameter(
    `The role with name ${role} cannot be found. (Service: AmazonIdentityManagement; Status Code: 404; Error Code: NoSuchEntity)`,
  );
};

/** The version itself where EKS supports it, or the default version where none is given. @throws EksError for another one. */
export const supportedVersion = (version: string | undefined, { account }: Region): string => {
  const offered = account.versions();
  const found = offered.find((one) => (version === undefined ? one.isDefault : one.version === version));
  if (found && supportOf(found, account.clock()) !== 'UNSUPPORTED') return found.version;
  throw invalidParameter(`unsupported Kubernetes version ${version ?? ''}`);
};
