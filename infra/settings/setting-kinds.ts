import { _InstanceType } from '@aws-sdk/client-ec2';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import * as z from 'zod';
import {
  arnPrefixPattern,
  isKnownRegion,
  regionPattern,
  zonePattern,
} from '../../shared/adapters/aws/regions.ts';
import { familyOf } from '../../shared/service-types/instance-types.ts';

/** A string that matches the pattern; `must` is the error of others. */
export const text = (pattern: RegExp, must: string) => z.string(must).regex(pattern, must);

/** A name that AWS knows. `kind` is the text for errors, such as `an AWS region`. */
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

/** The regions where resources, such as `VMs`, can be created, each with its settings. */
export const creationRegions = <Settings extends z.ZodType>(settings: Settings, resources: string) =>
  z
    .record(region, settings)
    .refine((given) => Object.keys(given).length > 0, 'must have at least one region')
    .describe(`The regions where ${resources} can be created. A provider is registered at DCM for each.`);

export const zone = text(zonePattern, 'must be an availability zone, such as eu-west-1a');

/** The allowed families by default, the preferred one first. */
export const defaultFamilies = ['t3', 'm7i', 'c7i', 'r7i'];

/** All families in this version of EC2's SDK client: synthesis does not call AWS. */
const families = [...new Set([...defaultFamilies, ...Object.values(_InstanceType).map(familyOf)])];

export const family = known(
  text(/^[A-Za-z0-9-]+$/, 'must be an instance family, such as m7i'),
  'an instance family of EC2',
  (name) => families.includes(name),
  families,
);

/** The id of an EC2 resource. */
export const identifier = (prefix: string, anId: string) =>
  text(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `must be ${anId}, such as ${prefix}-0123456789abcdef0`);

const arnOfRole = new RegExp(`^${arnPrefixPattern}:iam::\\d{12}:role/[\\w+=,.@/-]+$`);

export const roleArn = text(arnOfRole, 'must be the ARN of an IAM role');

/** A role that no stack makes. `whose` says what it is for, and `section` is the heading of docs/deploy.md that says how to create it. */
export const operatorsRole = (whose: string, section: string) =>
  text(
    arnOfRole,
    `must be the ARN of the IAM role ${whose}, which you create before the deployment (docs/deploy.md, ${section})`,
  );

export const flag = z.boolean('must be true or false');

const nameOfSecret = 'must be the name of a secret in Secrets Manager, not its ARN';

/** The stack refers to a secret by its name, which does not change when the secret is deleted and created again. */
export const secretName = z
  .string(nameOfSecret)
  .min(1, 'must not be empty: name a secret in Secrets Manager, or omit the setting')
  .regex(/^[\w/+=.@-]{1,512}$/, nameOfSecret);

/** The URL of an HTTP server, without a path. */
export const origin = text(
  /^https?:\/\/[^\s/?#@]+\/?$/,
  'must be http://HOST or https://HOST, optionally with a port, without credentials and without a path',
);

/** A whole number in a range. */
export const count = (least: number, most: number) =>
  z
    .int(`must be a whole number from ${least} to ${most}`)
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);

/**
 * The most similar candidate, ignoring case: the one with the fewest changed characters, the first of several. Undefined where more than a third of the characters would have to change.
 */
const nearest = (word: string, candidates: readonly string[]): string | undefined => {
  const lower = word.toLowerCase();
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: distance(lower, candidate.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  return best && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
};

/** The suggestion at the end of an error; empty if no candidate is similar. */
export const didYouMean = (word: string, candidates: readonly string[]): string => {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
};

/** Levenshtein distance: characters inserted, deleted or replaced. @see https://en.wikipedia.org/wiki/Levenshtein_distance */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, character] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
};
