import { buildAuthenticator, nkeys } from '@nats-io/nats-core';
import { describe, expect, it } from 'vitest';
import { natsAccess } from '../../../../shared/adapters/nats/credentials.ts';
import { SettingsError, UnavailableError } from '../../../../shared/core/errors.ts';

const secretId = 'dcm/nats credentials';

/** How NATS would be logged in to with this secret. */
const loginBy = async (secret: unknown) => buildAuthenticator(await accessBy(secret)())('nonce');

const accessBy = (secret: unknown) =>
  natsAccess(secretId, async () => (typeof secret === 'string' ? secret : JSON.stringify(secret)));

const user = nkeys.createUser();
const seed = new TextDecoder().decode(user.getSeed());
const creds = `-----BEGIN NATS USER JWT-----
eyJhbGciOiJlZDI1NTE5In0.e30.c2ln
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;

const pem = (what: string) => `-----BEGIN ${what}-----\nMIIB\n-----END ${what}-----\n`;

describe('access to NATS', () => {
  it('needs no secret where none is configured', async () => {
    const readSecret = async () => Promise.reject(new Error('no secret is to be read'));

    expect(await natsAccess(undefined, readSecret)()).toEqual({});
  });

  it('asks anew for each connection, so that a rotated secret is used (C13)', async () => {
    const tokens = ['old', 'new'];
    const asked: string[] = [];
    const access = natsAccess(secretId, async (id) => {
      asked.push(id);
      return JSON.stringify({ token: tokens.shift() });
    });

    const logins = [await access(), await access()].map((one) => buildAuthenticator(one)());

    expect(logins).toEqual([{ auth_token: 'old' }, { auth_token: 'new' }]);
    expect(asked).toEqual([secretId, secretId]);
  });

  it('is by the text of a .creds file', async () => {
    const signed = {
      jwt: 'eyJhbGciOiJlZDI1NTE5In0.e30.c2ln',
      nkey: user.getPublicKey(),
      sig: expect.any(String),
    };

    expect(await loginBy(creds)).toMatchObject(signed);
    expect(await loginBy({ creds })).toMatchObject(signed);
  });

  it('is by an nkey', async () => {
    expect(await loginBy({ nkeySeed: seed })).toMatchObject({
      nkey: user.getPublicKey(),
      sig: expect.stringMatching(/./),
    });
  });

  it('is by a token', async () => {
    expect(await loginBy({ token: 't0ken' })).toEqual({ auth_token: 't0ken' });
  });

  it('is by a user and a password, or a user alone', async () => {
    expect(await loginBy({ user: 'sp', password: 's3cret' })).toEqual({ user: 'sp', pass: 's3cret' });
    expect(await loginBy({ user: 'sp' })).toMatchObject({ user: 'sp' });
  });

  it('has what TLS and the account need beside', async () => {
    const tls = { ca: pem('CERTIFICATE'), cert: pem('CERTIFICATE'), key: pem('PRIVATE KEY') };

    expect(await accessBy({ ...tls, inboxPrefix: '_INBOX_sp' })()).toEqual({ tls, inboxPrefix: '_INBOX_sp' });
    expect(await accessBy({ ca: tls.ca, token: 't' })()).toMatchObject({ tls: { ca: tls.ca } });
  });
});

describe('access to NATS, with a secret to which an editor or a shell added something', () => {
  const soiled: [string, (secret: string) => string][] = [
    ['a trailing newline', (secret) => `${secret}\n`],
    ['no trailing newline', (secret) => secret.trimEnd()],
    ['a blank line before it', (secret) => `\n${secret}`],
    ['a blank line after it', (secret) => `${secret}\r\n\r\n`],
    ['CRLF for line ends', (secret) => secret.replaceAll('\n', '\r\n')],
    ['a byte order mark', (secret) => `\uFEFF${secret}`],
  ];

  it.each(soiled)('works all the same: %s', async (_, soil) => {
    const signed = { jwt: 'eyJhbGciOiJlZDI1NTE5In0.e30.c2ln', nkey: user.getPublicKey() };

    expect(await loginBy(soil(creds))).toMatchObject(signed);
    expect(await loginBy({ creds: soil(creds) })).toMatchObject(signed);
    expect(await loginBy({ nkeySeed: soil(seed) })).toMatchObject({ nkey: user.getPublicKey() });
    expect(await loginBy(soil(JSON.stringify({ token: soil('t0ken') }, null, 2)))).toEqual({
      auth_token: 't0ken',
    });
    expect(await loginBy({ user: soil('sp'), password: soil('s3cret') })).toEqual({
      user: 'sp',
      pass: 's3cret',
    });
    expect(await accessBy({ ca: soil(pem('CERTIFICATE')) })()).toEqual({ tls: { ca: pem('CERTIFICATE') } });
  });

  it('works with a blank line between the lines of a .creds file', async () => {
    expect(await loginBy(creds.replaceAll('\n', '\n\n'))).toMatchObject({ nkey: user.getPublicKey() });
  });

  it('keeps the blanks of a password', async () => {
    expect(await loginBy({ user: 'sp', password: ' s3cret \n' })).toEqual({ user: 'sp', pass: ' s3cret ' });
  });

  it.each([
    [
      'creds',
      { creds: creds.replace(seed, 'hunter2') },
      'must be the text of a .creds file, with the JWT and the nkey seed of a user',
    ],
    [
      'creds',
      creds.slice(0, creds.indexOf('-----BEGIN USER NKEY')),
      'must be the text of a .creds file, with the JWT and the nkey seed of a user',
    ],
    ['nkeySeed', { nkeySeed: `${seed.slice(0, -1)}1` }, 'must be the nkey seed of a user, SU…'],
    ['nkeySeed', { nkeySeed: user.getPublicKey() }, 'must be the nkey seed of a user, SU…'],
    ['token', { token: '\n' }, 'must be one line of text and not empty'],
    ['password', { user: 'sp', password: 'hunter2\nhunter3' }, 'must be one line of text and not empty'],
    ['token', { token: 2 }, 'must be a text'],
    ['ca', { ca: 'hunter2' }, 'must be PEM, from -----BEGIN to -----END'],
  ])(
    'names the field %s at once where that is not all, and does not quote it',
    async (field, secret, must) => {
      const access = accessBy(secret)();

      await expect(access).rejects.toThrow(SettingsError);
      await expect(access).rejects.toThrow(`; its field "${field}" ${must}`);
      await expect(access).rejects.not.toThrow('hunter2');
    },
  );
});

describe('access to NATS, with a secret that cannot be used', () => {
  it.each([
    { what: 'an unknown field', secret: '{"username":"sp","password":"hunter2"}' },
    { what: 'a field that is no text', secret: '{"token":["hunter2"]}' },
    { what: 'what is no JSON', secret: 'hunter2' },
    { what: 'JSON that was cut off', secret: '{"token":"hunter2"' },
    { what: 'a list', secret: '["hunter2"]' },
    { what: 'two ways to log in', secret: '{"token":"hunter2","nkeySeed":"SU"}' },
    { what: 'a password of nobody', secret: '{"password":"hunter2"}' },
  ])('is a mistake in the settings: $what; the secret is not quoted (C14)', async ({ secret }) => {
    const error = await accessBy(secret)().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(SettingsError);
    expect(error).toMatchObject({ message: expect.stringContaining(secretId) });
    expect(error).toMatchObject({ message: expect.stringContaining('nkeySeed') });
    expect(error).not.toMatchObject({ message: expect.stringContaining('hunter2') });
    expect(error).not.toHaveProperty('cause');
  });
});

describe('access to NATS, where the secret cannot be read', () => {
  it('is unavailable, and says so', async () => {
    const unreadable = new UnavailableError(`the secret ${secretId} cannot be read: HTTP 500`);

    await expect(natsAccess(secretId, async () => Promise.reject(unreadable))()).rejects.toBe(unreadable);
  });
});
