import * as z from 'zod/mini';
import { partitionOf } from '../../adapters/aws/regions.ts';
import { isLaunched } from '../../core/record.ts';
import { targetOfKey } from '../../core/target.ts';
import type { Ownership } from '../../ports/resource-store.ts';
import { answeredStatus, eventsOf, pageOf } from '../answers.ts';
import { ClusterStatus, clusterKind, clusterNameIn } from './kind.ts';
import type { ClusterRecord, LaunchedClusterRecord } from './record.ts';

const DateTime = z.iso.datetime();

const DescribedStatus = ClusterStatus.check(
  z.meta({ id: 'ClusterStatus', description: 'DCM’s status of the cluster.' }),
);

const described = (description: string) => z.string().check(z.describe(description));

const Nodes = z.object({
  count: z.int().check(z.describe('The number of worker nodes.')),
  instance_type: described('Their EC2 instance type.'),
  disk_gib: z.int().check(z.describe('The disk of each, in GiB.')),
});

const ChosenBy = z
  .object({
    version: described('The rule for the version.'),
    workers: described('The rule for the worker nodes.'),
  })
  .check(
    z.meta({
      id: 'ClusterChosenBy',
      description: 'The rules that chose the version and the worker nodes.',
    }),
  );

/** A cluster as the provider's API answers it. Fields that are not known (yet) are absent. */
export const ClusterResource = z
  .object({
    id: described('DCM’s id of the cluster.'),
    path: described('`clusters/{id}`'),
    status: DescribedStatus,
    status_message: described(
      'The state of the cluster and of its node groups, with the problems that EKS reports.',
    ),
    region: described('AWS region.'),
    cluster_name: z.optional(described('The name of the cluster in EKS.')),
    adopted: z.optional(
      z
        .boolean()
        .check(
          z.describe(
            'Whether the cluster was tagged as one of DCM’s, and not created by this provider. An adopted cluster is reported, but not changed unless the setting `clusters.changeAdopted` allows it.',
          ),
        ),
    ),
    version: z.optional(described('The minor version of Kubernetes that it was created with.')),
    workers: z.optional(Nodes.check(z.describe('The worker nodes; absent with EKS Auto Mode.'))),
    api_endpoint: described('URL of the Kubernetes API; empty until the cluster has been ACTIVE once.'),
    console_url: described('The cluster in the AWS console.'),
    console_uri: described('The same, as other providers spell it.'),
    kubeconfig: described(
      'A kubeconfig in base64, without a secret: it calls `aws eks get-token`, and the reader’s own AWS identity must be an administrator of the cluster. Empty until the cluster has been ACTIVE once, and always in lists: it needs the certificate authority, which EKS is asked for, one cluster at a time.',
    ),
    chosen_by: z.optional(ChosenBy),
    create_time: DateTime.check(z.describe('When DCM requested the cluster.')),
    update_time: DateTime.check(z.describe('When the status last changed.')),
  })
  .check(z.meta({ id: 'Cluster', description: 'A cluster. Fields that are not known (yet) are absent.' }));
export type ClusterResource = z.infer<typeof ClusterResource>;

export const ClusterPage = pageOf(clusterKind, ClusterResource);

export const ClusterEvents = eventsOf(clusterKind, { service: 'EKS', status: DescribedStatus });

/** What a create with a spec would launch. */
export const ClusterValidation = z
  .object({
    region: described('AWS region.'),
    version: described('The minor version of Kubernetes.'),
    workers: z.optional(Nodes.check(z.describe('The worker nodes; absent with EKS Auto Mode.'))),
    endpoint: z.enum(['public', 'private']).check(z.describe('From where the Kubernetes API is reached.')),
    admin_principals: z
      .array(z.string())
      .check(z.describe('ARNs of the IAM roles and users that administer the cluster.')),
    chosen_by: ChosenBy,
    ignored: z
      .array(z.string())
      .check(z.describe('Fields of the spec without effect on EKS: those of the control plane’s nodes.')),
  })
  .check(z.meta({ id: 'ClusterValidation', description: 'What a create with this spec would launch.' }));
export type ClusterValidation = z.infer<typeof ClusterValidation>;

/** A cluster as the API answers it, without its kubeconfig. */
export const clusterResource = (record: ClusterRecord, held: Ownership, nowMs: number): ClusterResource => {
  const { at, status, message } = answeredStatus(clusterKind, record, { held, nowMs });
  const console_url = isLaunched(record) ? consoleUrlOf(record) : '';
  return {
    id: record.dcmId,
    path: `clusters/${record.dcmId}`,
    status: ClusterStatus.parse(status),
    status_message: message,
    region: targetOfKey(record.region).region,
    ...(isLaunched(record) && launchedFields(record)),
    api_endpoint: (held.owner === 'ours' && held.vm.apiEndpoint) || '',
    console_url,
    console_uri: console_url,
    kubeconfig: '',
    create_time: new Date(record.createdAtMs).toISOString(),
    update_time: new Date(Math.max(record.createdAtMs, at * 1000)).toISOString(),
  };
};

const launchedFields = ({ facts, adopted, ...record }: LaunchedClusterRecord): Partial<ClusterResource> => ({
  cluster_name: nameOf(record),
  adopted: adopted ?? false,
  ...(facts.version !== undefined && { version: facts.version }),
  ...(facts.workers && { workers: nodesOf(facts.workers) }),
  ...(facts.chosenBy && { chosen_by: facts.chosenBy }),
});

export const nodesOf = ({
  count,
  instanceType,
  diskGib,
}: NonNullable<LaunchedClusterRecord['facts']['workers']>): z.infer<typeof Nodes> => ({
  count,
  instance_type: instanceType,
  disk_gib: diskGib,
});

const nameOf = ({ region, resourceId }: Pick<LaunchedClusterRecord, 'region' | 'resourceId'>): string =>
  clusterNameIn(targetOfKey(region), resourceId) ?? '';

/** The console has a host name of its own in each partition. @see https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const consoleUrlOf = (record: Pick<LaunchedClusterRecord, 'region' | 'resourceId'>): string => {
  const { region } = targetOfKey(record.region);
  const host = consoleHosts[partitionOf(region).name];
  return host === undefined
    ? ''
    : `https://${region}.${host}/eks/clusters/${nameOf(record)}?region=${region}`;
};

const consoleHosts: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/**
 * A kubeconfig in base64. It has no secret that could leak or expire: `aws eks get-token` makes a token of the reader's own AWS identity.
 * JSON is YAML.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html
 */
export const kubeconfigOf = ({
  name,
  region,
  apiEndpoint,
  certificateAuthority,
}: {
  readonly name: string;
  readonly region: string;
  readonly apiEndpoint: string;
  readonly certificateAuthority: string;
}): string => {
  const args = ['--region', region, 'eks', 'get-token', '--cluster-name', name, '--output', 'json'];
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server: apiEndpoint, 'certificate-authority-data': certificateAuthority } },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1beta1',
            command: 'aws',
            args,
            interactiveMode: 'Never',
          },
        },
      },
    ],
  };
  return Buffer.from(`${JSON.stringify(config, undefined, 2)}\n`).toString('base64');
};
