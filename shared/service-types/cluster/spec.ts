import * as z from 'zod/mini';
import type { Tags } from '../../core/ownership.ts';
import { specReader } from '../read-spec.ts';
import {
  labels,
  mibOf,
  resourceName,
  Size,
  section,
  serviceTypeOf,
  sizeFormat,
  text,
  wholeNumber,
} from '../spec-fields.ts';
import { type ClusterHints, hintsOf } from './hints.ts';

/** A cluster's spec as DCM requested it. Absent fields are undefined. */
export type ClusterSpec = {
  /** As given: a minor version such as `1.33`, or a full one. */
  readonly version: string | undefined;
  /** Undefined: EKS Auto Mode. */
  readonly workers:
    | {
        readonly count: number;
        readonly vcpus: number | undefined;
        readonly memoryMib: number | undefined;
        readonly diskGib: number | undefined;
      }
    | undefined;
  /** The spec describes nodes of the control plane, which EKS manages itself. */
  readonly hasControlPlane: boolean;
  readonly name: string | undefined;
  readonly labels: Tags;
  readonly hints: ClusterHints;
};

/** The smallest disk that EKS's node images start on with room for images of containers, and EKS's default. */
export const smallestDiskGib = 20;

const size = (meaning: string, example: string) =>
  z.optional(Size.check(z.meta({ description: `${meaning} ${sizeFormat}`, examples: [example] })));

const Workers = z.object(
  {
    count: wholeNumber.check(
      z.meta({
        description:
          'The number of worker nodes, which stays as it is: at least 1. 0 counts as absent, so workers with other fields too are refused.',
        examples: [3],
      }),
    ),
    cpu: z.optional(wholeNumber.check(z.meta({ description: 'The vCPUs of each.', examples: [2] }))),
    memory: size('The memory of each.', '8GB'),
    storage: size(
      `The disk of each, rounded up to whole GiB; less than ${smallestDiskGib}GB means ${smallestDiskGib}GB, which is the default.`,
      '50GB',
    ),
  },
  { error: 'expected an object with count' },
);

const noInput = 'expected none: this field is an output of the cluster';
const readOnly = z.optional(
  z
    .string({ error: noInput })
    .check(z.maxLength(0, { error: noInput }), z.describe('An output of the cluster; absent or empty.')),
);

const Nodes = z
  .object(
    {
      workers: z.optional(
        Workers.check(
          z.describe(
            'One managed node group of equal nodes. Default, also where all its fields are 0 or empty: EKS Auto Mode, in which the number of nodes follows the pods.',
          ),
        ),
      ),
      worker: z.optional(Workers.check(z.describe('The same as `workers`, as older clients spell it.'))),
      control_plane: z.optional(
        z
          .looseObject({}, { error: 'expected an object' })
          .check(z.describe('Ignored: EKS manages the control plane itself.')),
      ),
    },
    { error: 'expected an object' },
  )
  .check(
    z.refine(
      ({ workers, worker }) =>
        workers === undefined || worker === undefined || JSON.stringify(workers) === JSON.stringify(worker),
      { error: 'expected workers or worker, or both with equal fields' },
    ),
  );

/**
 * The fields of DCM's ClusterSpec that matter for EKS, after absent ones are removed.
 * @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/servicetypes/cluster/spec.yaml)
 */
export const ClusterSpecBody = z.object({
  service_type: serviceTypeOf('cluster'),
  version: z.optional(
    text('expected a Kubernetes version such as 1.33').check(
      z.regex(/^\d+\.\d+(\.\d+)?$/, { error: 'expected a Kubernetes version such as 1.33 or 1.33.2' }),
      z.meta({
        description:
          'The Kubernetes version. EKS has minor versions only, so a patch version is dropped. One that EKS offers, and in standard support unless the operator allows others. Default: the operator’s, if there is one.',
        examples: ['1.33'],
      }),
    ),
  ),
  nodes: z.optional(Nodes.check(z.describe('The nodes.'))),
  api_endpoint: readOnly,
  console_url: readOnly,
  kubeconfig: readOnly,
  metadata: section('The name and the labels of the cluster.', {
    name: resourceName({
      description:
        'The `Name` tag of the cluster: at most 63 lower-case letters, digits and hyphens. Need not be unique: in EKS the cluster is named after its id. Default: the id.',
      examples: ['dev-1'],
    }),
    labels: labels(
      'Tags of the cluster. EKS allows 50 tags, those of this provider included, which labels do not replace. Labels named `dcm-client-token` or `dcm-workers` have no effect, because these tags are the provider’s.',
    ),
  }),
});

const readSpec = specReader({ schema: ClusterSpecBody, hintsOf, noun: 'a cluster', serviceType: 'cluster' });

/**
 * Reads a cluster's spec from a request's body.
 * @throws InvalidArgumentError that names the first ten invalid fields, and what was expected of each.
 */
export const specOf = (body: unknown): ClusterSpec => {
  const { fields, hints } = readSpec(body);
  const { version, nodes, metadata } = fields;
  const workers = nodes?.workers ?? nodes?.worker;
  return {
    version,
    workers: workers && {
      count: workers.count,
      vcpus: workers.cpu,
      memoryMib: workers.memory === undefined ? undefined : mibOf(workers.memory),
      diskGib: workers.storage === undefined ? undefined : Math.ceil(mibOf(workers.storage) / 1024),
    },
    hasControlPlane: nodes?.control_plane !== undefined,
    name: metadata?.name,
    labels: metadata?.labels ?? {},
    hints,
  };
};
