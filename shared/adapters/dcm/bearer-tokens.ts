import ky, { HTTPError } from 'ky';
import * as z from 'zod/mini';
import { SettingsError, UnavailableError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadSecret } from '../secrets/secrets-manager.ts';
import { errorBodyOf, explanationOf, presentable } from './answers.ts';

const nonEmpty = z.string().check(z.minLength(1));

/** How to obtain a token for the API of an environment agent. */
export const AgentAuth = z.union([
  z.object({
    /** Of an OAuth 2.0 authorization server, such as Keycloak. */
    tokenEndpoint: z.url(),
    clientId: nonEmpty,
    /** Secrets Manager name or ARN of the client's secret. */
    clientSecret: nonEmpty,
    scope: z.optional(nonEmpty),
  }),
  /** Secrets Manager name or ARN of a token that is renewed elsewhere. */
  z.object({ tokenSecret: nonEmpty }),
]);
export type AgentAuth = z.infer<typeof AgentAuth>;

/**
 * @throws UnavailableError where the secret cannot be read or the token endpoint does not answer; SettingsError where the token endpoint
 * refuses the client.
 */
export type BearerTokens = {
  /** The token to send: the same one until shortly before it expires. */
  current(): Promise<string>;
  /** A new token in place of `refused`, which was answered with 401; the same one where there is no new one. */
  renewed(refused: string): Promise<string>;
};

export const bearerTokens = (auth: AgentAuth, readSecret: ReadSecret, now: Clock = Date.now): BearerTokens =>
  'tokenSecret' in auth ? storedTokens(auth.tokenSecret, readSecret) : clientTokens(auth, readSecret, now);

const storedTokens = (secretId: string, readSecret: ReadSecret): BearerTokens => ({
  current: async () => (await readSecret(secretId)).trim(),
  renewed: async () => (await readSecret(secretId, 0)).trim(),
});

type Client = Extract<AgentAuth, { readonly clientId: string }>;
type Token = { readonly text: string; readonly expiresAtMs: number };

/** A token that expires within this time is renewed first: the clocks of server and Lambda differ, and a call takes time. */
const marginMs = 30_000;
/** Where the server does not say. */
const defaultLifetimeSeconds = 60;
const timeoutMs = 5_000;

/**
 * Tokens by the client credentials grant, with the client's credentials in the form, as the environment agent sends its own. Redirects are
 * not followed, because the form has the secret.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
 */
const clientTokens = (client: Client, readSecret: ReadSecret, now: Clock): BearerTokens => {
  let held: Promise<Token> | undefined;

  const request = async (maximumAgeMs?: number): Promise<Token> => {
    const { tokenEndpoint, clientId, scope } = client;
    const secret = (await readSecret(client.clientSecret, maximumAgeMs)).trim();
    const body = new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: secret },
      ...(scope !== undefined && { scope }),
    });
    const askedAtMs = now();
    try {
      const signal = AbortSignal.timeout(timeoutMs); // covers the body too, unlike ky’s own timeout
      const options = { body, redirect: 'manual', retry: 0, timeout: false, signal } as const;
      const { access_token: text, expires_in: seconds } = Granted.parse(
        await ky.post(tokenEndpoint, options).json(),
      );
      return { text, expiresAtMs: askedAtMs + (seconds ?? defaultLifetimeSeconds) * 1000 };
    } catch (cause) {
      throw await failureOf(client, cause, secret);
    }
  };

  const obtain = async (maximumAgeMs?: number): Promise<string> => {
    const obtained = request(maximumAgeMs);
    held = obtained;
    obtained.catch(() => {
      if (held === obtained) held = undefined;
    });
    return (await obtained).text;
  };

  return {
    async current() {
      const token = await held;
      return token !== undefined && now() < token.expiresAtMs - marginMs ? token.text : obtain();
    },
    async renewed(refused) {
      const token = await held;
      // Another call has renewed it in the meantime.
      if (token !== undefined && token.text !== refused) return token.text;
      return obtain(0);
    },
  };
};

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1 */
const Granted = z.object({ access_token: nonEmpty, expires_in: z.optional(z.number()) });
/** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const Refused = z.catch(
  z.object({ error: z.optional(z.string()), error_description: z.optional(z.string()) }),
  {},
);

const failureOf = async (
  { tokenEndpoint, clientId, clientSecret }: Client,
  cause: unknown,
  secret: string,
) => {
  const failure = `${tokenEndpoint} did not give the client ${clientId} a token`;
  const shown = (why: string) => presentable(secret === '' ? why : why.replaceAll(secret, '***'), undefined);
  if (cause instanceof HTTPError && cause.response.status < 500 && cause.response.status !== 429) {
    const { error = '', error_description: description = '' } = Refused.parse(
      await errorBodyOf(cause.response),
    );
    const why = shown([`HTTP ${cause.response.status}`, error, description].filter(Boolean).join(', '));
    return new SettingsError(`${failure}: ${why}; check clientId, scope and the secret ${clientSecret}`, {
      cause,
    });
  }
  return new UnavailableError(`${failure}: ${shown(explanationOf(cause))}`, { cause });
};
