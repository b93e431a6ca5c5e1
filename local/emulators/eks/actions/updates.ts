import * as z from 'zod';
import {
  type Cluster,
  type ClusterConfig,
  type NodeGroupSettings,
  type Update,
  updateJson,
} from '../cluster.ts';
import { Paging, page } from '../page.ts';
import type { Change, Region } from '../region.ts';
import { EksError, invalidParameter, operation } from '../rest-json.ts';
import { ConfigRequest, configWith, supportedVersion } from './cluster-config.ts';
import { checkNoUpdate } from './clusters.ts';
import { Labels, ScalingConfig, Taint, UpdateConfig } from './node-groups.ts';

const OfCluster = z.object({ name: z.string() });

/** The type of the update that changes a property of the configuration, and the type of its parameter. */
const updateOf = {
  subnetIds: ['VpcConfigUpdate', 'Subnets'],
  securityGroupIds: ['VpcConfigUpdate', 'SecurityGroups'],
  endpointPublicAccess: ['EndpointAccessUpdate', 'EndpointPublicAccess'],
  endpointPrivateAccess: ['EndpointAccessUpdate', 'EndpointPrivateAccess'],
  publicAccessCidrs: ['EndpointAccessUpdate', 'PublicAccessCidrs'],
  authenticationMode: ['AccessConfigUpdate', 'AuthenticationMode'],
  supportType: ['UpgradePolicyUpdate', 'UpgradePolicy'],
  autoMode: ['AutoModeUpdate', 'ComputeConfig'],
  loggedTypes: ['LoggingUpdate', 'ClusterLogging'],
  deletionProtection: ['DeletionProtectionUpdate', 'DeletionProtection'],
} as const satisfies Record<keyof ClusterConfig, readonly [string, string]>;

/** A request changes one thing. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html */
export const updateClusterConfig = operation(ConfigRequest.extend(OfCluster.shape), (request, region) => {
  const cluster = region.get(request.name);
  const replayed = updateWith(request.clientRequestToken, cluster);
  if (replayed) return { update: updateJson(replayed) };
  checkUpdatable(cluster, 'UpdateClusterConfig');
  const config = configWith(cluster.config, request, region);
  const changed = differences(cluster.config, config);
  const types = new Set(changed.map(({ type }) => type));
  const [type] = types;
  if (type === undefined) throw invalidParameter(`No changes needed for cluster ${cluster.name}.`);
  if (types.size > 1)
    throw invalidParameter(`Only one type of update can be allowed: ${[...types].join(', ')}.`);
  const params = changed.map(({ param, value }) => ({ type: param, value }));
  const change = changeOf(type, params, request.clientRequestToken, region);
  return { update: updateJson(region.update(cluster.name, change, { config })) };
});

const differences = (before: ClusterConfig, after: ClusterConfig) => {
  const values = new Map(
    Object.entries(before).map(([property, value]) => [property, JSON.stringify(value)]),
  );
  return Object.entries(after).flatMap(([property, changed]) => {
    const value = JSON.stringify(changed) ?? 'null';
    const update = new Map<string, readonly [string, string]>(Object.entries(updateOf)).get(property);
    return update && value !== (values.get(property) ?? 'null')
      ? [{ type: update[0], param: update[1], value }]
      : [];
  });
};

/** The next minor version only. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterVersion.html */
export const updateClusterVersion = operation(
  OfCluster.extend({ version: z.string(), clientRequestToken: z.string().optional() }),
  ({ name, version, clientRequestToken }, region) => {
    const cluster = region.get(name);
    const replayed = updateWith(clientRequestToken, cluster);
    if (replayed) return { update: updateJson(replayed) };
    checkUpdatable(cluster, 'UpdateClusterVersion');
    const wanted = supportedVersion(version, region);
    if (minorOf(wanted) !== minorOf(cluster.version) + 1) {
      throw invalidParameter(
        `Unsupported Kubernetes minor version update from ${cluster.version} to ${wanted}`,
      );
    }
    const change = changeOf(
      'VersionUpdate',
      [{ type: 'Version', value: wanted }],
      clientRequestToken,
      region,
    );
    return { update: updateJson(region.update(name, change, { version: wanted })) };
  },
);

const minorOf = (version: string): number => Number(version.split('.')[1]);

