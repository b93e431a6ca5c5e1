import * as z from 'zod/mini';
import type { Collection } from '../../shared/core/inventory/entry.ts';
import { changesOperation, type ReadsChanges } from '../../shared/http/changes.ts';
import { type Call, NoQuery, type Operation, operationsOf } from '../../shared/http/operation.ts';
import type { ProblemCode } from '../../shared/http/problem.ts';
import {
  Account,
  Attachment,
  Cluster,
  listOf,
  Namespace,
  OwnerReport,
  PlanAnswer,
  PlanPods,
  Resource,
  StorageClass,
} from './answers.ts';
import { LogLines, LogQuery } from './logs.ts';
import {
  ListQuery,
  labelsNote,
  maximumBytes,
  maximumResources,
  OneQuery,
  onceListed,
  PlanQuery,
} from './pages.ts';
import type { Reports } from './reports.ts';
import { scopes } from './scopes.ts';
import { targetPrefixes } from './targets.ts';

export type UseCases = ReadsChanges & { readonly reports: Reports };

const ids = { id: z.string().check(z.minLength(1), z.maxLength(512)), logField: 'resourceId' };
const operation = operationsOf<UseCases>(ids);

const notListed = {
  206: 'Not listed completely yet. `X-Reason` names the collection, `Retry-After` when to ask again. No body.',
};
const notModified = { 304: 'The client has this answer, by its `If-None-Match`.' };
const ofInventory: readonly ProblemCode[] = ['permission-denied', 'not-found', 'gone'];
const conditional = { 'If-None-Match': 'The `ETag` of an answer: 304 while nothing has changed.' };

/** The path of a list with the ids of a request, to which the resources' ids are added. */
const listPath = ({ base, ids: given }: Call<unknown>, path: string): string =>
  base + path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given[name] ?? ''));

type Listed = {
  /** Of operation ids: `Instances`. */
  readonly name: string;
  readonly path: string;
  readonly what: string;
  readonly about?: string;
  readonly answer: z.ZodMiniType;
  readonly run: (
    reports: Reports,
    call: Call<ListQuery> & { readonly listPath: string },
  ) => Promise<Response>;
  readonly isOfNoTarget?: true;
};

const list = ({ name, path, what, about, answer, run, ...others }: Listed): Operation<UseCases> =>
  operation({
    operationId: `list${name}`,
    ...{ method: 'GET', path, scope: scopes.read, ...others },
    summary: `List ${what}`,
    description: [...(about === undefined ? [] : [about]), labelsNote].join(' '),
    headers: conditional,
    query: ListQuery,
    status: 200,
    answered: 'A page, and how many there are.',
    othersAnswered: { ...notListed, ...notModified },
    answer,
    problems: ofInventory,
    run: ({ reports }, call) => onceListed(() => run(reports, { ...call, listPath: listPath(call, path) })),
  });

type One = Omit<Listed, 'run'> & {
  readonly run: (reports: Reports, call: Call<OneQuery>) => Promise<Response>;
};

const one = ({ name, path, what, about = '', answer, run, ...others }: One): Operation<UseCases> =>
  operation({
    operationId: `get${name}`,
    ...{ method: 'GET', path, scope: scopes.read, ...others },
    summary: `Get ${what}`,
    description: about,
    headers: conditional,
    query: OneQuery,
    status: 200,
    answered: 'The resource.',
    othersAnswered: { ...notListed, ...notModified },
    answer,
    problems: ofInventory,
    run: ({ reports }, call) => onceListed(() => run(reports, call)),
  });

