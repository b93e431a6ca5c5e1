import * as z from 'zod/mini';
import { catalogued, usualGuestOs } from '../../../shared/domain/image-catalogue.ts';
import type { Tags } from '../../../shared/domain/tags.ts';
import { sshPublicKeyPattern } from '../plan/user-data.ts';
import type { AwsHints } from './hints.ts';

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
export const usualSize = { vcpus: 1, memoryMib: 2048 } as const;

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
          description: `The VM gets the smallest instance type that the operator allows with at least so many. Left out: what \`instance_type\` has, else ${usualSize.vcpus}.`,
          examples: [2],
        }),
      ),
    ),
  }),
  memory: section('How much memory.', {
    size: z.optional(
      Size.check(
        z.meta({
          description: `${sizeInWords} The instance type has at least so much. Left out: what \`instance_type\` has, else ${usualSize.memoryMib / 1024} GiB.`,
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
          description: `A name that the operator has configured, or one of ${catalogued.join(', ')}, in any case; or the id of an image. Left out: ${usualGuestOs}.`,
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
