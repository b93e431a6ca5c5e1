import { createHash, timingSafeEqual } from 'node:crypto';
import { PermissionDeniedError, UnauthenticatedError, UnavailableError } from '../core/errors.ts';
import { targetName } from '../core/target.ts';
import { tokensOf } from '../wire/api-tokens.ts';
import type { TrustedJwt } from './jwt-verifier.ts';
import type { Asked } from './operation.ts';

/** The credentials are accepted, and do not open what was asked for: HTTP 403, with a challenge. */
export class InsufficientScopeError extends PermissionDeniedError {}

/** Credentials of one owner, and what they open. */
export type Credentials = {
  /** The text of the secret with the tokens (wire/api-tokens.ts); undefined: there are no tokens. */
  readonly secret: () => Promise<string | undefined>;
  /** What a JWT says that the configured issuer signed for this API, undefined for any other; without it, no JWT is accepted. */
  readonly verifyJwt?: ((jwt: string) => Promise<TrustedJwt | undefined>) | undefined;
  /** Whether they open what is asked for. `scopes`: those of a JWT; none of a token. @default everything */
  readonly opens?: (asked: Asked, scopes: readonly string[]) => boolean;
  /** Whether they are meant for what is asked for. Where such credentials cannot be checked, neither can the request's. @default what they open without scopes */
  readonly isMeantFor?: (asked: Asked) => boolean;
};

type Parts = {
  /** Name of the API in `WWW-Authenticate`. */
  readonly realm: string;
  readonly credentials: readonly Credentials[];
  /** Whether requests without an `Authorization` header may have everything, in development. @default false */
  readonly isOptional?: boolean | undefined;
};

export type Authentication = {
  /** The `WWW-Authenticate` header of a 401. */
  readonly challenge: string;
  /** The same of a 403. @see https://www.rfc-editor.org/rfc/rfc6750#section-3.1 */
  readonly insufficientScope: string;
  /**
   * Whether the credentials of the `Authorization` header open something, where they open what is asked for.
   * @throws UnauthenticatedError where it has no accepted ones; InsufficientScopeError where they do not open it; UnavailableError where the
   * credentials cannot be checked.
   */
  check(authorization: string | undefined, asked: Asked): Promise<Opening>;
};

/**
 * Accepts a token as bearer token, or as the password of Basic with any user name, and a JWT as bearer token. DCM's clients send the
 * credentials of an endpoint URL as Basic, and support nothing else. The credentials that are meant for what is asked for are compared first,
 * so that a secret or an issuer of another account that fails concerns only callers of that account.
 */
export const authentication = ({ realm, credentials, isOptional = false }: Parts): Authentication => ({
  challenge: `Bearer realm="${realm}", Basic realm="${realm}", charset="UTF-8"`,
  insufficientScope: `Bearer realm="${realm}", error="insufficient_scope"`,

  async check(authorization, asked) {
    if (isOptional && authorization === undefined) return everything;
    const given = credentialIn(authorization);
    if (given === undefined) throw new UnauthenticatedError(expected);
    const isMeant = ({ opens = everything, isMeantFor = (one) => opens(one, []) }: Credentials) =>
      isMeantFor(asked);
    const meant = await Promise.all(credentials.filter(isMeant).map((one) => openings(one, given)));
    const first = openingOf(meant.flat());
    if (first(asked)) return first;
    const others = await Promise.allSettled(
      credentials.filter((one) => !isMeant(one)).map((one) => openings(one, given)),
    );
    const readable = others.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const second = openingOf(readable);
    if (second(asked)) return second;
    if (meant.flat().length + readable.length === 0)
      throw new UnauthenticatedError('the credentials are not accepted');
    throw new InsufficientScopeError(refusalOf(asked, (one) => first(one) || second(one)));
  },
});

const refusalOf = (asked: Asked, opens: Opening): string =>
  asked.isWrite === true && opens({ ...asked, isWrite: false })
    ? 'the credentials permit reading alone'
    : `the credentials are not for ${wordsFor(asked)}`;

const wordsFor = ({ target, scope }: Asked): string =>
  [...(scope === undefined ? [] : [scope]), ...(target === undefined ? [] : [targetName(target)])].join(
    ' of ',
  );

type Given = { readonly scheme: 'bearer' | 'basic'; readonly text: string };
/** Whether accepted credentials open something. */
type Opening = (asked: Asked) => boolean;

const openingOf =
  (openings: readonly Opening[]): Opening =>
  (asked) =>
    openings.some((opening) => opening(asked));

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
    if (target === undefined) return true; // the answer has only what they open
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
