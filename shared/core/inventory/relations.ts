import { dcmIdOf, type TagKeys } from '../ownership.ts';
import type { Collection, Entry, Summary } from './entry.ts';

/** What a resource belongs to, by the tags that AWS's services give it. */
export type Owner = {
  readonly kind:
    | 'auto-scaling-group'
    | 'launch-template'
    | 'fleet'
    | 'stack'
    | 'ecs-service'
    | 'eks-cluster'
    | 'eks-node-group';
  readonly name: string;
};

const ownerTags: readonly (readonly [tag: string, kind: Owner['kind']])[] = [
  ['aws:autoscaling:groupName', 'auto-scaling-group'],
  ['aws:ec2launchtemplate:id', 'launch-template'],
  ['aws:ec2:fleet-id', 'fleet'],
  ['aws:cloudformation:stack-name', 'stack'],
  ['aws:ecs:serviceName', 'ecs-service'],
  ['eks:cluster-name', 'eks-cluster'],
  ['eks:nodegroup-name', 'eks-node-group'],
];

/**
 * The owners of a resource, the nearest first. A task of an ECS service without managed tags shows it by its group.
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
 */
export const ownersOf = ({
  tags,
  object = {},
}: Pick<Summary, 'tags'> & Partial<Pick<Entry, 'object'>>): readonly Owner[] => {
  const owners = ownerTags.flatMap(([tag, kind]): Owner[] => {
    const name = Object.hasOwn(tags, tag) ? tags[tag] : undefined;
    return name ? [{ kind, name }] : [];
  });
  const [, service] = /^service:(.+)$/.exec(String(object.group ?? '')) ?? [];
  const isKnown = service === undefined || owners.some(({ kind }) => kind === 'ecs-service');
  return isKnown ? owners : [{ kind: 'ecs-service', name: service }, ...owners];
};

type Known = {
  readonly tagKeys: TagKeys;
  readonly provider: string;
  /** The names of the target's clusters; undefined: not known. */
  readonly clusters: ReadonlySet<string> | undefined;
};

const collectionsOfLeftovers: ReadonlySet<Collection> = new Set<Collection>([
  'volumes',
  'network-interfaces',
  'load-balancers',
  'addresses',
]);

/**
 * Why a resource is left over: it was made for a VM or a cluster that is gone. Undefined: it is not, or that cannot be known. What VMs used
 * is left over once nothing uses it; what a cluster made for itself, once there is no such cluster.
 */
export const leftoverOf = (
  collection: Collection,
  { tags, unused = false }: Pick<Summary, 'tags' | 'unused'>,
  { tagKeys, provider, clusters }: Known,
): string | undefined => {
  if (!collectionsOfLeftovers.has(collection)) return undefined;
  const cluster = clusterOf(tags);
  const mayEnd = collection === 'load-balancers' || unused;
  if (cluster !== undefined && mayEnd && clusters !== undefined && !clusters.has(cluster))
    return `it belongs to the cluster ${cluster}, which is gone`;
  const dcmId = dcmIdOf(tags, tagKeys, provider);
  if (dcmId !== undefined && unused) return `it belongs to the VM ${dcmId}, and nothing uses it`;
  return undefined;
};

const clusterTags = [
  'elbv2.k8s.aws/cluster',
  'eks:eks-cluster-name',
  'aws:eks:cluster-name',
  'eks:cluster-name',
  'cluster.k8s.amazonaws.com/name',
];

/**
 * The cluster that Kubernetes' controllers, or EKS, made a resource for.
 * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#resource-tags
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEKSLoadBalancingPolicy.html (EKS Auto Mode)
 * @see https://github.com/aws/amazon-vpc-cni-k8s#eni-tags-related-to-allocation (network interfaces)
 */
const clusterOf = (tags: Summary['tags']): string | undefined => {
  const named = clusterTags.map((tag) => tags[tag]).find(Boolean);
  if (named) return named;
  const owned = Object.entries(tags).find(
    ([key, value]) => key.startsWith('kubernetes.io/cluster/') && value === 'owned',
  );
  return owned?.[0].slice('kubernetes.io/cluster/'.length);
};
