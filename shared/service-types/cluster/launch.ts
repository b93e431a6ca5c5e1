import * as z from 'zod/mini';
import { type TagKeys, Tags } from '../../core/ownership.ts';
import type { ResourceRecord } from '../../core/record.ts';
import { EndpointAccess } from './provisioning.ts';

/** The worker nodes of a cluster: one managed node group of a fixed size. */
export const Workers = z.object({
  count: z.int(),
  instanceType: z.string(),
  diskGib: z.int(),
});
export type Workers = z.infer<typeof Workers>;

/** The name of the node group with the workers. */
export const workersGroup = 'workers';

/**
 * Everything that CreateCluster and the later steps need. It is stored before EKS is asked, so that the request that takes over after a
 * crash asks for the same cluster.
 */
export const ClusterPlan = z.object({
  /** The key of its target. */
  region: z.string(),
  /** In EKS. */
  name: z.string(),
  /** A minor version of Kubernetes, such as `1.33`. */
  version: z.string(),
  clusterRoleArn: z.string(),
  nodeRoleArn: z.string(),
  subnetIds: z.array(z.string()).check(z.minLength(2)),
  securityGroupIds: z.array(z.string()),
  endpoint: EndpointAccess,
  /** Whether EKS may keep the cluster in extended support once the standard support of its version ends. */
  extendedSupport: z.boolean(),
  /** Undefined: EKS Auto Mode, in which the number of nodes follows the pods. */
  workers: z.optional(Workers),
  /** ARNs of the IAM users and roles that administer the cluster. */
  adminPrincipals: z.array(z.string()),
  /** The labels, and the tags that mark the cluster as ours. */
  tags: Tags,
  /** As in Facts (core/record.ts). */
  labels: z.optional(Tags),
  /** Which rule chose the version and the workers, in words. */
  chosenBy: z.object({ version: z.string(), workers: z.string() }),
});
export type ClusterPlan = z.infer<typeof ClusterPlan>;

/**
 * The name in EKS: the DCM id, with the generation from the second cluster of an id on. EKS keeps the name of a FAILED cluster until it is
 * deleted. No DCM id has an underscore, so two ids never have the same name.
 */
export const clusterNameOf = ({ dcmId, generation }: Pick<ResourceRecord, 'dcmId' | 'generation'>): string =>
  generation === 0 ? dcmId : `${dcmId}_${generation}`;

/** The generation in a name that `clusterNameOf` made for this DCM id; undefined in any other name. */
export const generationIn = (name: string, dcmId: string): number | undefined => {
  const generation = name === dcmId ? 0 : Number(name.slice(dcmId.length + 1));
  return name === clusterNameOf({ dcmId, generation }) ? generation : undefined;
};

/** Tag with the client token of the creation: unlike EC2, EKS does not show the token itself. */
export const clientTokenKey = 'dcm-client-token';

/** Tag with the workers that the cluster is to have, so that what is missing can be seen without a record. */
const workersKey = 'dcm-workers';

/** The plan's tags, and those that a label must never set: with them, a spec would get workers beyond the operator's limits. */
export const launchTags = (plan: ClusterPlan, token: string): Tags => {
  const { [workersKey]: _label, ...tags } = plan.tags;
  return {
    ...tags,
    [clientTokenKey]: token,
    ...(plan.workers && { [workersKey]: workersText(plan.workers) }),
  };
};

const workersText = ({ count, instanceType, diskGib }: Workers): string =>
  `${count} ${instanceType} ${diskGib}GiB`;

/** The workers in a cluster's tags; undefined where it has none, as in Auto Mode. */
export const workersIn = (tags: Tags): Workers | undefined => {
  const [, count, instanceType, diskGib] = /^(\d+) (\S+) (\d+)GiB$/.exec(tags[workersKey] ?? '') ?? [];
  return instanceType === undefined
    ? undefined
    : { count: Number(count), instanceType, diskGib: Number(diskGib) };
};

/** The tags of a node group: those that mark it as part of a cluster of ours. EKS does not copy the cluster's tags. */
export const nodeGroupTags = (tags: Tags, keys: TagKeys): Tags =>
  Object.fromEntries(
    [keys.managedBy, keys.instanceId, keys.provider, keys.serviceType].flatMap((key) => {
      const value = tags[key];
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
