import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Tags } from '../../core/ownership.ts';
import { type AwsHints, hintsOf, type Violation } from './hints.ts';
import { catalogued, defaultGuestOs } from './image-catalogue.ts';
import { sshPublicKeyPattern } from './plan/user-data.ts';

/** A VM's spec as DCM requested it. Absent fields are undefined. */
export type VmSpec = {
  readonly vcpus: number | undefined;
  readonly memoryMib: number | undefined;
  /** Exactly one is named `boot`, unless there are none. */
  readonly disks: readonly { readonly name: string; readonly gib: number }[];
  readonly guestOs: string | undefined;
  readonly sshPublicKey: string | undefined;
  readonly name: string | undefined;
  readonly labels: Tags;
  readonly hints: AwsHints;
};

/** The size of a VM whose spec has none: the smallest on which every guest OS of the catalogue starts. */
export const defaultSize = { vcpus: 1, memoryMib: 2048 } as const;

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const longestTagKey = 128;
const longestTagValue = 256;

const text = (error: string) => z.string({ error });

const section = <Shape extends z.core.$ZodShape>(description: string, shape: Shape) =>
  z.optional(z.object(shape, { error: 'expected an object' }).check(z.describe(description)));

/** Units are powers of two, whatever their names: EBS has no others. */
const Size = text('expected a size such as 20GB').check(
  z.regex(/^[0-9]+(MB|GB|TB)$/, { error: 'expected digits and MB, GB or TB, such as 20GB' }),
  z.refine((size) => !/^0+[A-Z]/.test(size), { error: 'expected more than 0' }),
);

const sizeFormat =
  'Digits and a unit, without a space: MB, GB or TB, which are read as MiB, GiB and TiB. Not 0.';

const Disk = z.object(
  {
    name: text('expected a name').check(
      z.regex(dnsLabel, { error: 'expected lower-case letters, digits and hyphens' }),
      z.meta({
        description:
          '`boot`, or another name of lower-case letters, digits and hyphens. It distinguishes the disks of the spec. It is not the name of the device.',
        examples: ['boot'],
      }),
    ),
    capacity: Size.check(
      z.meta({
        description: `${sizeFormat} Rounded up to whole GiB, the unit of EBS. The boot disk must be at least as large as the image.`,
        examples: ['20GB'],
      }),
    ),
  },
  { error: 'expected an object with name and capacity' },
);

const Disks = z.array(z.optional(Disk), { error: 'expected a list of disks' }).check(
  z.refine((disks) => disks.filter((disk) => disk?.name === 'boot').length === 1, {
    error: 'expected exactly one disk named boot',
  }),
  z.refine(
    (disks) => {
      const names = disks.flatMap((disk) => disk?.name ?? []);
      return new Set(names).size === names.length;
    },
    { error: 'expected a different name for each disk' },
  ),
);

const LabelKey = z.string().check(
  z.maxLength(longestTagKey, { error: `expected a key of at most ${longestTagKey} characters` }),
  z.regex(/^(?!aws:)/i, {
    error: 'expected a key that does not begin with aws:, which is reserved for AWS',
  }),
  z.regex(/^\P{Cc}+$/u, { error: 'expected a key without control characters' }),
);

const LabelValue = text('expected a string').check(
  z.maxLength(longestTagValue, { error: `expected at most ${longestTagValue} characters` }),
  z.regex(/^\P{Cc}*$/u, { error: 'expected no control characters' }),
);

/**
 * The fields of DCM's VMSpec that matter for EC2, after `withoutAbsent`. Every field may be absent; a field that is present must be valid;
 * unknown fields are ignored, since they are meant for other providers.
 * @see https://github.com/dcm-project/enhancements service-type-definitions
 */
