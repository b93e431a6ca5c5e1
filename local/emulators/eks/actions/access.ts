import * as z from 'zod';
import {
  type AccessEntry,
  type AssociatedPolicy,
  accessEntryJson,
  associatedPolicyJson,
  type Cluster,
  type ClusterConfig,
} from '../cluster.ts';
import { Paging, page } from '../page.ts';
import type { Region } from '../region.ts';
import { EksError, invalidParameter, operation } from '../rest-json.ts';
import { EksTags } from './tags.ts';

/** @see https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html */
const policyNames = [
  'AmazonEKSAdminPolicy',
  'AmazonEKSAdminViewPolicy',
  'AmazonEKSAutoNodePolicy',
  'AmazonEKSClusterAdminPolicy',
  'AmazonEKSEditPolicy',
  'AmazonEKSViewPolicy',
];

const policyArn = (name: string): string => `arn:aws:eks::aws:cluster-access-policy/${name}`;

/** The entries that EKS makes itself with a cluster: of its creator, and of the role of Auto Mode's nodes. */
export const initialEntries = (
  { authenticationMode, autoMode }: ClusterConfig,
  isCreatorAdmin: boolean,
  { account: { id, clock } }: Region,
): ReadonlyMap<string, AccessEntry> => {
  if (authenticationMode === 'CONFIG_MAP') return new Map();
  const entry = (principalArn: string, type: string, policy: string): AccessEntry => ({
    ...{ principalArn, type, username: usernameOf(principalArn), kubernetesGroups: [], tags: {} },
    createdAtMs: clock(),
    policies: [
      {
        policyArn: policyArn(policy),
        accessScope: { type: 'cluster', namespaces: [] },
        associatedAtMs: clock(),
      },
    ],
  });
  const creator = `arn:aws:iam::${id}:user/local`;
  const entries = [
    ...(isCreatorAdmin ? [entry(creator, 'STANDARD', 'AmazonEKSClusterAdminPolicy')] : []),
    ...(autoMode?.nodeRoleArn ? [entry(autoMode.nodeRoleArn, 'EC2', 'AmazonEKSAutoNodePolicy')] : []),
  ];
  return new Map(entries.map((one) => [one.principalArn, one]));
};

/** The user name that EKS gives an entry that names none. */
const usernameOf = (principalArn: string): string => {
  const [, , , , account = '', principal = ''] = principalArn.split(':');
  const [kind, ...path] = principal.split('/');
  return kind === 'role'
    ? `arn:aws:sts::${account}:assumed-role/${path.at(-1) ?? ''}/{{SessionName}}`
    : principalArn;
};

const OfCluster = z.object({ clusterName: z.string() });
const OfPrincipal = OfCluster.extend({ principalArn: z.string() });

/** A cluster that has access entries. @throws EksError */
const clusterWithEntries = (name: string, region: Region): Cluster => {
  const cluster = region.get(name);
  if (cluster.config.authenticationMode !== 'CONFIG_MAP') return cluster;
  const message =
    "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.";
  throw new EksError('InvalidRequestException', message, { clusterName: name });
};

/** A cluster whose access entries can be changed. @throws EksError */
const changeableCluster = (name: string, region: Region): Cluster => {
  const cluster = clusterWithEntries(name, region);
  if (cluster.status === 'ACTIVE' || cluster.status === 'UPDATING') return cluster;
  const message = `Cluster '${name}' is not in ACTIVE status`;
  throw new EksError('InvalidRequestException', message, { clusterName: name });
};

/** @throws EksError where the cluster has no access entry of that principal. */
const entryOf = ({ name: clusterName, accessEntries }: Cluster, principalArn: string): AccessEntry => {
  const entry = accessEntries.get(principalArn);
  if (entry) return entry;
  const message = `The specified principalArn ${principalArn} has no access entry in the cluster.`;
  throw new EksError('ResourceNotFoundException', message, { clusterName });
};

const putEntry = ({ name, accessEntries }: Cluster, entry: AccessEntry, region: Region): Cluster =>
  region.change(name, { accessEntries: new Map(accessEntries).set(entry.principalArn, entry) });