/** @throws EksError where the cluster is not ACTIVE, or is being updated. */
const checkUpdatable = (cluster: Cluster, action: string): void => {
  checkNoUpdate(cluster, action);
  if (cluster.status === 'ACTIVE') return;
  const message = `Cluster ${cluster.name} is not in ACTIVE status`;
  throw new EksError('InvalidRequestException', message, { clusterName: cluster.name });
};

const updateWith = (clientToken: string | undefined, { updates }: Cluster): Update | undefined =>
  [...updates.values()].find((one) => clientToken !== undefined && one.clientToken === clientToken);

const changeOf = (
  type: string,
  params: Change['params'],
  clientToken: string | undefined,
  { account }: Region,
): Change => ({ ...{ type, params, clientToken }, outcome: account.faults().updateOutcome });

const UpdateNodegroup = z.object({
  clusterName: z.string(),
  nodegroupName: z.string(),
  scalingConfig: ScalingConfig.optional(),
  updateConfig: UpdateConfig.optional(),
  labels: z
    .object({ addOrUpdateLabels: Labels.default({}), removeLabels: z.array(z.string()).default([]) })
    .prefault({}),
  taints: z
    .object({ addOrUpdateTaints: z.array(Taint).default([]), removeTaints: z.array(Taint).default([]) })
    .prefault({}),
  clientRequestToken: z.string().optional(),
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html */
export const updateNodegroupConfig = operation(UpdateNodegroup, (request, region) => {
  const { clusterName, nodegroupName, clientRequestToken } = request;
  const cluster = region.get(clusterName);
  const { status, settings } = region.nodeGroup(cluster, nodegroupName);
  const replayed = updateWith(clientRequestToken, cluster);
  if (replayed) return { update: updateJson(replayed) };
  if (status !== 'ACTIVE' && status !== 'DEGRADED') {
    const message = `Nodegroup ${nodegroupName} cannot be updated because it is in ${status} status`;
    throw new EksError('ResourceInUseException', message, { clusterName, nodegroupName });
  }
  checkNoUpdate(cluster, 'UpdateNodegroupConfig');
  const { scalingConfig } = request;
  const params = scalingConfig
    ? [
        { type: 'MinSize', value: String(scalingConfig.minSize) },
        { type: 'MaxSize', value: String(scalingConfig.maxSize) },
        { type: 'DesiredSize', value: String(scalingConfig.desiredSize) },
      ]
    : [];
  const change = changeOf('ConfigUpdate', params, clientRequestToken, region);
  const applied = { settings: settingsWith(settings, request) };
  return { update: updateJson(region.updateNodeGroup(clusterName, nodegroupName, change, applied)) };
});

const settingsWith = (
  before: NodeGroupSettings,
  { scalingConfig, updateConfig, labels, taints }: z.infer<typeof UpdateNodegroup>,
): NodeGroupSettings => {
  const keptLabels = Object.entries({ ...before.labels, ...labels.addOrUpdateLabels });
  const replaced = [...taints.addOrUpdateTaints, ...taints.removeTaints];
  const keptTaints = before.taints.filter(
    ({ key, effect }) => !replaced.some((one) => one.key === key && one.effect === effect),
  );
  return {
    ...before,
    scalingConfig: scalingConfig ?? before.scalingConfig,
    updateConfig: updateConfig ?? before.updateConfig,
    labels: Object.fromEntries(keptLabels.filter(([key]) => !labels.removeLabels.includes(key))),
    taints: [...keptTaints, ...taints.addOrUpdateTaints],
  };
};

const OfNodeGroup = OfCluster.extend({ nodegroupName: z.string().optional() });

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListUpdates.html */
export const listUpdates = operation(
  OfNodeGroup.extend(Paging.shape),
  ({ name, nodegroupName, ...paging }, region) => {
    const updates = [...region.get(name).updates.values()];
    const wanted = updates.filter(({ nodeGroup }) => nodeGroup === nodegroupName);
    const { items, nextToken } = page(wanted, paging, ({ id }) => id);
    return { updateIds: items.map(({ id }) => id), nextToken };
  },
);

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeUpdate.html */
export const describeUpdate = operation(
  OfNodeGroup.extend({ updateId: z.string() }),
  ({ name, nodegroupName, updateId }, region) => {
    const update = region.get(name).updates.get(updateId);
    if (update && update.nodeGroup === nodegroupName) return { update: updateJson(update) };
    throw new EksError('ResourceNotFoundException', `No update found for ID: ${updateId}`, {
      clusterName: name,
    });
  },
);
