import * as z from 'zod/mini';
import type { Collection, Entry, Summary } from '../../shared/core/inventory/entry.ts';
import { leftoverOf, type Owner, ownersOf } from '../../shared/core/inventory/relations.ts';
import type { Kind } from '../../shared/core/kind.ts';
import { dcmIdOf, type TagKeys } from '../../shared/core/ownership.ts';
import { clusterKind } from '../../shared/service-types/cluster/kind.ts';
import { containerKind } from '../../shared/service-types/container/kind.ts';
import { vmKind } from '../../shared/service-types/vm/kind.ts';

const withDescription = <Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema =>
  schema.check(z.describe(description));

const object = z.optional(
  withDescription(
    z.record(z.string(), z.unknown()),
    'The service’s own description, as AWS’s SDK returns it, without secrets.',
  ),
);
const selfLink = withDescription(z.string(), 'The path of this resource.');
const unhealthy = withDescription(
  z.boolean(),
  'Whether the service counts it, or something in it, as unhealthy.',
);
const statusMessage = z.optional(
  withDescription(z.string(), 'Why it is unhealthy, or what its status means.'),
);

const ownerShape = {
  name: withDescription(z.string(), 'The owner’s name in paths.'),
  kind: withDescription(
    z.string(),
    'Such as `auto-scaling-group`, `stack`, `ecs-service`, `eks-node-group`.',
  ),
  displayName: withDescription(z.string(), 'The owner’s own name.'),
};
const OwnerAnswer = z
  .object({
    ...ownerShape,
    selfLink: z.optional(
      withDescription(z.string(), 'The path of its report: of the owners of instances and tasks.'),
    ),
  })
  .check(
    z.meta({
      id: 'Owner',
      description: 'What resources belong to, by the tags that AWS’s services give them.',
    }),
  );

const resourceShape = {
  name: withDescription(z.string(), 'The id in AWS, or the name where that is the id.'),
  namespace: z.optional(withDescription(z.string(), 'The id of the VPC that it is in.')),
  displayName: z.optional(withDescription(z.string(), 'The tag `Name`, or the name that the service gives.')),
  labels: withDescription(z.record(z.string(), z.string()), 'Its tags.'),
  state: z.optional(withDescription(z.string(), 'The service’s word for its state.')),
  managed: withDescription(z.boolean(), 'Whether this provider made it for DCM.'),
  dcmInstanceId: z.optional(withDescription(z.string(), 'The id that DCM knows it by.')),
  status: z.optional(withDescription(z.string(), 'DCM’s status for its state, where the provider made it.')),
  unhealthy,
  statusMessage,
  owners: withDescription(z.array(OwnerAnswer), 'What it belongs to, the nearest first.'),
  unused: z.optional(withDescription(z.boolean(), 'Whether nothing uses it.')),
  leftover: z.optional(withDescription(z.string(), 'Why it is left over of something that is gone.')),
  changedAt: withDescription(z.string(), 'Since when it is as it is, RFC 3339.'),
  selfLink,
  object,
};

export const Resource = z
  .object(resourceShape)
  .check(z.meta({ id: 'Resource', description: 'A resource: an instance, a volume, a task …' }));
export type Resource = z.infer<typeof Resource>;

export const Namespace = z
  .object({
    ...resourceShape,
    serviceCount: z.optional(withDescription(z.int(), 'Load balancers; absent where they are not listed.')),
    podCount: withDescription(z.int(), 'Instances.'),
    pvcCount: withDescription(z.int(), 'Attachments of volumes.'),
  })
  .check(z.meta({ id: 'Namespace', description: 'A VPC.' }));
export type Namespace = z.infer<typeof Namespace>;

export const Attachment = z
  .object({
    name: withDescription(z.string(), 'The volume’s id, a hyphen, and the instance’s.'),
    namespace: withDescription(z.string(), 'The id of the VPC that the instance is in.'),
    volumeName: withDescription(z.string(), 'The id of the volume.'),
    podName: withDescription(z.string(), 'The id of the instance.'),
    selfLink,
    object,
  })
  .check(z.meta({ id: 'PersistentVolumeClaim', description: 'A volume’s attachment to an instance.' }));
export type Attachment = z.infer<typeof Attachment>;

export const StorageClass = z
  .object({ name: withDescription(z.string(), 'The type of volumes.'), selfLink, object })
  .check(z.meta({ id: 'StorageClass', description: 'A type of EBS volumes.' }));

export const OwnerReport = z
  .object({
    ...{ ...ownerShape, selfLink },
    podCount: withDescription(z.int(), 'Instances and tasks that belong to it.'),
    unhealthyCount: withDescription(z.int(), 'Those of them that are unhealthy.'),
    unhealthy,
    statusMessage,
  })
  .check(z.meta({ id: 'OwnerReport', description: 'An owner, with the health of what belongs to it.' }));
export type OwnerReport = z.infer<typeof OwnerReport>;

const Listed = z.object({
  collection: withDescription(z.string(), 'Its name.'),
  count: z.optional(
    withDescription(z.int(), 'Its number of resources; absent before its first complete listing.'),
  ),
  listedAt: z.optional(withDescription(z.string(), 'When it was listed completely, RFC 3339.')),
  ageSeconds: z.optional(withDescription(z.int(), 'The seconds since then.')),
});

