import * as z from 'zod';

/** A text that looks like this; `must` is said of one that does not. */
export const text = (pattern: RegExp, must: string) => z.string(must).regex(pattern, must);

export const region = text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region, such as eu-west-1');

/** The id of something in EC2. */
export const identifier = (prefix: string, anId: string) =>
  text(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `must be ${anId}, such as ${prefix}-0123456789abcdef0`);

/** The stack finds a secret by its name, so that it stays the same one when it is rotated or made anew. */
export const secretName = text(
  /^[\w/+=.@-]{1,512}$/,
  'must be the name of a secret in Secrets Manager, not its ARN',
);

/** A whole number in a range. */
export const count = (least: number, most: number) =>
  z
    .int(`must be a whole number from ${least} to ${most}`)
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);
