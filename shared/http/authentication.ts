import { createHash, timingSafeEqual } from 'node:crypto';
import { PermissionDeniedError, UnauthenticatedError, UnavailableError } from '../core/errors.ts';
import { type NamedTarget, targetName } from '../core/target.ts';
import { tokensOf } from '../wire/api-tokens.ts';
import type { TrustedJwt } from './jwt-verifier.ts';

/** What a request asks for. */
export type Asked = { readonly target: NamedTarget };

/** Credentials of one owner, and what they open. */
export type Credentials = {
  /** The text of the secret with the tokens (wire/api-tokens.ts); undefined: there are no tokens. */
  readonly secret: () => Promise<string | undefined>;
  /** What a JWT says that the configured issuer signed for this API, undefined for any other; without it, no JWT is accepted. */
  readonly verifyJwt?: ((jwt: string) => Promise<TrustedJwt | undefined>) | undefined;
  /** Whether they open what is asked for. `scopes`: those of a JWT; none of a token. @default everything */
  readonly opens?: (asked: Asked, scopes: readonly string[]) => boolean;
};

type Parts = {
  /** Name of the API in `WWW-Authenticate`. */
  readonly realm: string;
  readonly credentials: readonly Credentials[];
};

export type Authentication = {
  /** The `WWW-Authenticate` header of a 401. */
  readonly challenge: string;
  /**
   * Resolves where the `Authorization` header has credentials that open what is asked for.
   * @throws UnauthenticatedError where it has no accepted ones; PermissionDeniedError where they do not open it; UnavailableError where the
   * credentials cannot be checked.
   */
  check(authorization: string | undefined, asked: Asked): Promise<void>;
};

/**
 * Accepts a token as bearer token, or as the password of Basic with any user name, and a JWT as bearer token. DCM's clients send the
 * credentials of an endpoint URL as Basic, and support nothing else. The credentials that are meant for what is asked for are compared first,
 * so that a secret or an issuer of another account that fails concerns only callers of that account.
 */
export const authentication = ({ realm, credentials }: Parts): Authentication => ({
  challenge: `Bearer realm="${realm}", Basic realm="${realm}", charset="UTF-8"`,

  async check(authorization, asked) {
    const given = credentialIn(authorization);
    if (given === undefined) throw new UnauthenticatedError(expected);
    const isMeant = ({ opens = everything }: Credentials) => opens(asked, []);
    const meant = await Promise.all(credentials.filter(isMeant).map((one) => openings(one, given)));
    if (meant.flat().some((opening) => opening(asked))) return;
    const others = await Promise.allSettled(
      credentials.filter((one) => !isMeant(one)).map((one) => openings(one, given)),
    );
    const readable = others.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (readable.some((opening) => opening(asked))) return;
    if (meant.flat().length + readable.length === 0)
      throw new UnauthenticatedError('the credentials are not accepted');
    throw new PermissionDeniedError(`the credentials are not for ${targetName(asked.target)}`);
  },
});

type Given = { readonly scheme: 'bearer' | 'basic'; readonly text: string };
/** Whether accepted credentials open something. */
type Opening = (asked: Asked) => boolean;

const everything = () => true;

const expected = 'expected a bearer token, or the token as the password of Basic credentials';
const looksLikeJwt = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** None where the credentials are not these. */
const openings = async (
  { secret, verifyJwt, opens = everything }: Credentials,
  { scheme, text }: Given,
): Promise<Opening[]> => {
  if (verifyJwt !== undefined && scheme === 'bearer' && looksLikeJwt.test(text)) {
    const jwt = await verifyJwt(text);
    return jwt === undefined ? [] : [(asked) => opens(asked, jwt.scopes)];
  }
  return isOneOf(await tokensIn(secret), text) ? [(asked) => opens(asked, [])] : [];
};

const scopePrefix = 'target:';

/**
 * What credentials of one account open: all targets of the account. A JWT whose scope names targets opens only these: `target:eu-west-1`,
 * `target:prod/eu-west-1`, `target:prod/*` or `target:*`; one of the home account's issuer may name targets of every account, one of another
 * account's issuer only that account's.
 */
export const opensTargetsOf =
  (alias: string | undefined): NonNullable<Credentials['opens']> =>
  ({ target }, scopes) => {
    const named = scopes.filter((scope) => scope.startsWith(scopePrefix));
    if (named.length === 0) return target.alias === alias;
    if (alias !== undefined && target.alias !== alias) return false;
    const opening = ['*', targetName(target), ...(target.alias === undefined ? [] : [`${target.alias}/*`])];
    return named.some((scope) => opening.includes(scope.slice(scopePrefix.length)));
  };

const credentialIn = (authorization = ''): Given | undefined => {
  const [, scheme = '', text = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization.trim()) ?? [];
  if (scheme === '') return undefined;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', text };
  const [, password] = /^[^:]*:(.*)$/s.exec(Buffer.from(text, 'base64').toString()) ?? [];
  return password === undefined ? undefined : { scheme: 'basic', text: password };
};

const tokensIn = async (secret: Credentials['secret']): Promise<readonly string[]> => {
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