const CreateRequest = OfCluster.extend({
  principalArn: z
    .string()
    .regex(/^arn:aws[\w-]*:iam::\d{12}:(role|user)\/.+$/, 'expected the ARN of a role or user'),
  type: z.enum(['STANDARD', 'EC2', 'EC2_LINUX', 'EC2_WINDOWS', 'FARGATE_LINUX']).default('STANDARD'),
  username: z.string().optional(),
  kubernetesGroups: z.array(z.string()).default([]),
  tags: EksTags.default({}),
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html */
export const createAccessEntry = operation(CreateRequest, ({ clusterName, username, ...request }, region) => {
  const cluster = changeableCluster(clusterName, region);
  if (cluster.accessEntries.has(request.principalArn)) {
    const message = 'The specified access entry resource is already in use on this cluster.';
    throw new EksError('ResourceInUseException', message, { clusterName });
  }
  const entry: AccessEntry = {
    ...request,
    username: username ?? usernameOf(request.principalArn),
    createdAtMs: region.account.clock(),
    policies: [],
  };
  return { accessEntry: accessEntryJson(putEntry(cluster, entry, region), entry) };
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAccessEntries.html */
export const listAccessEntries = operation(
  OfCluster.extend(Paging.shape).extend({ associatedPolicyArn: z.string().optional() }),
  ({ clusterName, associatedPolicyArn: policy, ...paging }, region) => {
    const entries = [...clusterWithEntries(clusterName, region).accessEntries.values()];
    const wanted = entries.filter(
      ({ policies }) => policy === undefined || policies.some((one) => one.policyArn === policy),
    );
    const { items, nextToken } = page(wanted, paging, ({ principalArn }) => principalArn);
    return { accessEntries: items.map(({ principalArn }) => principalArn), nextToken };
  },
);

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAccessEntry.html */
export const describeAccessEntry = operation(OfPrincipal, ({ clusterName, principalArn }, region) => {
  const cluster = clusterWithEntries(clusterName, region);
  return { accessEntry: accessEntryJson(cluster, entryOf(cluster, principalArn)) };
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DeleteAccessEntry.html */
export const deleteAccessEntry = operation(OfPrincipal, ({ clusterName, principalArn }, region) => {
  const cluster = changeableCluster(clusterName, region);
  entryOf(cluster, principalArn);
  const left = [...cluster.accessEntries].filter(([principal]) => principal !== principalArn);
  region.change(clusterName, { accessEntries: new Map(left) });
  return {};
});

const AssociateRequest = OfPrincipal.extend({
  policyArn: z.string(),
  accessScope: z
    .object({ type: z.enum(['cluster', 'namespace']), namespaces: z.array(z.string()).default([]) })
    .refine(({ type, namespaces }) => (type === 'namespace') === namespaces.length > 0, {
      error: 'namespaces belong to the type namespace',
    }),
});

/** Repeated, it replaces the scope. @see https://docs.aws.amazon.com/eks/latest/APIReference/API_AssociateAccessPolicy.html */
export const associateAccessPolicy = operation(
  AssociateRequest,
  ({ clusterName, principalArn, policyArn: asked, accessScope }, region) => {
    const cluster = changeableCluster(clusterName, region);
    const entry = entryOf(cluster, principalArn);
    if (!policyNames.map(policyArn).includes(asked)) {
      throw invalidParameter(`The policyArn ${asked} is not valid.`, { clusterName });
    }
    const associated: AssociatedPolicy = {
      ...{ policyArn: asked, accessScope },
      associatedAtMs: region.account.clock(),
    };
    const others = entry.policies.filter((one) => one.policyArn !== asked);
    putEntry(cluster, { ...entry, policies: [...others, associated] }, region);
    return { clusterName, principalArn, associatedAccessPolicy: associatedPolicyJson(associated) };
  },
);

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DisassociateAccessPolicy.html */
export const disassociateAccessPolicy = operation(
  OfPrincipal.extend({ policyArn: z.string() }),
  ({ clusterName, principalArn, policyArn: asked }, region) => {
    const cluster = changeableCluster(clusterName, region);
    const entry = entryOf(cluster, principalArn);
    const policies = entry.policies.filter((one) => one.policyArn !== asked);
    if (policies.length === entry.policies.length) {
      const message = `The policy ${asked} is not associated with ${principalArn}.`;
      throw new EksError('ResourceNotFoundException', message, { clusterName });
    }
    putEntry(cluster, { ...entry, policies }, region);
    return {};
  },
);

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAssociatedAccessPolicies.html */
export const listAssociatedAccessPolicies = operation(
  OfPrincipal.extend(Paging.shape),
  ({ clusterName, principalArn, ...paging }, region) => {
    const { policies } = entryOf(clusterWithEntries(clusterName, region), principalArn);
    const { items, nextToken } = page(policies, paging, (one) => one.policyArn);
    const associatedAccessPolicies = items.map(associatedPolicyJson);
    return { clusterName, principalArn, associatedAccessPolicies, nextToken };
  },
);

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAccessPolicies.html */
export const listAccessPolicies = operation(Paging, (paging) => {
  const { items, nextToken } = page(policyNames, paging, (name) => name);
  return { accessPolicies: items.map((name) => ({ name, arn: policyArn(name) })), nextToken };
});
