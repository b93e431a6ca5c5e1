import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Tags } from '../../core/ownership.ts';
import { type AwsHints, hintsOf, type Violation } from './hints.ts';
import { catalogued, defaultGuestOs } from './image-catalogue.ts';
import { sshPublicKeyPattern } from './plan/user-data.ts';

/** What a VM should be, as DCM asked for it. What was not said is undefined. */
export type VmSpec = {
  readonly vcpus: number | undefined;
  readonly memoryMib: number | undefined;
  /** At most one of them is named `boot`, and exactly one where there are any. */
  readonly disks: readonly { readonly name: string; readonly gib: number }[];
  readonly guestOs: string | undefined;
  readonly sshPublicKey: string | undefined;
  readonly name: string | undefined;
  readonly labels: Tags;
  readonly hints: AwsHints;
};

/** What a VM gets whose spec does not say: the least on which each system of the catalogue starts. */
export const defaultSize = { vcpus: 1, memoryMib: 2048 } as const;

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const longestTagKey = 128;
const longestTagValue = 256;

const text = (error: string) => z.string({ error });

const section = <Shape extends z.core.$ZodShape>(description: string, shape: Shape) =>
  z.optional(z.object(shape, { error: 'expected an object' }).check(z.describe(description)));

/** Sizes are powers of two whatever they are called: EBS has no others. */
const Size = text('expected a size such as 20GB').check(
  z.regex(/^[0-9]+(MB|GB|TB)$/, { error: 'expected digits and MB, GB or TB, such as 20GB' }),
  z.refine((size) => !/^0+[A-Z]/.test(size), { error: 'expected more than nothing' }),
);

const sizeInWords =
  'Digits and a unit, without a blank: MB, GB or TB, which are read as MiB, GiB and TiB. Not zero.';

