import { createHash, timingSafeEqual } from 'node:crypto';
import { UnauthenticatedError, UnavailableError } from '../core/errors.ts';
import { tokensOf } from '../wire/api-tokens.ts';

type Parts = {
  /** The text of the secret with the API's tokens (wire/api-tokens.ts); undefined: there are none. */
  readonly secret: () => Promise<string | undefined>;
  /** Whether a JWT is of the issuer we trust and for us; undefined: we trust none. */
  readonly isTrustedJwt: ((jwt: string) => Promise<boolean>) | undefined;
};

/** What a 401 asks for. */
export const challenge = 'Bearer realm="provider-api", Basic realm="provider-api", charset="UTF-8"';

/**
 * Lets through who knows a token, as bearer or as the password of any user, or has a JWT. DCM's clients send the credentials of an endpoint
 * URL as Basic, and nothing else.
 * @throws UnauthenticatedError for all others; UnavailableError where it cannot be known.
 */
export const authenticate =
  ({ secret, isTrustedJwt }: Parts) =>
  async (authorization: string | undefined): Promise<void> => {
    const credential = credentialIn(authorization);
    if (credential === undefined) throw new UnauthenticatedError(expected);
    const { scheme, text } = credential;
    const isTrusted =
      isTrustedJwt !== undefined && scheme === 'bearer' && looksLikeJwt.test(text)
        ? await isTrustedJwt(text)
        : isOneOf(await tokensIn(secret), text);
    if (!isTrusted) throw new UnauthenticatedError('the credentials are not accepted');
  };

const expected = 'expected a bearer token, or the token as the password of Basic credentials';
const looksLikeJwt = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const credentialIn = (authorization = '') => {
  const [, scheme = '', text = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization.trim()) ?? [];
  if (scheme === '') return undefined;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', text } as const;
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(text, 'base64').toString()) ?? [];
  return password === undefined ? undefined : ({ scheme: 'basic', text: password } as const);
};

const tokensIn = async (secret: Parts['secret']): Promise<readonly string[]> => {
  const text = await secret().catch((cause: unknown) => {
    throw new UnavailableError('the credentials cannot be checked just now; try it again', { cause });
  });
  return text === undefined ? [] : tokensOf(text);
};

/** Takes as long whichever it is, and whether it is one or not: digests are compared, and all of them. */
const isOneOf = (tokens: readonly string[], candidate: string): boolean =>
  tokens.map((token) => timingSafeEqual(digest(token), digest(candidate))).includes(true);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