export const Cluster = z
  .object({
    namespace: withDescription(z.string(), 'The account’s alias.'),
    name: withDescription(z.string(), 'The region.'),
    target: withDescription(z.string(), 'Both, as in scopes: `eu-west-1` at home, `prod/eu-west-1` else.'),
    collections: z.optional(withDescription(z.array(Listed), 'What is known of it. Absent in lists.')),
    selfLink,
    object,
  })
  .check(z.meta({ id: 'Cluster', description: 'A target: a region of an account.' }));
export type Cluster = z.infer<typeof Cluster>;

export const Account = z
  .object({ name: withDescription(z.string(), 'The alias of the account.'), selfLink })
  .check(z.meta({ id: 'TopNamespace', description: 'An account, by its alias.' }));

export const PlanAnswer = z
  .object({
    namespace: withDescription(z.string(), 'The alias of the source’s account.'),
    name: z.string(),
    selfLink,
    object,
  })
  .check(z.meta({ id: 'Plan', description: 'A move of instances from one target to another.' }));

const PlanPod = z.object({
  namespace: z.string(),
  name: z.string(),
  containers: z.array(z.object({ name: z.string(), log: withDescription(z.string(), 'Where its log is.') })),
});
export type PlanPod = z.infer<typeof PlanPod>;

export const PlanPods = z
  .object({
    namespace: z.string(),
    name: z.string(),
    controller: withDescription(z.array(PlanPod), 'The functions that keep the inventory.'),
    source: withDescription(z.array(PlanPod), 'The instances of the plan in its source.'),
    destination: withDescription(z.array(PlanPod), 'Those in its destination.'),
    next: z.optional(withDescription(z.string(), 'The path of the next page.')),
  })
  .check(z.meta({ id: 'PlanPods', description: 'What a plan is about.' }));
export type PlanPods = z.infer<typeof PlanPods>;

/** `resources` with how many there are of them, besides the page. */
export const listOf = (id: string, schema: z.ZodMiniType) =>
  z
    .object({
      count: withDescription(z.int(), 'How many there are, on all pages.'),
      resources: z.array(schema),
      generation: z.optional(withDescription(z.string(), 'Names this moment; `generation=` reads on in it.')),
      listedAt: z.optional(
        withDescription(z.string(), 'When the collection was last listed completely, RFC 3339.'),
      ),
      ageSeconds: z.optional(
        withDescription(z.int(), 'The seconds since then. Changes since are in the answer, too.'),
      ),
      next: z.optional(withDescription(z.string(), 'The path of the next page, of the same moment.')),
    })
    .check(z.meta({ id, description: `A page of resources.` }));

/** What answers about a target's resources need besides these. */
export type About = {
  readonly base: string;
  readonly tagKeys: TagKeys;
  readonly provider: string;
  /** The names of the target's EKS clusters; undefined: not known. */
  readonly clusters: ReadonlySet<string> | undefined;
};

const kindsByCollection: Partial<Record<Collection, Kind>> = {
  instances: vmKind,
  containers: containerKind,
  clusters: clusterKind,
};

/** The collections that the reports of owners are about. */
export const ownedCollections = ['instances', 'containers'] as const satisfies readonly Collection[];
const isReportedByOwner: ReadonlySet<Collection> = new Set(ownedCollections);

/** `link`: the path of the resource. */
export const resourceAnswer = (
  collection: Collection,
  { object: described, ...summary }: Summary & Partial<Pick<Entry, 'object'>>,
  { link, ...about }: About & { readonly link: string },
): Resource => {
  const { id, name, tags, state, unhealthy: why, vpcId, unused, at } = summary;
  const leftover = leftoverOf(collection, summary, about);
  return {
    name: id,
    ...(vpcId !== undefined && collection !== 'vpcs' && { namespace: vpcId }),
    ...(name !== undefined && { displayName: name }),
    labels: tags,
    ...(state !== undefined && { state }),
    ...inDcm(collection, summary, about),
    unhealthy: why !== undefined,
    ...(why !== undefined && { statusMessage: why }),
    owners: ownersOf({ tags, ...(described && { object: described }) }).map((owner) => {
      const { selfLink: report, ...named } = ownerAnswer(owner, about.base);
      return isReportedByOwner.has(collection) ? { ...named, selfLink: report } : named;
    }),
    ...(unused !== undefined && { unused }),
    ...(leftover !== undefined && { leftover }),
    changedAt: new Date(at).toISOString(),
    selfLink: link,
    ...(described !== undefined && { ...(described && { object: described }) }),
  };
};

/** What DCM knows of it. */
const inDcm = (
  collection: Collection,
  { tags, state }: Pick<Summary, 'tags' | 'state'>,
  { tagKeys, provider }: About,
): Pick<Resource, 'managed' | 'dcmInstanceId' | 'status'> => {
  const dcmInstanceId = dcmIdOf(tags, tagKeys, provider);
  if (dcmInstanceId === undefined) return { managed: false };
  const kind = kindsByCollection[collection];
  const status =
    kind !== undefined && state !== undefined ? kind.statusOf(kind.nearestState(state).state) : undefined;
  return { managed: true, dcmInstanceId, ...(status !== undefined && { status }) };
};

export const ownerAnswer = (owner: Owner, base: string) => {
  const name = ownerName(owner);
  return { name, kind: owner.kind, displayName: owner.name, selfLink: `${base}/owners/${name}` };
};

/** An owner's name in paths: its kind, a dot, and its own name, whose characters that paths treat otherwise are `~` and their code. */
export const ownerName = ({ kind, name }: Owner): string => {
  const safe = name.replace(/[^A-Za-z0-9_.-]/gu, (one) => `~${one.codePointAt(0)?.toString(16)}~`);
  return `${kind}.${safe}`;
};
