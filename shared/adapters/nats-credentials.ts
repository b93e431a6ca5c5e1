import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/nats-core';
import * as z from 'zod/mini';
import { reasonOf, SettingsError, UnavailableError } from '../domain/errors.ts';
import type { NatsAccess } from './nats-event-stream.ts';

/** What the secret holds, as JSON. One way to log in, and what TLS needs where it is not the public default. */
const NatsSecret = z
  .strictObject({
    /** The text of a `.creds` file: a user's JWT and nkey seed. */
    creds: z.optional(z.string()),
    /** An nkey seed, `SU…`. */
    nkeySeed: z.optional(z.string()),
    token: z.optional(z.string()),
    user: z.optional(z.string()),
    password: z.optional(z.string()),
    /** PEM of the certificate authority that signed the server's certificate. */
    ca: z.optional(z.string()),
    /** PEM of a client certificate and its key, where the server asks for one. */
    cert: z.optional(z.string()),
    key: z.optional(z.string()),
    /** Where replies come, without the trailing dot, where the account limits it. @default `_INBOX` */
    inboxPrefix: z.optional(z.string()),
  })
  .check(z.refine(isOneLogin));
type NatsSecret = z.infer<typeof NatsSecret>;

export type SecretSource = {
  /** Secrets Manager name or ARN; undefined where NATS asks for no credentials. */
  readonly secretId: string | undefined;
  /** TCP port of the AWS Parameters and Secrets Lambda Extension. */
  readonly port: string;
  readonly sessionToken: string;
};

/**
 * How to log in to NATS, by the AWS Parameters and Secrets Lambda Extension, which caches the secret for five minutes: a rotated
 * one is used by the next connection after that, without a deployment. It costs the bundle nothing.
 * @throws UnavailableError where the extension does not have the secret, SettingsError where the secret is not a NatsSecret.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
export const natsAccess =
  ({ secretId, port, sessionToken }: SecretSource) =>
  async (): Promise<NatsAccess> => {
    if (secretId === undefined) return {};
    const url = `http://localhost:${port}/secretsmanager/get?secretId=${encodeURIComponent(secretId)}`;
    const response = await fetch(url, {
      headers: { 'X-Aws-Parameters-Secrets-Token': sessionToken },
      signal: AbortSignal.timeout(5_000),
    }).catch((cause: unknown) => {
      throw new UnavailableError(`the secret ${secretId} cannot be read: ${reasonOf(cause)}`, { cause });
    });
    if (!response.ok)
      throw new UnavailableError(`the secret ${secretId} cannot be read: HTTP ${response.status}`);
    const answer = SecretAnswer.safeParse(await response.json().catch(() => undefined));
    if (!answer.success)
      throw new UnavailableError(`the secret ${secretId} cannot be read: the extension answered no text`);
    return accessOf(secretOf(secretId, answer.data.SecretString));
  };

/** No way to log in, or one; a password belongs to a user. */
function isOneLogin({ creds, nkeySeed, token, user, password }: Record<string, unknown>): boolean {
  const ways = [creds, nkeySeed, token, user].filter((way) => way !== undefined).length;
  return ways <= 1 && (password === undefined || user !== undefined);
}

const SecretAnswer = z.object({ SecretString: z.string() });

const secretOf = (secretId: string, text: string): NatsSecret => {
  if (text.startsWith('-----BEGIN NATS')) return { creds: text };
  try {
    return NatsSecret.parse(JSON.parse(text));
  } catch {
    // the cause would quote the secret
    throw new SettingsError(
      `the secret ${secretId} must be the text of a .creds file, or JSON with one way to log in and only: ${fields}`,
    );
  }
};

const fields = Object.keys(NatsSecret.shape).join(', ');

const accessOf = ({ ca, cert, key, inboxPrefix, ...login }: NatsSecret): NatsAccess => ({
  ...authentication(login),
  ...((ca || cert) && { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } }),
  ...(inboxPrefix && { inboxPrefix }),
});

const authentication = ({
  creds,
  nkeySeed,
  token,
  user,
  password,
}: NatsSecret): { authenticator?: Authenticator } => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  if (creds) return { authenticator: credsAuthenticator(bytes(creds)) };
  if (nkeySeed) return { authenticator: nkeyAuthenticator(bytes(nkeySeed)) };
  if (token) return { authenticator: tokenAuthenticator(token) };
  return user ? { authenticator: usernamePasswordAuthenticator(user, password) } : {};
};