const logs = (name: string, path: string, collection: Collection, what: string): Operation<UseCases> =>
  operation({
    operationId: `get${name}`,
    ...{ method: 'GET', path, scope: scopes.logs },
    summary: `Read the log of ${what}`,
    description:
      'Console output of an instance: the newest 64 KB that EC2 has. The log of a container that this provider created, from CloudWatch Logs. Needs a scope of its own. Secrets that are recognised as such are replaced; treat logs as secret all the same.',
    query: LogQuery,
    status: 200,
    answered: 'Lines, the oldest first.',
    othersAnswered: notListed,
    answer: LogLines,
    problems: [...ofInventory, 'unprocessable', 'resource-exhausted', 'upstream'],
    run: ({ reports }, call) => onceListed(() => reports.getLog(collection)(call)),
  });

const Resources = listOf('Resources', Resource);
const Namespaces = listOf('Namespaces', Namespace);
const Clusters = listOf('Clusters', Cluster);

/** A collection as it is, under its name of AWS or under another one. */
const collectionAt = (
  collection: Collection,
  path: string,
  [name, names]: readonly [one: string, many: string],
  [what, whats]: readonly [one: string, many: string],
  about = '',
): readonly Operation<UseCases>[] => [
  list({
    ...{ name: names, path, what: whats, answer: Resources },
    ...(about !== '' && { about }),
    run: (reports, call) => reports.listResources(collection)(call),
  }),
  one({
    ...{ name, path: `${path}/{id}`, what, about, answer: Resource },
    run: (reports, call) => reports.getResource(collection)(call),
  }),
];

const vpcsAt = (path: string, [name, names]: readonly [string, string]): readonly Operation<UseCases>[] => [
  list({
    ...{ name: names, path, what: 'VPCs', answer: Namespaces },
    about: 'With the numbers of what is in them. `unhealthy=true`: those with an unhealthy instance.',
    run: (reports, call) => reports.listVpcs(call),
  }),
  one({
    ...{ name, path: `${path}/{id}`, what: 'a VPC', answer: Namespace },
    run: (reports, call) => reports.getVpc(call),
  }),
];

const ofEbs = 'The types that EBS has, the same in every target.';
const ofElb = 'Application, network and gateway load balancers, and no classic ones.';

