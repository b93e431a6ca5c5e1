import * as z from 'zod/mini';
import type { Tags } from '../../core/ownership.ts';
import { defaultSize } from '../instance-types.ts';
import { specReader } from '../read-spec.ts';
import {
  dnsLabel,
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
import { type AwsHints, hintsOf } from './hints.ts';
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

/**
 * The fields of DCM's VMSpec that matter for EC2, without absent ones. Every field may be absent; a field that is present must be valid;
 * unknown fields are ignored, since they are meant for other providers.
 * @see https://github.com/dcm-project/enhancements service-type-definitions
 */
export const SpecBody = z.object({
  service_type: serviceTypeOf('vm'),
  vcpu: section('The number of vCPUs.', {
    count: z.optional(
      wholeNumber.check(
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
    name: resourceName({
      description:
        'The `Name` tag of the instance: at most 63 lower-case letters, digits and hyphens. Need not be unique. Default: the VM’s id.',
      examples: ['web-1'],
    }),
    labels: labels(
      'Tags of the instance and its disks. Keys have at most 128 characters and do not begin with `aws:`. Values have at most 256 characters, and may be empty. Control characters are not allowed. EC2 allows 50 tags, those of this provider included, which labels do not replace.',
    ),
  }),
});
export type SpecBody = z.infer<typeof SpecBody>;

const readSpec = specReader({ schema: SpecBody, hintsOf, noun: 'a VM', serviceType: 'vm' });

/**
 * Reads a VM's spec from a request's body.
 * @throws InvalidArgumentError that names the first ten invalid fields, and what was expected of each.
 */
export const specOf = (body: unknown): VmSpec => {
  const { fields, hints } = readSpec(body);
  return { ...vmSpecOf(fields), hints };
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
