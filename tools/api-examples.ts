import * as z from 'zod/mini';
import type { Kind } from '../shared/core/kind.ts';
import type { Problem } from '../shared/http/problem.ts';
import { ClusterHint } from '../shared/service-types/cluster/hints.ts';
import { clusterKind } from '../shared/service-types/cluster/kind.ts';
import { ClusterResource, kubeconfigOf } from '../shared/service-types/cluster/resource.ts';
import { ClusterSpecBody } from '../shared/service-types/cluster/spec.ts';
import { ContainerHint } from '../shared/service-types/container/hints.ts';
import { containerKind } from '../shared/service-types/container/kind.ts';
import { ContainerResource } from '../shared/service-types/container/resource.ts';
import { ContainerSpecBody } from '../shared/service-types/container/spec.ts';
import { AwsHint } from '../shared/service-types/vm/hints.ts';
import { vmKind } from '../shared/service-types/vm/kind.ts';
import { VmResource } from '../shared/service-types/vm/resource.ts';
import { SpecBody } from '../shared/service-types/vm/spec.ts';

/** A service type in the API's description: its schemas, and an example of each. */
export type DocumentedType = Pick<Kind, 'serviceType' | 'collection'> & {
  /** The fields of the spec that requests are parsed with, without `provider_hints`. */
  readonly spec: z.ZodMiniObject;
  /** The hints in `provider_hints.aws`, by their names. */
  readonly hints: z.ZodMiniObject;
  readonly resource: z.ZodMiniType;
  readonly exampleSpec: unknown;
  /** The answer to the example of the spec, once the resource runs. */
  readonly exampleResource: unknown;
};

type Spec = z.infer<typeof SpecBody> & { readonly provider_hints: unknown };

/** A spec with most fields. */
export const exampleSpec: Spec = {
  service_type: 'vm',
  vcpu: { count: 2 },
  memory: { size: '4GB' },
  storage: {
    disks: [
      { name: 'boot', capacity: '20GB' },
      { name: 'data', capacity: '100GB' },
    ],
  },
  guest_os: { type: 'ubuntu-24.04' },
  access: {
    ssh_public_key:
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9h2sNgEUXfYtyTkKpmmGfmTkdm6qLEXKHmOIIkYkwV me@example',
  },
  metadata: { name: 'web-1', labels: { team: 'shop' } },
  provider_hints: { aws: { availability_zone: 'us-east-1a' } },
};

/** The answer to it when the VM is running. */
export const exampleVm: VmResource = {
  id: 'vm-1',
  path: 'vms/vm-1',
  status: 'RUNNING',
  status_message: 'instance i-0123456789abcdef0 is running',
  region: 'us-east-1',
  instance_id: 'i-0123456789abcdef0',
  instance_type: 't3.medium',
  image_id: 'ami-0123456789abcdef0',
  zone: 'us-east-1a',
  private_ip_address: '10.0.1.17',
  ssh: { user: 'ubuntu', command: 'ssh ubuntu@10.0.1.17' },
  chosen_by: {
    image:
      'catalogue: ubuntu-24.04 (SSM parameter /aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id)',
    instance_type: 'smallest of t3, m7i, c7i, r7i with 2 vCPU and 4 GiB',
  },
  create_time: '2026-03-02T10:00:00.000Z',
  update_time: '2026-03-02T10:00:09.000Z',
};

type ExampleContainerSpec = z.infer<typeof ContainerSpecBody> & { readonly provider_hints: unknown };

const exampleContainerSpec: ExampleContainerSpec = {
  service_type: 'container',
  image: { reference: 'nginx:alpine' },
  resources: { cpu: { min: '500m', max: '1' }, memory: { min: '128MB', max: '512MB' } },
  process: { env: [{ name: 'GREETING', value: 'hello' }] },
  network: { ports: [{ container_port: 80, visibility: 'internal' }] },
  metadata: { name: 'web', labels: { team: 'shop' } },
  provider_hints: { aws: { stop_timeout: 5 } },
};

