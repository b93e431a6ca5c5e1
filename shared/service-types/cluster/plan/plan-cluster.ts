import { InvalidArgumentError, UnprocessableError } from '../../../core/errors.ts';
import { labelsField, type TagKeys } from '../../../core/ownership.ts';
import { type Target, targetKey } from '../../../core/target.ts';
import { familyOf, fittingTypes, type InstanceType } from '../../instance-types.ts';
import { resourceTags } from '../../resource-tags.ts';
import { type ClusterPlan, clusterNameOf, type Workers } from '../launch.ts';
import type { ClusterVersions } from '../ports.ts';
import type { ClusterNetwork, ClusterProvisioning, EndpointAccess } from '../provisioning.ts';
import { type ClusterSpec, smallestDiskGib } from '../spec.ts';
import { chooseVersion } from './choose-version.ts';

type NodeType = InstanceType & { readonly architectures: readonly string[] };

export type PlanningParts = {
  readonly versions: ClusterVersions;
  /** The virtual instance types of these families in the region. */
  readonly instanceTypes: (target: Target, families: readonly string[]) => Promise<readonly NodeType[]>;
  readonly provisioning: ClusterProvisioning;
  /** The number of clusters that are not deleted, over all regions. */
  readonly livingClusters: () => Promise<number>;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

type Request = Target & {
  readonly dcmId: string;
  readonly requestId: string;
  readonly generation: number;
};

/**
 * Plans a cluster before EKS is asked for it. Every field of the spec is in the plan, or the spec is refused, but for the nodes of the
 * control plane, which EKS manages itself.
 * @throws InvalidArgumentError for fields that contradict each other; UnprocessableError for what EKS does not offer, or the operator's
 * limits forbid; what `versions` and `instanceTypes` throw.
 */
export const planCluster =
  ({ versions, instanceTypes, provisioning, livingClusters, provider, tagKeys }: PlanningParts) =>
  async (
    spec: ClusterSpec,
    { dcmId, region, account, requestId, generation }: Request,
  ): Promise<ClusterPlan> => {
    const target = { region, account };
    const network = networkOf(provisioning, region);
    checkLimits(spec, provisioning);
    const living = await livingClusters();
    if (living >= provisioning.maximumClusters)
      throw new UnprocessableError(
        `there are ${living} clusters, and this provider allows ${provisioning.maximumClusters}; delete one first`,
      );
    const chosen = chooseVersion(spec.version, await versions(target), { region, ...provisioning });
    const { workers, chosenBy } = await workersOf(spec);
    return {
      region: targetKey(target),
      name: clusterNameOf({ dcmId, generation }),
      version: chosen.version,
      clusterRoleArn: provisioning.clusterRoleArn,
      nodeRoleArn: provisioning.nodeRoleArn,
      subnetIds: network.subnets.map(({ id }) => id),
      securityGroupIds: network.securityGroupIds,
      endpoint: endpointOf(spec, provisioning.endpoint),
      extendedSupport: chosen.isExtended,
      workers,
      adminPrincipals: spec.hints.admin_principals ?? provisioning.adminPrincipals,
      ...labelsField(spec.labels),
      tags: resourceTags(spec, {
        ...{ serviceType: 'cluster', service: 'EKS', further: furtherTags },
        ...{ dcmId, provider, requestId, keys: tagKeys },
      }),
      chosenBy: { version: chosen.chosenBy, workers: chosenBy },
    };

    async function workersOf({ workers, hints }: ClusterSpec) {
      if (workers === undefined)
        return { workers: undefined, chosenBy: 'EKS Auto Mode, as nodes.workers is absent' };
      const { families } = provisioning;
      const hint = hints.instance_type;
      const offered = await instanceTypes(target, hint === undefined ? families : [familyOf(hint)]);
      const fitting = fittingTypes(
        { ...workers, hints: { instance_type: hint }, fields: 'nodes.workers.cpu or nodes.workers.memory' },
        offered.filter(({ architectures }) => architectures.includes(nodeArchitecture)),
        provisioning,
      );
      const instanceType = fitting.types[0]?.instanceType ?? '';
      const diskGib = Math.max(workers.diskGib ?? 0, smallestDiskGib);
      const planned: Workers = { count: workers.count, instanceType, diskGib };
      return { workers: planned, chosenBy: fitting.chosenBy };
    }
  };

/** Of EKS's default node image. */
const nodeArchitecture = 'x86_64';

/** The client token and the workers (launchTags). */
const furtherTags = 2;

const networkOf = ({ regions }: ClusterProvisioning, region: string): ClusterNetwork => {
  const network = Object.hasOwn(regions, region) ? regions[region] : undefined;
  if (network === undefined)
    throw new UnprocessableError(
      `region: this provider does not create clusters in ${region}, only in ${Object.keys(regions).join(', ') || 'none'}`,
    );
  return network;
};

/** @throws InvalidArgumentError for a hint without effect; UnprocessableError that names every limit that the spec exceeds. */
const checkLimits = ({ workers, hints }: ClusterSpec, limits: ClusterProvisioning): void => {
  const { instance_type: type, endpoint, admin_principals: principals = [] } = hints;
  if (type !== undefined && workers === undefined)
    throw new InvalidArgumentError(
      'provider_hints.aws.instance_type: expected nodes.workers too; without them, EKS Auto Mode chooses the nodes',
    );
  const others = principals.filter((arn) => !limits.adminPrincipals.includes(arn));
  const refused = [
    ...((workers?.count ?? 0) > limits.maximumWorkers
      ? [
          `nodes.workers.count: ${workers?.count} is more than the ${limits.maximumWorkers} that this provider allows`,
        ]
      : []),
    ...((workers?.diskGib ?? 0) > limits.maximumDiskGib
      ? [`nodes.workers.storage: more than the ${limits.maximumDiskGib}GB that this provider allows`]
      : []),
    ...(type !== undefined && !limits.families.includes(familyOf(type))
      ? [
          `provider_hints.aws.instance_type: ${type} is not in the families that this provider allows: ${limits.families.join(', ')}`,
        ]
      : []),
    ...(endpoint === 'public' && limits.endpoint === 'private'
      ? ['provider_hints.aws.endpoint: this provider allows only private']
      : []),
    ...(others.length > 0
      ? [`provider_hints.aws.admin_principals: this provider does not allow ${others.join(', ')}`]
      : []),
  ];
  if (refused.length > 0) throw new UnprocessableError(refused.join('; '));
};

const endpointOf = ({ hints }: ClusterSpec, allowed: EndpointAccess): EndpointAccess =>
  hints.endpoint ?? allowed;