/** Below the path of a target. */
const ofTargets: readonly Operation<UseCases>[] = [
  one({
    ...{ name: 'Cluster', path: '', what: 'a target', answer: Cluster },
    about: 'With the number of resources of each collection, and when it was listed completely.',
    run: (reports, call) => reports.getCluster(call),
  }),

  ...vpcsAt('/namespaces', ['Namespace', 'Namespaces']),
  ...collectionAt(
    'instances',
    '/namespaces/{vpc}/pods',
    ['Pod', 'Pods'],
    ['an instance in a VPC', 'instances in a VPC'],
  ),
  logs('PodLogs', '/namespaces/{vpc}/pods/{id}/logs', 'instances', 'an instance in a VPC'),
  logs('PodLog', '/namespaces/{vpc}/pods/{id}/log', 'instances', 'an instance in a VPC'),
  ...collectionAt(
    'load-balancers',
    '/namespaces/{vpc}/services',
    ['Service', 'Services'],
    ['a load balancer in a VPC', 'load balancers in a VPC'],
    ofElb,
  ),
  list({
    ...{ name: 'PersistentVolumeClaims', path: '/namespaces/{vpc}/persistentvolumeclaims' },
    ...{ what: 'attachments of volumes in a VPC', answer: listOf('PersistentVolumeClaims', Attachment) },
    about: 'Filtered by the tags and the health of their instances.',
    run: (reports, call) => reports.listAttachments(call),
  }),
  one({
    ...{ name: 'PersistentVolumeClaim', path: '/namespaces/{vpc}/persistentvolumeclaims/{id}' },
    ...{ what: 'the attachment of a volume', answer: Attachment },
    run: (reports, call) => reports.getAttachment(call),
  }),
  ...collectionAt(
    'volumes',
    '/persistentvolumes',
    ['PersistentVolume', 'PersistentVolumes'],
    ['a volume', 'volumes'],
  ),
  list({
    ...{ name: 'StorageClasses', path: '/storageclasses', what: 'types of volumes', about: ofEbs },
    answer: listOf('StorageClasses', StorageClass),
    run: (reports, call) => reports.listVolumeTypes(call),
  }),
  one({
    ...{ name: 'StorageClass', path: '/storageclasses/{id}', what: 'a type of volumes', about: ofEbs },
    answer: StorageClass,
    run: (reports, call) => reports.getVolumeType(call),
  }),

  ...collectionAt('instances', '/instances', ['Instance', 'Instances'], ['an instance', 'instances']),
  logs('InstanceLogs', '/instances/{id}/logs', 'instances', 'an instance'),
  logs('InstanceLog', '/instances/{id}/log', 'instances', 'an instance'),
  ...collectionAt('volumes', '/volumes', ['Volume', 'Volumes'], ['a volume', 'volumes']),
  ...vpcsAt('/vpcs', ['Vpc', 'Vpcs']),
  ...collectionAt('subnets', '/subnets', ['Subnet', 'Subnets'], ['a subnet', 'subnets']),
  ...collectionAt(
    'security-groups',
    '/security-groups',
    ['SecurityGroup', 'SecurityGroups'],
    ['a security group', 'security groups'],
  ),
  ...collectionAt(
    'images',
    '/images',
    ['Image', 'Images'],
    ['an image', 'images'],
    'Of the account’s own images.',
  ),
  ...collectionAt(
    'network-interfaces',
    '/network-interfaces',
    ['NetworkInterface', 'NetworkInterfaces'],
    ['a network interface', 'network interfaces'],
    'Of those that are not in use; the others are in the objects of their instances.',
  ),
  ...collectionAt(
    'load-balancers',
    '/load-balancers',
    ['LoadBalancer', 'LoadBalancers'],
    ['a load balancer', 'load balancers'],
    ofElb,
  ),
  ...collectionAt(
    'addresses',
    '/addresses',
    ['Address', 'Addresses'],
    ['an Elastic IP address', 'Elastic IP addresses'],
  ),
  ...collectionAt(
    'containers',
    '/containers',
    ['Container', 'Containers'],
    ['a task of ECS', 'tasks of ECS'],
    'Of the ECS cluster that this provider runs containers in.',
  ),
  logs('ContainerLogs', '/containers/{id}/logs', 'containers', 'a task of ECS'),
  logs('ContainerLog', '/containers/{id}/log', 'containers', 'a task of ECS'),
  ...collectionAt(
    'clusters',
    '/clusters',
    ['EksCluster', 'EksClusters'],
    ['a cluster of EKS', 'clusters of EKS'],
  ),

  list({
    ...{ name: 'Owners', path: '/owners', what: 'owners', answer: listOf('Owners', OwnerReport) },
    about: 'Auto Scaling groups, launch templates, stacks, services of ECS, node groups of EKS …',
    run: (reports, call) => reports.listOwners(call),
  }),
  one({
    ...{ name: 'Owner', path: '/owners/{id}', what: 'an owner', answer: OwnerReport },
    run: (reports, call) => reports.getOwner(call),
  }),
  list({
    ...{
      name: 'PodsOfOwner',
      path: '/owners/{id}/pods',
      what: 'what belongs to an owner',
      answer: Resources,
    },
    about: 'Its instances, then its tasks of ECS, with their health.',
    run: (reports, call) => reports.listPodsOfOwner(call),
  }),
];

const Schema = z
  .object({
    version: z.string(),
    release: z.int(),
    paths: z.array(z.string()).check(z.describe('Every path, with the names of its parameters.')),
    openapi: z.string().check(z.describe('The path of the OpenAPI document.')),
    maximumResources: z.int().check(z.describe('The most resources of a page, also without `limit`.')),
    maximumBytes: z.int().check(z.describe('About the most bytes of a page.')),
  })
  .check(z.meta({ id: 'Schema', description: 'What the API has.' }));

const seedLink = (alias: string, region: string) => `/namespaces/${alias}/clusters/${region}`;