export const SpecBody = z.object({
  service_type: z.optional(
    z
      .literal('vm', { error: 'expected vm, the only service type of this provider' })
      .check(z.describe('The only service type of this provider.')),
  ),
  vcpu: section('The number of vCPUs.', {
    count: z.optional(
      z.int({ error: 'expected a whole number of at least 1' }).check(
        z.positive({ error: 'expected a whole number of at least 1' }),
        z.meta({
          description: `The VM gets the smallest instance type that the operator allows with at least this number. Default: that of \`instance_type\`, else ${defaultSize.vcpus}.`,
          examples: [2],
        }),
      ),
    ),
  }),
  memory: section('The memory.', {
    size: z.optional(
      Size.check(
        z.meta({
          description: `${sizeFormat} The instance type has at least this much. Default: that of \`instance_type\`, else ${defaultSize.memoryMib / 1024} GiB.`,
          examples: ['4GB'],
        }),
      ),
    ),
  }),
  storage: section('The EBS volumes. They are deleted with the VM.', {
    disks: z.optional(
      Disks.check(
        z.describe(
          'Exactly one is named `boot`, and all names are different. Default: the disks of the image. The operator limits the total size.',
        ),
      ),
    ),
  }),
  guest_os: section('The image.', {
    type: z.optional(
      text('expected a name such as rhel-9').check(
        z.meta({
          description: `A name that the operator has configured, one of ${catalogued.join(', ')}, or the id of an image. Not case-sensitive. Default: ${defaultGuestOs}.`,
          examples: ['ubuntu-24.04'],
        }),
      ),
    ),
  }),
  access: section('Access to the VM.', {
    ssh_public_key: z.optional(
      text('expected an OpenSSH public key').check(
        z.refine((key) => sshPublicKeyPattern.test(key.trim()), {
          error: 'expected one OpenSSH public key on one line, such as ssh-ed25519 AAAA…',
        }),
        z.describe(
          'One OpenSSH public key on one line: algorithm (ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, -384 or -521, or the sk- ones), base64, and optionally a comment. Its owner can log in as the default user of the image. Not for Windows. Default: no key.',
        ),
      ),
    ),
  }),
  metadata: section('The name and the labels of the VM.', {
    name: z.optional(
      text('expected a name').check(
        z.maxLength(63, { error: 'expected at most 63 characters' }),
        z.regex(dnsLabel, { error: 'expected lower-case letters, digits and hyphens' }),
        z.meta({
          description:
            'The `Name` tag of the instance: at most 63 lower-case letters, digits and hyphens. Need not be unique. Default: the VM’s id.',
          examples: ['web-1'],
        }),
      ),
    ),
    labels: z.optional(
      z
        .record(LabelKey, LabelValue, { error: 'expected an object with strings as values' })
        .check(
          z.describe(
            'Tags of the instance and its disks. Keys have at most 128 characters and do not begin with `aws:`. Values have at most 256 characters, and may be empty. Control characters are not allowed. EC2 allows 50 tags, those of this provider included, which labels do not replace.',
          ),
        ),
    ),
  }),
});
export type SpecBody = z.infer<typeof SpecBody>;

/**
 * Reads the spec from a request's body: in a field `spec`, as the older control plane sends it, or as the whole body, as the environment
 * agent does.
 * @throws InvalidArgumentError that names the first ten invalid fields, and what was expected of each.
 */
export const specOf = (body: unknown): VmSpec => {
  const given = unwrapped(body);
  const unstorable = unstorableIn(given);
  if (unstorable.length > 0) throw new InvalidArgumentError(inWords(unstorable));
  const spec = withoutAbsent(given);
  if (!isFields(spec) || !hasKnownField(spec)) {
    throw new InvalidArgumentError(
      'spec: expected a VM spec: {"spec":{"service_type":"vm",…}}, or {"service_type":"vm",…}',
    );
  }
  const read = SpecBody.safeParse(spec);
  const { hints, violations } = hintsOf(spec);
  const all = [...(read.success ? [] : read.error.issues.map(violationOf)), ...violations];
  if (!read.success || all.length > 0) throw new InvalidArgumentError(inWords(all));
  return { ...vmSpecOf(read.data), hints };
};

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unwrapped = (body: unknown): unknown => (isFields(body) && 'spec' in body ? body.spec : body);

