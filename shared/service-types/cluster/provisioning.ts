import * as z from 'zod/mini';

const nonEmpty = z.string().check(z.minLength(1));

/** The network of the clusters of one region. */
export const ClusterNetwork = z.object({
  /** At least two, in different zones: EKS puts the ends of its control plane there, and the nodes. */
  subnets: z.array(z.object({ id: nonEmpty, zone: nonEmpty })).check(z.minLength(2)),
  /** Besides the security group that EKS makes for each cluster; at most five. */
  securityGroupIds: z._default(z.array(nonEmpty).check(z.maxLength(5)), []),
});
export type ClusterNetwork = z.infer<typeof ClusterNetwork>;

/** From where the Kubernetes API of a cluster can be reached. `public`: from the internet, and from the VPC; `private`: from the VPC. */
export const EndpointAccess = z.enum(['public', 'private']);
export type EndpointAccess = z.infer<typeof EndpointAccess>;

/**
 * DCM's words for the status of a cluster. `current`: PROGRESSING, ACTIVE, DEGRADED, UNAVAILABLE, FAILED, DELETING and DELETED; `first`:
 * those of its first proposal, CREATING, ACTIVE, UPDATING, DEGRADED and DELETED.
 */
const ClusterWords = z.enum(['current', 'first']);

/** The operator's settings of which clusters may be created, and how. */
export const ClusterProvisioning = z.object({
  /** By region; clusters are created in no other. */
  regions: z.record(nonEmpty, ClusterNetwork),
  /** The role that EKS uses. */
  clusterRoleArn: nonEmpty,
  /** The role of the nodes, of Auto Mode and of node groups. */
  nodeRoleArn: nonEmpty,
  /** ARNs of IAM users and roles that administer every cluster. A hint may name some of them instead. */
  adminPrincipals: z._default(z.array(nonEmpty), []),
  /** With `public`, a hint may ask for `private`. */
  endpoint: z._default(EndpointAccess, 'public'),
  /** Of all regions together. */
  maximumClusters: z._default(z.int().check(z.nonnegative()), 5),
  /** Worker nodes of one cluster. */
  maximumWorkers: z._default(z.int().check(z.positive()), 10),
  /** The allowed instance families of worker nodes, the preferred first. */
  families: z._default(z.array(nonEmpty).check(z.minLength(1)), ['t3', 'm7i', 'c7i', 'r7i']),
  /** Of one worker node. */
  maximumVcpus: z._default(z.int().check(z.positive()), 16),
  maximumMemoryGib: z._default(z.int().check(z.positive()), 64),
  maximumDiskGib: z._default(z.int().check(z.positive()), 1024),
  /** The Kubernetes version of a spec without one, such as `1.33`. Undefined: such a spec is refused. */
  defaultVersion: z.optional(nonEmpty),
  /** Whether versions in extended support, which cost six times as much, may be created. */
  extendedSupport: z._default(z.boolean(), false),
  vocabulary: z._default(ClusterWords, 'current'),
  /** Whether clusters that have our tags, but that we did not create, may be deleted. */
  changeAdopted: z._default(z.boolean(), false),
});
export type ClusterProvisioning = z.infer<typeof ClusterProvisioning>;