/** Not below the path of a target. */
const ofAll: readonly Operation<UseCases>[] = [
  operation({
    operationId: 'getSchema',
    ...{ method: 'GET', path: '/schema', isOfNoTarget: true, isPublic: true },
    summary: 'Get the paths of this API',
    description:
      'Paths, and the largest page. A longer list ends with the path of its next page, and `X-Truncated`.',
    query: NoQuery,
    status: 200,
    answered: 'What the API has.',
    answer: Schema,
    problems: [],
    run: async () => ({
      version: 'beta1',
      release: 2,
      paths: [...paths()],
      openapi: '/openapi.json',
      maximumResources,
      maximumBytes,
    }),
  }),
  operation({
    operationId: 'getOpenApi',
    ...{ method: 'GET', path: '/openapi.json', isOfNoTarget: true, isPublic: true },
    summary: 'Get the OpenAPI document',
    description: 'The description of this API.',
    query: NoQuery,
    status: 200,
    answered: 'The document.',
    answer: z.looseObject({}),
    problems: [],
    run: async () => (await import('../../docs/inventory-openapi.json', { with: { type: 'json' } })).default,
  }),
  list({
    ...{ name: 'TopNamespaces', path: '/namespaces', isOfNoTarget: true, what: 'accounts' },
    answer: listOf('TopNamespaces', Account),
    about: 'Those of which the credentials open a target.',
    run: (reports, call) => reports.listAccounts(call),
  }),
  list({
    ...{ name: 'Clusters', path: '/namespaces/{namespace}/clusters', isOfNoTarget: true },
    ...{ what: 'the targets of an account', answer: Clusters },
    run: (reports, call) =>
      reports.listClusters(({ alias = call.ids.namespace ?? '', region }) => seedLink(alias, region))(call),
  }),
  list({
    ...{ name: 'Targets', path: '/targets', isOfNoTarget: true, what: 'targets' },
    answer: Clusters,
    run: (reports, call) =>
      reports.listClusters(
        ({ alias, region }) => `/targets/${alias === undefined ? '' : `${alias}/`}${region}`,
      )(call),
  }),
  list({
    ...{ name: 'Plans', path: '/namespaces/{namespace}/plans', isOfNoTarget: true },
    ...{ what: 'plans', answer: listOf('Plans', PlanAnswer) },
    about: 'Moves of instances from one target to another, as the settings have them.',
    run: (reports, call) => reports.listPlans(call),
  }),
  one({
    ...{ name: 'Plan', path: '/namespaces/{namespace}/plans/{id}', isOfNoTarget: true },
    ...{ what: 'a plan', answer: PlanAnswer },
    run: (reports, call) => reports.getPlan(call),
  }),
  operation({
    operationId: 'getPlanPods',
    ...{
      method: 'GET',
      path: '/namespaces/{namespace}/plans/{id}/pods',
      isOfNoTarget: true,
      scope: scopes.read,
    },
    summary: 'Get what a plan is about',
    description:
      'The functions that keep the inventory, and the instances of the plan in its source and destination, as one list.',
    headers: conditional,
    query: PlanQuery,
    status: 200,
    answered: 'A page of the report.',
    othersAnswered: { ...notListed, ...notModified },
    answer: PlanPods,
    problems: ofInventory,
    run: ({ reports }, call) => onceListed(() => reports.getPlanPods(call)),
  }),
  { ...changesOperation<UseCases>(ids), scope: scopes.changes, isOfNoTarget: true },
];

/** Every operation of the inventory-api: for the router, the OpenAPI document, docs/inventory.md and `/schema`. */
export const operations: readonly Operation<UseCases>[] = [...ofAll, ...ofTargets];

/** Every path, with what stands before those of a target. */
export const paths = (): readonly string[] => [
  ...new Set(
    operations.flatMap(({ path, isOfNoTarget }) =>
      isOfNoTarget ? [path] : targetPrefixes.map((prefix) => `${prefix}${path}`),
    ),
  ),
];
