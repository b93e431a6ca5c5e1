import * as z from 'zod/mini';
import { SettingsError } from '../core/errors.ts';

const Token = z.string().check(z.minLength(1));
const Tokens = z.strictObject({
  token: Token,
  /** Still accepted, until every caller has the new one. */
  previous: z.optional(Token),
});

/**
 * The tokens in a secret's text, the newest first: JSON with `token` and perhaps `previous`, or the token itself.
 * @throws SettingsError where it is neither. The secret is not quoted.
 */
export const tokensOf = (secret: string): readonly string[] => {
  const text = secret.trim();
  if (!text.startsWith('{') && text !== '') return [text];
  try {
    const { token, previous } = Tokens.parse(JSON.parse(text));
    return [token, ...(previous === undefined ? [] : [previous])];
  } catch {
    throw new SettingsError(
      'the secret of the API must be the token, or JSON with "token" and perhaps "previous"',
    );
  }
};
