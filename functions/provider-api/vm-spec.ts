import * as z from 'zod/mini';
import type { Tags } from '../../shared/domain/tags.ts';
import type { AwsHints } from './hints.ts';
import { sshPublicKeyPattern } from './user-data.ts';

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

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const longestTagKey = 128;
const longestTagValue = 256;

const text = (error: string) => z.string({ error });

const section = <Shape extends z.core.$ZodShape>(shape: Shape) =>
  z.optional(z.object(shape, { error: 'expected an object' }));

/** Sizes are powers of two whatever they are called: EBS has no others. */
const Size = text('expected a size such as 20GB').check(
  z.regex(/^[0-9]+(MB|GB|TB)$/, { error: 'expected digits and MB, GB or TB, such as 20GB' }),
  z.refine((size) => !/^0+[A-Z]/.test(size), { error: 'expected more than nothing' }),
);

const Disk = z.object(
  {
    name: text('expected a name').check(
      z.regex(dnsLabel, { error: 'expected lower-case letters, digits and hyphens' }),
    ),
    capacity: Size,
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
  service_type: z.optional(z.literal('vm', { error: 'expected vm: this provider has nothing else' })),
  vcpu: section({
    count: z.optional(
      z
        .int({ error: 'expected a whole number of at least 1' })
        .check(z.positive({ error: 'expected a whole number of at least 1' })),
    ),
  }),
  memory: section({ size: z.optional(Size) }),
  storage: section({ disks: z.optional(Disks) }),
  guest_os: section({ type: z.optional(text('expected a name such as rhel-9')) }),
  access: section({
    ssh_public_key: z.optional(
      text('expected an OpenSSH public key').check(
        z.refine((key) => sshPublicKeyPattern.test(key.trim()), {
          error: 'expected one OpenSSH public key on one line, such as ssh-ed25519 AAAA…',
        }),
      ),
    ),
  }),
  metadata: section({
    name: z.optional(
      text('expected a name').check(
        z.maxLength(63, { error: 'expected at most 63 characters' }),
        z.regex(dnsLabel, { error: 'expected lower-case letters, digits and hyphens' }),
      ),
    ),
    labels: z.optional(z.record(LabelKey, LabelValue, { error: 'expected an object of texts' })),
  }),
});
export type SpecBody = z.infer<typeof SpecBody>;
