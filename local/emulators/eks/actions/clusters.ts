import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { type Cluster, clusterJson } from '../cluster.ts';
import { Paging, page } from '../page.ts';
import type { Region } from '../region.ts';
import { EksError, invalidParameter, operation } from '../rest-json.ts';
import { initialEntries } from './access.ts';
import {
  ConfigRequest,
  checkRole,
  configWith,
  defaultConfig,
  RoleArn,
  subnetsWith,
  supportedVersion,
} from './cluster-config.ts';
import { EksTags } from './tags.ts';

export const CreateCluster = ConfigRequest.extend({
  name: z
    .string()
    .max(100)
    .regex(/^[0-9A-Za-z][A-Za-z0-9-_]*$/, 'expected letters, digits, - and _, the first a letter or digit'),
  version: z.string().optional(),
  roleArn: RoleArn,
  bootstrapSelfManagedAddons: z.boolean().default(true),
  tags: EksTags.default({}),
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html */
export const createCluster = operation(CreateCluster, (request, region) => {
  const replayed = replayedCreation(request, region.all());
  if (replayed) return { cluster: clusterJson(replayed) };
  const cluster = clusterOf(request, region);
  checkPlace(cluster, region);
  return { cluster: clusterJson(region.create(cluster)) };
});

type Created = { readonly clientToken: string | undefined; readonly request: unknown };

/** What was created with the client token of this request. @throws EksError where that was another request. */
export const replayedCreation = <One extends Created>(
  request: { readonly clientRequestToken?: string | undefined },
  all: Iterable<One>,
): One | undefined => {
  const { clientRequestToken: token } = request;
  const created = [...all].find(({ clientToken }) => token !== undefined && clientToken === token);
  if (created === undefined || isDeepStrictEqual(created.request, request)) return created;
  throw invalidParameter(`The clientRequestToken ${token} was used with other parameters.`);
};

/** A new cluster. @throws EksError where there can be no such cluster. */
export const clusterOf = (request: z.infer<typeof CreateCluster>, region: Region): Cluster => {
  const { name, roleArn, accessConfig, kubernetesNetworkConfig, tags } = request;
  const config = configWith(defaultConfig, request, region);
  checkRole(roleArn, region);
  const { bootstrapClusterCreatorAdminPermissions } = accessConfig;
  if (config.authenticationMode === 'CONFIG_MAP' && !bootstrapClusterCreatorAdminPermissions) {
    throw invalidParameter(
      'bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is set to CONFIG_MAP',
    );
  }
  if (config.autoMode && request.bootstrapSelfManagedAddons) {
    throw invalidParameter('bootstrapSelfManagedAddons must be false for EKS Auto Mode.');
  }
  const nowMs = region.account.clock();
  return {
    name,
    region: region.name,
    account: region.account.id,
    createdAtMs: nowMs,
    version: supportedVersion(request.version, region),
    roleArn,
    vpcId: subnetsWith(config.subnetIds, region)[0]?.vpcId ?? '',
    bootstrapClusterCreatorAdminPermissions,
    serviceIpv4Cidr: kubernetesNetworkConfig?.serviceIpv4Cidr ?? '10.100.0.0/16',
    config,
    clientToken: request.clientRequestToken,
    request,
    status: 'CREATING',
    changedAtMs: nowMs,
    hasEndpoint: false,
    issues: [],
    tags,
    isPatched: false,
    nodeGroups: new Map(),
    updates: new Map(),
    accessEntries: initialEntries(config, bootstrapClusterCreatorAdminPermissions, region),
  };
};

/** A FAILED cluster keeps its name until it is deleted. */
const checkPlace = ({ name: clusterName }: Cluster, region: Region): void => {
  if (region.lookUp(clusterName)) {
    throw new EksError('ResourceInUseException', `Cluster already exists with name: ${clusterName}`, {
      clusterName,
    });
  }
  const { clusters } = region.account.faults().limits;
  if ([...region.all()].length < clusters) return;
  throw new EksError('ResourceLimitExceededException', `Cluster limit of ${clusters} is exceeded.`, {
    clusterName,
  });
};

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListClusters.html */
export const listClusters = operation(Paging, (paging, region) => {
  const { items, nextToken } = page(region.found(), paging, ({ name }) => name);
  return { clusters: items.map(({ name }) => name), nextToken };
});

const Named = z.object({ name: z.string() });

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html */
export const describeCluster = operation(Named, ({ name }, region) => ({
  cluster: clusterJson(region.get(name)),
}));

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteCluster.html */
export const deleteCluster = operation(Named, ({ name }, region) => {
  const cluster = region.get(name);
  const { creating, deleting } = region.account.faults().deleteWhile;
  const { status, config, nodeGroups } = cluster;
  const refused = (code: 'ResourceInUseException' | 'InvalidRequestException', message: string) =>
    new EksError(code, message, { clusterName: name });
  if (config.deletionProtection) {
    throw refused('InvalidRequestException', `Cluster ${name} has deletion protection enabled.`);
  }
  const [nodeGroup] = nodeGroups.keys();
  if (nodeGroup !== undefined) {
    const concerned = { clusterName: name, nodegroupName: nodeGroup };
    throw new EksError('ResourceInUseException', 'Cluster has nodegroups attached', concerned);
  }
  if (status === 'DELETING') {
    if (deleting === 'accepted') return { cluster: clusterJson(cluster) };
    throw refused(deleting, `Cannot delete because cluster ${name} is in DELETING status`);
  }
  if (status === 'CREATING' || status === 'PENDING') {
    throw refused(creating, `Cannot delete because cluster ${name} is in ${status} status`);
  }
  checkNoUpdate(cluster, 'delete');
  return { cluster: clusterJson(region.delete(name)) };
});

/** @throws EksError where an update of the cluster is in progress, whether its status shows that or not. */
export const checkNoUpdate = ({ name, status, isPatched, updates }: Cluster, attempt: string): void => {
  if (status !== 'UPDATING' && !isPatched) return;
  const running = [...updates.values()].find((one) => one.status === 'InProgress' && !one.nodeGroup);
  const update = running ? `update ${running.id}` : 'an update';
  const message = `Cannot ${attempt} because cluster ${name} currently has ${update} in progress`;
  throw new EksError('ResourceInUseException', message, { clusterName: name });
};
