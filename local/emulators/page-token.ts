import { randomUUID } from 'node:crypto';

const prefix = 'after ';

/**
 * The token of the page after this position. No two tokens are the same, as in AWS, so a caller does not mistake the token of an empty page
 * for one that it has used.
 */
export const tokenFor = (position: string): string =>
  Buffer.from(`${prefix}${position}\0${randomUUID()}`).toString('base64url');

/** The position that a token names; undefined where it is none of `tokenFor`. */
export const positionIn = (token: string): string | undefined => {
  const text = Buffer.from(token, 'base64url').toString();
  return text.startsWith(prefix) ? text.slice(prefix.length).split('\0')[0] : undefined;
};
