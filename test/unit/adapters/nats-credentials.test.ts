import { createServer } from 'node:http';
import { buildAuthenticator, nkeys } from '@nats-io/nats-core';
import { describe, expect, it } from 'vitest';
import { natsAccess } from '../../../shared/adapters/nats-credentials.ts';
import { SettingsError, UnavailableError } from '../../../shared/domain/errors.ts';
import { loopback } from './loopback.ts';

const secretId = 'dcm/nats credentials';

/** The extension, which has one secret. */
const extension = async (secret: () => string, status = 200) => {
  const asked: unknown[] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push({ url, token: headers['x-aws-parameters-secrets-token'] });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(status === 200 ? JSON.stringify({ SecretString: secret(), VersionId: '1' }) : 'an error');
  });
  const { port, ...running } = await loopback(server);
  return { ...running, asked, access: natsAccess({ secretId, port, sessionToken: 'token-1' }) };
};

/** How NATS would be logged in to with this secret. */
const loginBy = async (secret: unknown) => {
  await using secrets = await extension(() => (typeof secret === 'string' ? secret : JSON.stringify(secret)));
  return buildAuthenticator(await secrets.access())('nonce');
};

const user = nkeys.createUser();
const seed = new TextDecoder().decode(user.getSeed());
const creds = `-----BEGIN NATS USER JWT-----
eyJhbGciOiJlZDI1NTE5In0.e30.c2ln
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;

describe('access to NATS', () => {
  it('needs no secret where none is configured', async () => {
    expect(await natsAccess({ secretId: undefined, port: '1', sessionToken: '' })()).toEqual({});
  });

  it('asks the extension for the secret by name, with Lambda’s session token', async () => {
    await using secrets = await extension(() => '{}');

    await secrets.access();

    expect(secrets.asked).toEqual([
      { url: '/secretsmanager/get?secretId=dcm%2Fnats%20credentials', token: 'token-1' },
    ]);
  });

  it('asks anew for each connection, so that a rotated secret is used (C13)', async () => {
    const tokens = ['old', 'new'];
    await using secrets = await extension(() => JSON.stringify({ token: tokens.shift() }));

    const logins = [await secrets.access(), await secrets.access()].map((one) => buildAuthenticator(one)());

    expect(logins).toEqual([{ auth_token: 'old' }, { auth_token: 'new' }]);
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
    const tls = { ca: '-----BEGIN CERTIFICATE-----', cert: 'certificate', key: 'private key' };
    await using withAll = await extension(() => JSON.stringify({ ...tls, inboxPrefix: '_INBOX_sp' }));
    await using withCa = await extension(() => JSON.stringify({ ca: tls.ca, token: 't' }));

    expect(await withAll.access()).toEqual({ tls, inboxPrefix: '_INBOX_sp' });
    expect(await withCa.access()).toMatchObject({ tls: { ca: tls.ca } });
  });
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
    await using secrets = await extension(() => secret);

    const error = await secrets.access().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(SettingsError);
    expect(error).toMatchObject({ message: expect.stringContaining(secretId) });
    expect(error).toMatchObject({ message: expect.stringContaining('nkeySeed') });
    expect(error).not.toMatchObject({ message: expect.stringContaining('hunter2') });
    expect(error).not.toHaveProperty('cause');
  });
});

describe('access to NATS, where the secret cannot be had', () => {
  it.each([400, 403, 500])('is unavailable where the extension answers %i, and says so', async (status) => {
    await using secrets = await extension(() => '{}', status);

    await expect(secrets.access()).rejects.toThrow(UnavailableError);
    await expect(secrets.access()).rejects.toThrow(`the secret ${secretId} cannot be read: HTTP ${status}`);
  });

  it('is unavailable where there is no extension', async () => {
    const { port, ...stopped } = await loopback(createServer());
    await stopped[Symbol.asyncDispose]();

    const access = natsAccess({ secretId, port, sessionToken: '' })();

    await expect(access).rejects.toThrow(UnavailableError);
    await expect(access).rejects.toThrow(secretId);
  });

  it('is unavailable where the extension answers something else than a secret', async () => {
    await using garbage = await loopback(createServer((_, response) => void response.end('<html>')));

    const access = natsAccess({ secretId, port: garbage.port, sessionToken: '' })();

    await expect(access).rejects.toThrow(UnavailableError);
  });
});
