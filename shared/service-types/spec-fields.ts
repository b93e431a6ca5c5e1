import * as z from 'zod/mini';
import type { ServiceType } from '../core/kind.ts';

/** A lower-case DNS label, of any length. */
export const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const longestTagKey = 128;
const longestTagValue = 256;

/** A string; `error` says what was expected. */
export const text = (error: string) => z.string({ error });

/** An object of the spec, which may be absent. */
export const section = <Shape extends z.core.$ZodShape>(description: string, shape: Shape) =>
  z.optional(z.object(shape, { error: 'expected an object' }).check(z.describe(description)));

/** The `service_type` of a spec, which may be absent: that of the collection to which it is sent. */
export const serviceTypeOf = <Type extends ServiceType>(serviceType: Type) =>
  z.optional(
    z
      .literal(serviceType, { error: `expected ${serviceType}, the service type of this collection` })
      .check(z.describe('The service type of this collection.')),
  );

const wholeNumberError = 'expected a whole number of at least 1';

export const wholeNumber = z.int({ error: wholeNumberError }).check(z.positive({ error: wholeNumberError }));

/** The name that becomes the `Name` tag of a resource, which may be absent. */
export const resourceName = (meta: { readonly description: string; readonly examples: string[] }) =>
  z.optional(
    text('expected a name').check(
      z.maxLength(63, { error: 'expected at most 63 characters' }),
      z.regex(dnsLabel, { error: 'expected lower-case letters, digits and hyphens' }),
      z.meta(meta),
    ),
  );

/** Units are powers of two, whatever their names: EBS has no others. */
export const Size = text('expected a size such as 20GB').check(
  z.regex(/^[0-9]+(MB|GB|TB)$/, { error: 'expected digits and MB, GB or TB, such as 20GB' }),
  z.refine((size) => !/^0+[A-Z]/.test(size), { error: 'expected more than 0' }),
);

/** What a size is, for descriptions. */
export const sizeFormat =
  'Digits and a unit, without a space: MB, GB or TB, which are read as MiB, GiB and TiB. Not 0.';

const mib = { MB: 1, GB: 1024, TB: 1024 * 1024 } as const;

/** A size in MiB. */
export const mibOf = (size: string): number => {
  const unit = size.endsWith('MB') ? 'MB' : size.endsWith('GB') ? 'GB' : 'TB';
  return Number(size.slice(0, -2)) * mib[unit];
};

export const LabelKey = z.string().check(
  z.maxLength(longestTagKey, { error: `expected a key of at most ${longestTagKey} characters` }),
  z.regex(/^(?!aws:)/i, {
    error: 'expected a key that does not begin with aws:, which is reserved for AWS',
  }),
  z.regex(/^\P{Cc}+$/u, { error: 'expected a key without control characters' }),
);

export const LabelValue = text('expected a string').check(
  z.maxLength(longestTagValue, { error: `expected at most ${longestTagValue} characters` }),
  z.regex(/^\P{Cc}*$/u, { error: 'expected no control characters' }),
);

/** The labels that become tags of a resource, which may be absent. @default what EC2 and EKS allow in tags */
export const labels = (description: string, { key = LabelKey, value = LabelValue } = {}) =>
  z.optional(
    z
      .record(key, value, { error: 'expected an object with strings as values' })
      .check(z.describe(description)),
  );