/** The answer to it when the container is running. */
const exampleContainer: ContainerResource = {
  id: 'container-1',
  path: 'containers/container-1',
  status: 'RUNNING',
  status_message: 'task 0123456789abcdef0123456789abcdef is RUNNING',
  region: 'us-east-1',
  service: {
    name: 'container-1',
    type: 'ClusterIP',
    cluster_ip: '10.0.1.17',
    ports: [{ port: 80, target_port: 80, protocol: 'TCP' }],
  },
  task_arn: 'arn:aws:ecs:us-east-1:123456789012:task/ec2-sp/0123456789abcdef0123456789abcdef',
  task_definition_arn:
    'arn:aws:ecs:us-east-1:123456789012:task-definition/dcm-ec2-sp-5b6e3e02-2a49-5d0b-8f3e-9f3d5f6f0c11:1',
  adopted: false,
  launch: 'fargate',
  size: { vcpus: 1, memory_mib: 2048, chosen_by: 'smallest of Fargate with 1 vCPU and 512 MiB' },
  private_ip_address: '10.0.1.17',
  endpoints: [{ address: '10.0.1.17', port: 80, scope: 'internal', protocol: 'TCP' }],
  logs: { group: '/dcm/ec2-sp/containers', stream: 'ec2-sp/main/0123456789abcdef0123456789abcdef' },
  create_time: '2026-03-02T10:00:00.000Z',
  update_time: '2026-03-02T10:00:30.000Z',
};

/** A spec of a cluster with most fields. */
const exampleClusterSpec: z.infer<typeof ClusterSpecBody> & { readonly provider_hints: unknown } = {
  service_type: 'cluster',
  version: '1.33',
  nodes: { workers: { count: 3, cpu: 2, memory: '8GB', storage: '50GB' } },
  metadata: { name: 'dev-1', labels: { team: 'shop' } },
  provider_hints: { aws: { endpoint: 'private' } },
};

const exampleEndpoint = 'https://0123456789ABCDEF0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com';
const exampleConsole = 'https://us-east-1.console.aws.amazon.com/eks/clusters/cluster-1?region=us-east-1';

/** The answer to it when the cluster is ACTIVE. */
const exampleCluster: ClusterResource = {
  id: 'cluster-1',
  path: 'clusters/cluster-1',
  status: 'ACTIVE',
  status_message: 'cluster cluster-1 is ACTIVE: node group workers is ACTIVE',
  region: 'us-east-1',
  cluster_name: 'cluster-1',
  adopted: false,
  version: '1.33',
  workers: { count: 3, instance_type: 't3.large', disk_gib: 50 },
  api_endpoint: exampleEndpoint,
  console_url: exampleConsole,
  console_uri: exampleConsole,
  kubeconfig: kubeconfigOf({
    ...{ name: 'cluster-1', region: 'us-east-1', apiEndpoint: exampleEndpoint },
    certificateAuthority: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
  }),
  chosen_by: {
    version: 'version, as the spec names it; EKS has it in standard support',
    workers: 'smallest of t3, m7i, c7i, r7i with 2 vCPU and 8 GiB',
  },
  create_time: '2026-03-02T10:00:00.000Z',
  update_time: '2026-03-02T10:13:20.000Z',
};

/** Every service type that has a collection. */
export const documentedTypes: readonly DocumentedType[] = [
  {
    ...vmKind,
    ...{ spec: SpecBody, hints: z.object(AwsHint), resource: VmResource },
    ...{ exampleSpec, exampleResource: exampleVm },
  },
  {
    ...containerKind,
    ...{
      spec: ContainerSpecBody,
      hints: z.object(ContainerHint),
      resource: ContainerResource,
      exampleSpec: exampleContainerSpec,
      exampleResource: exampleContainer,
    },
  },
  {
    ...clusterKind,
    ...{ spec: ClusterSpecBody, hints: z.object(ClusterHint), resource: ClusterResource },
    ...{ exampleSpec: exampleClusterSpec, exampleResource: exampleCluster },
  },
];

/** The answer to a memory size of `4GiB`. */
export const exampleProblem: Problem = {
  type: 'https://dcm-project.github.io/problems/invalid-argument',
  title: 'Invalid argument',
  status: 400,
  detail: 'memory.size: expected digits and MB, GB or TB, such as 20GB',
  instance: '/api/v1alpha1/vms#JKJaXmPLvHcESHA=',
  retryable: false,
};
