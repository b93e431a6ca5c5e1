import * as z from 'zod/mini';
import type { Tags } from '../../core/ownership.ts';
import { specReader } from '../read-spec.ts';
import {
  LabelKey,
  LabelValue,
  labels,
  mibOf,
  resourceName,
  Size,
  section,
  serviceTypeOf,
  sizeFormat,
  text,
} from '../spec-fields.ts';
import { type ContainerHints, containerHintsOf } from './hints.ts';

/** A container's spec as DCM requested it. */
export type ContainerSpec = {
  readonly image: string;
  /** In thousandths of a vCPU. */
  readonly cpu: Range;
  readonly memoryMib: Range;
  /** Replaces the entry point of the image; empty: the image's own. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly ContainerPort[];
  readonly name: string | undefined;
  readonly labels: Tags;
  readonly hints: ContainerHints;
};

type Range = { readonly min: number; readonly max: number };
type ContainerPort = { readonly port: number; readonly visibility: Visibility };

/** Fargate's smallest container. */
const leastMib = 6;

const cpuError = 'expected a whole number of at least 1, or text such as 500m or 2';
/** Newer schemas of DCM have texts, older ones whole numbers. */
const Cpu = z.union(
  [
    z.int().check(z.positive({ error: cpuError })),
    z.string().check(z.regex(/^[1-9][0-9]{0,8}m?$/, { error: cpuError })),
  ],
  {
    error: cpuError,
  },
);

const cpuFormat = 'vCPUs: a whole number, or text such as `2`, or `500m` for half a vCPU.';

/** In thousandths of a vCPU. */
const milliOf = (cpu: number | string): number => {
  const count = Number(String(cpu).replace('m', ''));
  return typeof cpu === 'string' && cpu.endsWith('m') ? count : count * 1000;
};

/** A range of which one end may be absent: it is then the other one. */
const range = <Value extends z.ZodMiniType>(
  description: string,
  { of, numberOf, format }: { of: Value; numberOf: (value: z.infer<Value>) => number; format: string },
) =>
  z
    .object(
      {
        min: z.optional(
          of.check(z.describe(`The share that the container is guaranteed. ${format} Default: \`max\`.`)),
        ),
        max: z.optional(
          of.check(z.describe(`The most that the container gets. ${format} Default: \`min\`.`)),
        ),
      },
      { error: 'expected an object with min and max' },
    )
    .check(
      z.describe(description),
      z.refine(({ min, max }) => min !== undefined || max !== undefined, { error: 'expected min and max' }),
      // not <=: a text that is no number has its own error
      z.refine(({ min, max }) => min === undefined || max === undefined || !(numberOf(min) > numberOf(max)), {
        error: 'expected a min that is not more than max',
      }),
    );

const Texts = (description: string) =>
  z.optional(
    z
      .array(text('expected a string'), { error: 'expected a list of strings' })
      .check(z.describe(description)),
  );

/** Each status has all ports that others may reach, and a CloudEvent must stay small. */
const maximumPorts = 100;

const EnvVar = z.object(
  {
    name: text('expected a name').check(
      z.regex(/^[^=\p{Cc}]+$/u, { error: 'expected a name without = and control characters' }),
      z.describe('The name of the variable.'),
    ),
    value: text('expected a string').check(z.describe('Its value, which may be empty.')),
  },
  { error: 'expected an object with name and value' },
);

const Visibility = z.enum(['none', 'internal', 'external'], { error: 'expected none, internal or external' });
type Visibility = z.infer<typeof Visibility>;

const portError = 'expected a whole number from 1 to 65535';
const Port = z.object(
  {
    container_port: z
      .int({ error: portError })
      .check(
        z.minimum(1, { error: portError }),
        z.maximum(65_535, { error: portError }),
        z.meta({ description: 'The port, of TCP.', examples: [8080] }),
      ),
    visibility: Visibility.check(
      z.describe(
        '`none`: the port is not published. `internal`: the private address is published with it. `external`: the public address too; the operator must give containers public addresses. Security groups are the operator’s, and decide who reaches it.',
      ),
    ),
  },
  { error: 'expected an object with container_port and visibility' },
);

/** ECS allows fewer characters in tags than EC2. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html */
const tagError = 'expected only letters, digits, spaces and _ . : / = + - @';
const tagCharacters = z.regex(/^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u, { error: tagError });

const unique = <Item>(items: readonly Item[], keyOf: (item: Item) => unknown): boolean =>
  new Set(items.map(keyOf)).size === items.length;

/**
 * The fields of DCM's ContainerSpec that matter for ECS, without absent ones. Unknown fields are ignored, since they are meant for other
 * providers; `endpoints` is what DCM fills in from our statuses.
 * @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/servicetypes/container/spec.yaml)
 */
export const ContainerSpecBody = z.object({
  service_type: serviceTypeOf('container'),
  image: z
    .object(
      {
        reference: text('expected an image such as nginx:alpine').check(
          z.regex(/^[\w.:/@#+-]{1,255}$/, {
            error: 'expected an image such as quay.io/app/web:v1, of at most 255 characters',
          }),
          z.meta({
            description:
              'The image: `[registry[:port]/]repository[:tag][@digest]`. At most 255 characters. The repository has no capitals; a tag may have some. A digest is `sha256:` and 64 lower-case hexadecimal digits.',
            examples: ['nginx:alpine'],
          }),
        ),
      },
      { error: 'expected an object with reference' },
    )
    .check(z.describe('The image.')),
  resources: z
    .object(
      {
        cpu: range('The CPU.', { of: Cpu, numberOf: milliOf, format: cpuFormat }),
        memory: range('The memory.', { of: Size, numberOf: mibOf, format: sizeFormat }),
      },
      { error: 'expected an object with cpu and memory' },
    )
    .check(
      z.describe(
        'CPU and memory. The task has the smallest size of Fargate with at least the two `max`, at most 16 vCPUs and 120 GiB.',
      ),
    ),
  process: section('The process.', {
    command: Texts('Replaces the entry point of the image.'),
    args: Texts('The arguments of the entry point.'),
    env: z.optional(
      z.array(EnvVar, { error: 'expected a list of variables' }).check(
        z.describe('Environment variables, with different names.'),
        z.refine((env) => unique(env, ({ name }) => name), { error: 'expected a different name for each' }),
      ),
    ),
  }),
  network: section('The network.', {
    ports: z.optional(
      z.array(Port, { error: 'expected a list of ports' }).check(
        z.maxLength(maximumPorts, { error: `expected at most ${maximumPorts} ports` }),
        z.describe('The ports on which the process listens.'),
        z.refine((ports) => unique(ports, ({ container_port: port }) => port), {
          error: 'expected a different container_port for each',
        }),
      ),
    ),
  }),
  metadata: section('The name and the labels of the container.', {
    name: resourceName({
      description:
        'The `Name` tag of the task: at most 63 lower-case letters, digits and hyphens. Need not be unique. Default: the container’s id.',
      examples: ['web-1'],
    }),
    labels: labels(
      'Tags of the task. Keys have at most 128 characters and do not begin with `aws:`. Values have at most 256 characters, and may be empty. Both have only letters, digits, spaces and `_ . : / = + - @`. ECS allows 50 tags, those of this provider included, which labels do not replace.',
      { key: LabelKey.check(tagCharacters), value: LabelValue.check(tagCharacters) },
    ),
  }),
});

const readSpec = specReader({
  schema: ContainerSpecBody,
  hintsOf: containerHintsOf,
  noun: 'a container',
  serviceType: 'container',
  isEmptyStringKept: ([part, field, , last]) => part === 'process' && (field !== 'env' || last === 'value'),
});

/**
 * Reads a container's spec from a request's body.
 * @throws InvalidArgumentError that names the first ten invalid fields, and what was expected of each.
 */
export const containerSpecOf = (body: unknown): ContainerSpec => {
  const { fields, hints } = readSpec(body);
  const { image, resources, process, network, metadata } = fields;
  return {
    image: image.reference,
    cpu: rangeOf(resources.cpu, milliOf),
    memoryMib: rangeOf(resources.memory, (size: string) => Math.max(leastMib, mibOf(size))),
    command: process?.command ?? [],
    args: process?.args ?? [],
    env: process?.env ?? [],
    ports: (network?.ports ?? []).map(({ container_port: port, visibility }) => ({ port, visibility })),
    name: metadata?.name,
    labels: metadata?.labels ?? {},
    hints,
  };
};

const rangeOf = <Value extends string | number>(
  { min, max }: { readonly min?: Value | undefined; readonly max?: Value | undefined },
  numberOf: (value: Value) => number,
): Range => {
  const [lower, upper] = [min ?? max, max ?? min].map((end) => (end === undefined ? 0 : numberOf(end)));
  return { min: lower ?? 0, max: upper ?? 0 };
};
