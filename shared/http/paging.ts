import * as z from 'zod/mini';
import { InvalidArgumentError } from '../core/errors.ts';

/** Longer than any that is answered: a region, and an id that a tag can hold. */
export const maximumTokenLength = 2048;

const Position = z.tuple([
  z.string(),
  z.string().check(
    z.minLength(1),
    z.maxLength(256),
    z.refine((id) => id.isWellFormed()),
  ),
]);

/** Where the next page of a region's VMs begins: after the one with this id, whether that is still there or not. */
export const pageToken = (region: string, lastId: string): string =>
  Buffer.from(JSON.stringify([region, lastId])).toString('base64url');

/** The id after which the page begins. @throws InvalidArgumentError where the token is not of a page of this region. */
export const positionOf = (token: string, region: string): string => {
  const position = Position.safeParse(decoded(token));
  if (position.success && position.data[0] === region) return position.data[1];
  throw new InvalidArgumentError(
    `page_token: expected the next_page_token of another page of region ${region}, as it was answered`,
  );
};

const decoded = (token: string): unknown => {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
};
