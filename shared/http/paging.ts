import * as z from 'zod/mini';
import { InvalidArgumentError } from '../core/errors.ts';

/** More than any token has that was answered: a region, and an id of at most 256 characters. */
export const maximumTokenLength = 2048;

const Position = z.tuple([
  z.string(),
  z.string().check(
    z.minLength(1),
    z.maxLength(256),
    z.refine((id) => id.isWellFormed()),
  ),
]);

/** The token of the page that begins after `lastId`, whether or not a resource with that id still exists. */
export const pageToken = (scope: string, lastId: string): string =>
  Buffer.from(JSON.stringify([scope, lastId])).toString('base64url');

/** The id after which the page begins. @throws InvalidArgumentError where the token is not one of this scope. */
export const positionOf = (token: string, scope: string): string => {
  const position = Position.safeParse(decode(token));
  if (position.success && position.data[0] === scope) return position.data[1];
  throw new InvalidArgumentError(
    `page_token: expected an unchanged next_page_token of another page of ${scope}`,
  );
};

const decode = (token: string): unknown => {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
};
