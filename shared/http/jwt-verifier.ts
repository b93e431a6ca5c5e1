import type { errors as JoseErrors, JWTVerifyGetKey } from 'jose';
import { UnavailableError } from '../core/errors.ts';

export type JwtIssuer = {
  /** The required `iss`. */
  readonly issuer: string;
  /** The required `aud`. */
  readonly audience: string;
  /** URL of the issuer's public keys. */
  readonly jwksUrl: string;
};

/** Asymmetric signatures, which only the issuer can make. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

const clockToleranceSeconds = 30;

/** What a trusted JWT says. */
export type TrustedJwt = {
  /** The scopes of the claim `scope`. @see https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3 */
  readonly scopes: readonly string[];
};

/**
 * What a JWT says that was signed by the issuer, is for this audience, and has not expired; undefined for any other. The issuer's keys are cached for ten minutes, and
 * fetched again, at most twice a minute, where a token names an unknown key. The library is loaded with the first token.
 * @throws UnavailableError where the keys cannot be fetched.
 */
export const jwtVerifier = ({ issuer, audience, jwksUrl }: JwtIssuer) => {
  let loaded: Promise<{ jose: typeof import('jose'); keys: JWTVerifyGetKey }> | undefined;
  const load = () => {
    loaded ??= import('jose').then((jose) => ({ jose, keys: jose.createRemoteJWKSet(new URL(jwksUrl)) }));
    return loaded;
  };

  return async (token: string): Promise<TrustedJwt | undefined> => {
    const { jose, keys } = await load();
    try {
      if (jose.decodeJwt(token).iss !== issuer) return undefined; // without asking for keys
      const expected = { issuer, audience, algorithms, clockTolerance: clockToleranceSeconds };
      const { payload } = await jose.jwtVerify(token, keys, { ...expected, requiredClaims: ['exp'] });
      return { scopes: scopesIn(payload.scope) };
    } catch (cause) {
      if (isRefusal(cause, jose.errors)) return undefined;
      throw new UnavailableError(`the keys of ${issuer} cannot be read`, { cause });
    }
  };
};

/** Space-separated, as the standard has them, or a list, as some issuers do. */
const scopesIn = (claim: unknown): readonly string[] => {
  if (typeof claim === 'string') return claim.split(' ').filter((scope) => scope !== '');
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === 'string') : [];
};

/** The token is wrong, as opposed to: the issuer's keys could not be fetched. */
const isRefusal = (error: unknown, errors: typeof JoseErrors): boolean =>
  error instanceof errors.JOSEError &&
  !(error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) &&
  error.code !== errors.JOSEError.code;