/** Otherwise any JSON object would create a VM of defaults. */
const hasKnownField = (spec: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(spec).some((key) => Object.hasOwn(SpecBody.shape, key) || key === 'provider_hints');

/**
 * Every field, at any depth, that could not be stored: with an unpaired surrogate in its name or value, which JSON can escape and UTF-8
 * cannot encode; and a label named `__proto__`, which objects drop. Without recursion, since a body can be nested deeper than the call stack.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.2
 */
const unstorableIn = (given: unknown): Violation[] => {
  const fields: Field[] = [{ name: '', value: given, path: '' }];
  for (const { value, path } of fields) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, below] of Object.entries(value))
      fields.push({ name, value: below, path: pathBelow(path, Array.isArray(value) ? Number(name) : name) });
  }
  return fields.flatMap((field) => {
    const message = faultOf(field);
    return message === undefined ? [] : [{ path: field.path, message }];
  });
};

type Field = { readonly name: string; readonly value: unknown; readonly path: string };

const faultOf = ({ name, value, path }: Field): string | undefined => {
  if (![name, value].every(isEncodable)) return 'expected text without an unpaired surrogate';
  return path === 'metadata.labels.__proto__'
    ? 'expected another name: this one cannot be stored'
    : undefined;
};

const isEncodable = (value: unknown): boolean => typeof value !== 'string' || value.isWellFormed();

const pathBelow = (above: string, key: PropertyKey): string =>
  typeof key === 'number' ? `${above}[${key}]` : [above, String(key)].filter(Boolean).join('.');

const violationOf = (issue: z.core.$ZodIssue): Violation => ({
  path: issue.path.reduce<string>(pathBelow, ''),
  message: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
});

const maximumListed = 10;
const longestPath = 120;

const inWords = (violations: readonly Violation[]): string => {
  const listed = violations
    .slice(0, maximumListed)
    .map(({ path, message }) => `${path.slice(0, longestPath).toWellFormed()}: ${message}`);
  const more = violations.length - listed.length;
  return [...listed, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
};

const vmSpecOf = ({
  vcpu,
  memory,
  storage,
  guest_os,
  access,
  metadata,
}: SpecBody): Omit<VmSpec, 'hints'> => ({
  vcpus: vcpu?.count,
  memoryMib: memory?.size === undefined ? undefined : mibOf(memory.size),
  disks: (storage?.disks ?? []).flatMap((disk) =>
    disk === undefined ? [] : [{ name: disk.name, gib: Math.ceil(mibOf(disk.capacity) / 1024) }],
  ),
  guestOs: guest_os?.type,
  sshPublicKey: access?.ssh_public_key?.trim(),
  name: metadata?.name,
  labels: metadata?.labels ?? {},
});

const mib = { MB: 1, GB: 1024, TB: 1024 * 1024 } as const;

const mibOf = (size: string): number => {
  const unit = size.endsWith('MB') ? 'MB' : size.endsWith('GB') ? 'GB' : 'TB';
  return Number(size.slice(0, -2)) * mib[unit];
};

/** No field of the spec lies deeper. Limits the recursion, since a body can have any depth. */
const deepest = 16;

/**
 * Removes absent fields. DCM fills in fields that its user left out, so null, "", 0, {} and [] count as absent at any depth. Absent members
 * of an array stay as undefined, so that errors name the others by their place in the request. In `metadata.labels` an empty string is a
 * value, since EC2's tags can be empty.
 */
const withoutAbsent = (value: unknown, path: readonly (string | number)[] = []): unknown => {
  if (path.length > deepest) return value;
  if (Array.isArray(value)) return presentMembers(value, path);
  if (typeof value === 'object' && value !== null) return presentFields(value, path);
  return isAbsent(value, path) ? undefined : value;
};

const isAbsent = (value: unknown, path: readonly (string | number)[]): boolean =>
  value === null || value === 0 || (value === '' && !isLabel(path));

const isLabel = ([section, field, ...below]: readonly (string | number)[]): boolean =>
  section === 'metadata' && field === 'labels' && below.length === 1;

const presentMembers = (members: readonly unknown[], path: readonly (string | number)[]): unknown => {
  const present = members.map((member, index) => withoutAbsent(member, [...path, index]));
  return present.every((member) => member === undefined) ? undefined : present;
};

const presentFields = (fields: object, path: readonly (string | number)[]): unknown => {
  const present = Object.entries(fields).flatMap(([key, value]) => {
    const kept = withoutAbsent(value, [...path, key]);
    return kept === undefined ? [] : [[key, kept] as const];
  });
  return present.length > 0 ? Object.fromEntries(present) : undefined;
};
