import { _InstanceType } from '@aws-sdk/client-ec2';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import * as z from 'zod';
import { isKnownRegion, regionPattern, zonePattern } from '../shared/adapters/aws/regions.ts';
import { familyOf } from '../shared/domain/instance-family.ts';
import { didYouMean } from './settings/nearest.ts';

/** A text that looks like this; `must` is said of one that does not. */
export const text = (pattern: RegExp, must: string) => z.string(must).regex(pattern, must);

/** One of the names that AWS has. `kind` is with its article, such as `an AWS region`. */
const known = (
  schema: z.ZodString,
  kind: string,
  isKnown: (name: string) => boolean,
  candidates: readonly string[],
) =>
  schema.refine(isKnown, {
    error: ({ input }) => `must be ${kind}: "${input}" is not known${didYouMean(String(input), candidates)}`,
    abort: true,
  });

const regions = RegionInfo.regions.map(({ name }) => name);

export const region = known(
  text(regionPattern, 'must be an AWS region, such as eu-west-1'),
  'an AWS region',
  isKnownRegion,
  regions,
);

export const zone = text(zonePattern, 'must be an availability zone, such as eu-west-1a');

/** Families that are chosen from where the settings name none, the preferred first. */
export const defaultFamilies = ['t3', 'm7i', 'c7i', 'r7i'];

/** All that EC2's SDK client of this version knows: synthesis asks AWS nothing. */
const families = [...new Set([...defaultFamilies, ...Object.values(_InstanceType).map(familyOf)])];

export const family = known(
  text(/^[A-Za-z0-9-]+$/, 'must be an instance family, such as m7i'),
  'an instance family of EC2',
  (name) => families.includes(name),
  families,
);

/** The id of something in EC2. */
export const identifier = (prefix: string, anId: string) =>
  text(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `must be ${anId}, such as ${prefix}-0123456789abcdef0`);

const nameOfSecret = 'must be the name of a secret in Secrets Manager, not its ARN';

/** The stack finds a secret by its name, so that it stays the same one when it is rotated or made anew. */
export const secretName = z
  .string(nameOfSecret)
  .min(1, 'must not be empty: name a secret in Secrets Manager, or leave the setting out')
  .regex(/^[\w/+=.@-]{1,512}$/, nameOfSecret);

/** Where something answers by HTTP, without a path. */
export const origin = text(
  /^https?:\/\/[^\s/?#@]+\/?$/,
  'must be http://HOST or https://HOST, perhaps with a port, without credentials and without a path',
);

/** A whole number in a range. */
export const count = (least: number, most: number) =>
  z
    .int(`must be a whole number from ${least} to ${most}`)
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);