const Disk = z.object(
  {
    name: text('expected a name').check(
      z.regex(dnsLabel, { error: 'expected lower-case letters, digits and hyphens' }),
      z.meta({
        description:
          '`boot`, or another name: lower-case letters, digits and hyphens. It tells the disks of the spec apart, and is not the device’s name.',
        examples: ['boot'],
      }),
    ),
    capacity: Size.check(
      z.meta({
        description: `${sizeInWords} Rounded up to whole GiB, as EBS has them. The boot disk must be at least as large as the image.`,
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
    error: 'expected a key that does not begin with aws:, which AWS keeps to itself',
  }),
  z.regex(/^\P{Cc}+$/u, { error: 'expected a key without control characters' }),
);

const LabelValue = text('expected a text').check(
  z.maxLength(longestTagValue, { error: `expected at most ${longestTagValue} characters` }),
  z.regex(/^\P{Cc}*$/u, { error: 'expected no control characters' }),
);

/**
 * DCM's VMSpec as far as it concerns EC2, once all that means nothing is gone: everything may be absent, what is there must be right, and
 * what is not named here is somebody else's.
 * @see https://github.com/dcm-project/enhancements service-type-definitions
 */
export const SpecBody = z.object({
  service_type: z.optional(
    z
      .literal('vm', { error: 'expected vm: this provider has nothing else' })
      .check(z.describe('This provider has nothing else.')),
  ),
  vcpu: section('How many vCPUs.', {
    count: z.optional(
      z.int({ error: 'expected a whole number of at least 1' }).check(
        z.positive({ error: 'expected a whole number of at least 1' }),
        z.meta({
          description: `The VM gets the smallest instance type that the operator allows with at least so many. Left out: what \`instance_type\` has, else ${defaultSize.vcpus}.`,
          examples: [2],
        }),
      ),
    ),
  }),
  memory: section('How much memory.', {
    size: z.optional(
      Size.check(
        z.meta({
          description: `${sizeInWords} The instance type has at least so much. Left out: what \`instance_type\` has, else ${defaultSize.memoryMib / 1024} GiB.`,
          examples: ['4GB'],
        }),
      ),
    ),
  }),
  storage: section('EBS volumes, which are deleted with the VM.', {
    disks: z.optional(
      Disks.check(
        z.describe(
          'Exactly one is named `boot`; no two have the same name. Left out: the image’s own disks. The operator limits what they have together.',
        ),
      ),
    ),
  }),
  guest_os: section('Which image is started.', {
    type: z.optional(
      text('expected a name such as rhel-9').check(
        z.meta({
          description: `A name that the operator has configured, or one of ${catalogued.join(', ')}, in any case; or the id of an image. Left out: ${defaultGuestOs}.`,
          examples: ['ubuntu-24.04'],
        }),
      ),
    ),
  }),
  access: section('Who may log in.', {
    ssh_public_key: z.optional(
      text('expected an OpenSSH public key').check(
        z.refine((key) => sshPublicKeyPattern.test(key.trim()), {
          error: 'expected one OpenSSH public key on one line, such as ssh-ed25519 AAAA…',
        }),
        z.describe(
          'One OpenSSH public key on one line: algorithm (ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, -384 or -521, or the sk- ones), base64, and perhaps a comment. It may log in as the image’s own user. Not for Windows. Left out: nobody’s key.',
        ),
      ),
    ),
  }),
  metadata: section('What the VM is called.', {
    name: z.optional(
      text('expected a name').check(
        z.maxLength(63, { error: 'expected at most 63 characters' }),
        z.regex(dnsLabel, { error: 'expected lower-case letters, digits and hyphens' }),
        z.meta({
          description:
            'The instance’s tag `Name`: lower-case letters, digits and hyphens, at most 63. Need not be unique. Left out: the VM’s id.',
          examples: ['web-1'],
        }),
      ),
    ),
    labels: z.optional(
      z
        .record(LabelKey, LabelValue, { error: 'expected an object of texts' })
        .check(
          z.describe(
            'Tags of the instance and its disks. Keys have at most 128 characters and do not begin with `aws:`, values have at most 256, and may be empty; none has control characters. EC2 has room for 50 tags with ours, which no label replaces.',
          ),
        ),
    ),
  }),
});
export type SpecBody = z.infer<typeof SpecBody>;

/**
 * The spec of a request's body, wrapped in `spec` as the control plane sends it, or bare as the environment agent does.
 * @throws InvalidArgumentError that names every field which is not as expected (the first ten), and says what was.
 */
export const specOf = (body: unknown): VmSpec => {
  const given = unwrapped(body);
  const unusable = unusableIn(given);
  if (unusable.length > 0) throw new InvalidArgumentError(listed(unusable));
  const spec = withoutAbsent(given);
  if (!isFields(spec) || !saysAnything(spec)) {
    throw new InvalidArgumentError(
      'spec: expected a VM spec: {"spec":{"service_type":"vm",…}}, or what is in there alone',
    );
  }
  const read = SpecBody.safeParse(spec);
  const { hints, violations } = hintsOf(spec);
  const refused = [...(read.success ? [] : read.error.issues.map(violationOf)), ...violations];
  if (!read.success || refused.length > 0) throw new InvalidArgumentError(listed(refused));
  return { ...asked(read.data), hints };
};

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unwrapped = (body: unknown): unknown => (isFields(body) && 'spec' in body ? body.spec : body);

/** Something that is not a spec at all would otherwise be a VM of defaults. */
const saysAnything = (spec: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(spec).some((key) => Object.hasOwn(SpecBody.shape, key) || key === 'provider_hints');

/**
 * Every field that could not be sent or would be lost: one whose name or value has half a surrogate pair, at any depth and whoever reads it,
 * which JSON can escape and UTF-8 cannot encode; and a label called `__proto__`, which objects drop. Without recursion, because a body can be
 * nested deeper than the call stack.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.2
 */
const unusableIn = (given: unknown): Violation[] => {
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
  if (![name, value].every(isEncodable)) return 'expected text without half a surrogate pair';
  return path === 'metadata.labels.__proto__' ? 'expected another name: this one cannot be kept' : undefined;
};

const isEncodable = (value: unknown): boolean => typeof value !== 'string' || value.isWellFormed();

const pathBelow = (above: string, key: PropertyKey): string =>
  typeof key === 'number' ? `${above}[${key}]` : [above, String(key)].filter(Boolean).join('.');

const violationOf = (issue: z.core.$ZodIssue): Violation => ({
  path: issue.path.reduce<string>(pathBelow, ''),
  message: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
});

const most = 10;
const longestPath = 120;

const listed = (violations: readonly Violation[]): string => {
  const told = violations
    .slice(0, most)
    .map(({ path, message }) => `${path.slice(0, longestPath).toWellFormed()}: ${message}`);
  const notPublished = violations.length - told.length;
  return [...told, ...(notPublished > 0 ? [`and ${notPublished} more`] : [])].join('; ');
};

const asked = ({ vcpu, memory, storage, guest_os, access, metadata }: SpecBody): Omit<VmSpec, 'hints'> => ({
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

/** Nothing that we read lies deeper, and a body is anything that somebody sends. */
const deepest = 16;

/**
 * DCM fills in what nobody said: null, "", 0, {} and [] mean that there is nothing, at any depth. Members of an array that are nothing
 * stay as undefined, so that a refusal names the others by the place where the caller wrote them. Below `metadata.labels` an empty text
 * is a value like others: EC2 has tags without one.
 */
const withoutAbsent = (value: unknown, path: readonly (string | number)[] = []): unknown => {
  if (path.length > deepest) return value;
  if (Array.isArray(value)) return presentMembers(value, path);
  if (typeof value === 'object' && value !== null) return presentFields(value, path);
  return isNothing(value, path) ? undefined : value;
};

const isNothing = (value: unknown, path: readonly (string | number)[]): boolean =>
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
