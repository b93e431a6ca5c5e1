import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/nats-core';
import * as z from 'zod/mini';
import { SettingsError } from '../domain/errors.ts';
import { type ExtensionSecret, extensionSecret } from './extension-secret.ts';
import type { NatsAccess } from './nats-connection.ts';

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

/** Where the secret is; without a `secretId`, NATS asks for no credentials. */
export type SecretSource = Omit<ExtensionSecret, 'secretId'> & { readonly secretId: string | undefined };

/**
 * How to log in to NATS, by a secret (extension-secret.ts): a rotated one is used by the next connection after the extension has it.
 * @throws UnavailableError where the secret cannot be had, SettingsError where it is not a NatsSecret.
 */
export const natsAccess =
  ({ secretId, ...extension }: SecretSource) =>
  async (): Promise<NatsAccess> => {
    if (secretId === undefined) return {};
    return accessOf(secretOf(secretId, await extensionSecret({ secretId, ...extension })));
  };

/** No way to log in, or one; a password belongs to a user. */
function isOneLogin({ creds, nkeySeed, token, user, password }: Record<string, unknown>): boolean {
  const ways = [creds, nkeySeed, token, user].filter((way) => way !== undefined).length;
  return ways <= 1 && (password === undefined || user !== undefined);
}

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
