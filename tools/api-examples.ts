import * as z from 'zod/mini';
import type { Kind } from '../shared/core/kind.ts';
import type { Problem } from '../shared/http/problem.ts';
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

/** Every service type that has a collection. */
export const documentedTypes: readonly DocumentedType[] = [
  {
    ...vmKind,
    ...{ spec: SpecBody, hints: z.object(AwsHint), resource: VmResource },
    ...{ exampleSpec, exampleResource: exampleVm },
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
