import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  nkeys,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/nats-core';
import * as z from 'zod/mini';
import { SettingsError } from '../../core/errors.ts';
import type { ReadSecret } from '../secrets/secrets-manager.ts';
import type { NatsAccess } from './connection.ts';

/** A text that is checked after removing characters that editors and shells add. */
const text = (clean: (given: string) => string, isRight: (cleaned: string) => boolean, must: string) =>
  z.pipe(
    z.pipe(z.string({ error: 'must be a text' }), z.transform(clean)),
    z.string().check(z.refine(isRight, { error: must })),
  );

const withoutByteOrderMark = (given: string): string => given.replace(/^\uFEFF/, '');

/** For texts in which blanks may count, such as passwords: only line breaks at the ends are removed. */
const line = text(
  (given) => withoutByteOrderMark(given).replace(/^[\r\n]+|[\r\n]+$/g, ''),
  (cleaned) => cleaned !== '' && !/[\r\n]/.test(cleaned),
  'must be one line of text and not empty',
);

/** For texts of several lines in which blanks around a line and blank lines have no meaning. */
const cleanLines = (given: string): string =>
  withoutByteOrderMark(given)
    .split(/\r?\n/)
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => `${each}\n`)
    .join('');

const pem = text(
  cleanLines,
  (cleaned) => /^-----BEGIN [^\n]+-----\n[\s\S]+\n-----END [^\n]+-----\n$/.test(cleaned),
  'must be PEM, from -----BEGIN to -----END',
);

const isUserSeed = (seed: string): boolean => {
  try {
    return seed.startsWith('SU') && nkeys.fromSeed(bytes(seed)).getPublicKey() !== '';
  } catch {
    return false;
  }
};

/** @see https://docs.nats.io/using-nats/developer/connecting/creds */
const credsFile =
  /^-+BEGIN NATS USER JWT-+\n[\w-]+\.[\w-]+\.[\w-]+\n-+END NATS USER JWT-+\n[\s\S]*-+BEGIN USER NKEY SEED-+\n(\w+)\n-+END USER NKEY SEED-+\n/;

/** The secret's JSON: one way to log in, and the TLS settings that differ from the public default. */
const NatsSecret = z
  .strictObject({
    /** The text of a `.creds` file: a user's JWT and nkey seed. */
    creds: z.optional(
      text(
        cleanLines,
        (cleaned) => isUserSeed(credsFile.exec(cleaned)?.[1] ?? ''),
        'must be the text of a .creds file, with the JWT and the nkey seed of a user',
      ),
    ),
    /** An nkey seed, `SU…`. */
    nkeySeed: z.optional(
      text((given) => withoutByteOrderMark(given).trim(), isUserSeed, 'must be the nkey seed of a user, SU…'),
    ),
    token: z.optional(line),
    user: z.optional(line),
    password: z.optional(line),
    /** PEM of the certificate authority that signed the server's certificate. */
    ca: z.optional(pem),
    /** PEM of a client certificate and its key, where the server requires one. */
    cert: z.optional(pem),
    key: z.optional(pem),
    /** Prefix of the reply subjects, without the trailing dot, where the account limits them. @default `_INBOX` */
    inboxPrefix: z.optional(line),
  })
  .check(z.refine(isOneLogin, { error: 'must have one way to log in' }));
type NatsSecret = z.infer<typeof NatsSecret>;

/**
 * How to log in to NATS, from a secret: connections use a rotated secret once it is read again. Without a `secretId`, NATS needs no
 * credentials. Line breaks, blank lines and a byte order mark around the values are left out.
 * @throws UnavailableError where the secret cannot be read, SettingsError where it is not a NatsSecret.
 */
export const natsAccess =
  (secretId: string | undefined, readSecret: ReadSecret) => async (): Promise<NatsAccess> => {
    if (secretId === undefined) return {};
    return accessOf(secretOf(secretId, await readSecret(secretId)));
  };

/** Whether there is at most one way to log in, and a password only with a user. */
function isOneLogin({ creds, nkeySeed, token, user, password }: Record<string, unknown>): boolean {
  const ways = [creds, nkeySeed, token, user].filter((way) => way !== undefined).length;
  return ways <= 1 && (password === undefined || user !== undefined);
}

const secretOf = (secretId: string, given: string): NatsSecret => {
  const { data, error } = NatsSecret.safeParse(contentOf(given));
  if (data) return data;
  const issue = error.issues.find(({ path }) => path.length > 0);
  const field = issue ? `; its field "${issue.path.join('.')}" ${issue.message}` : '';
  // no cause: it would quote the secret
  throw new SettingsError(
    `the secret ${secretId} must be the text of a .creds file, or JSON with one way to log in and only: ${fields}${field}`,
  );
};

/** Undefined where the text is neither a `.creds` file nor JSON. */
const contentOf = (given: string): unknown => {
  const cleaned = withoutByteOrderMark(given).trim();
  if (cleaned.startsWith('-----BEGIN NATS')) return { creds: cleaned };
  try {
    return JSON.parse(cleaned);
  } catch {
    return undefined;
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
  if (creds) return { authenticator: credsAuthenticator(bytes(creds)) };
  if (nkeySeed) return { authenticator: nkeyAuthenticator(bytes(nkeySeed)) };
  if (token) return { authenticator: tokenAuthenticator(token) };
  return user ? { authenticator: usernamePasswordAuthenticator(user, password) } : {};
};

const bytes = (characters: string): Uint8Array => new TextEncoder().encode(characters);
