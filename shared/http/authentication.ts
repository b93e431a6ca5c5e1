import { createHash, timingSafeEqual } from 'node:crypto';
import { UnauthenticatedError, UnavailableError } from '../core/errors.ts';
import { tokensOf } from '../wire/api-tokens.ts';

type Parts = {
  /** Name of the API in `WWW-Authenticate`. */
  readonly realm: string;
  /** The text of the secret with the API's tokens (wire/api-tokens.ts); undefined: there are no tokens. */
  readonly secret: () => Promise<string | undefined>;
  /** Whether a JWT was signed by the configured issuer, for this API; undefined: no JWT is accepted. */
  readonly isTrustedJwt: ((jwt: string) => Promise<boolean>) | undefined;
};

export type Authentication = {
  /** The `WWW-Authenticate` header of a 401. */
  readonly challenge: string;
  /**
   * Resolves where the `Authorization` header has accepted credentials.
   * @throws UnauthenticatedError where it has not; UnavailableError where the credentials cannot be checked.
   */
  check(authorization: string | undefined): Promise<void>;
};

/**
 * Accepts a token as bearer token, or as the password of Basic with any user name, and a JWT as bearer token. DCM's clients send the
 * credentials of an endpoint URL as Basic, and support nothing else.
 */
export const authentication = ({ realm, secret, isTrustedJwt }: Parts): Authentication => ({
  challenge: `Bearer realm="${realm}", Basic realm="${realm}", charset="UTF-8"`,

  async check(authorization) {
    const credential = credentialIn(authorization);
    if (credential === undefined) throw new UnauthenticatedError(expected);
    const { scheme, text } = credential;
    const isAccepted =
      isTrustedJwt !== undefined && scheme === 'bearer' && looksLikeJwt.test(text)
        ? await isTrustedJwt(text)
        : isOneOf(await tokensIn(secret), text);
    if (!isAccepted) throw new UnauthenticatedError('the credentials are not accepted');
  },
});

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
    throw new UnavailableError('the credentials cannot be checked at the moment; retry the request', {
      cause,
    });
  });
  return text === undefined ? [] : tokensOf(text);
};

/** In constant time: compares digests, and with every token. */
const isOneOf = (tokens: readonly string[], candidate: string): boolean =>
  tokens.map((token) => timingSafeEqual(digest(token), digest(candidate))).includes(true);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
