import { describe, expect, it } from 'vitest';
import { SettingsError, UnauthenticatedError, UnavailableError } from '../../../shared/core/errors.ts';
import { authentication } from '../../../shared/http/authentication.ts';
import { tokensOf } from '../../../shared/wire/api-tokens.ts';
import { servedApi } from '../provider-api/http/served-api.ts';

const secret = async () => JSON.stringify({ token: 'new-token', previous: 'old-token' });
const basic = (userAndPassword: string) => `Basic ${Buffer.from(userAndPassword).toString('base64')}`;
const asked = { target: { region: 'eu-west-1' } };
const realm = 'provider-api';
const byToken = authentication({ realm, credentials: [{ secret }] });

describe('a request with the token', () => {
  it.each([
    'Bearer new-token',
    'bearer new-token',
    'Bearer   new-token ',
    'Bearer old-token',
    basic('dcm:new-token'),
    basic(':new-token'),
    basic('anybody:old-token'),
  ])('is accepted: %s', async (authorization) => {
    await expect(byToken.check(authorization, asked)).resolves.toBeTypeOf('function');
  });

  it('may have a colon in the token, as the password of Basic', async () => {
    const withColon = authentication({ realm, credentials: [{ secret: async () => 'pa:ss' }] });

    await expect(withColon.check(basic('user:pa:ss'), asked)).resolves.toBeTypeOf('function');
  });
});

describe('a request without the token', () => {
  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'new-token',
    'Bearer new-toke',
    'Bearer new-token2',
    'Bearer NEW-TOKEN',
    'Bearer new-token old-token',
    'Digest new-token',
    basic('new-token'),
    basic('new-token:'),
    basic('dcm:new-token '),
    'Basic new-token',
    'Basic %%%',
    'Bearer undefined',
    'Bearer {"token":"new-token"}',
  ])('is refused: %s', async (authorization) => {
    await expect(byToken.check(authorization, asked)).rejects.toThrow(UnauthenticatedError);
  });

  it('is answered with a challenge (RFC 9110, 11.6.1)', async () => {
    const response = await servedApi().ask('GET', '/api/v1alpha1/vms', { headers: { authorization: '' } });

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="provider-api", Basic realm="provider-api", charset="UTF-8"',
    ]);
  });

  it('is refused before anything else of it is read', async () => {
    const response = await servedApi().ask('POST', '/api/v1alpha1/vms?id=NO', {
      headers: { authorization: '', 'content-type': 'text/plain' },
    });

    expect(response.status).toBe(401);
  });
});

describe('a token that permits reading alone', () => {
  it('is refused for a change with that reason, not with the target that it does open', async () => {
    const reader = { secret, opens: ({ isWrite }: { isWrite?: boolean | undefined }) => isWrite !== true };
    const { check } = authentication({ realm, credentials: [{ ...reader, isMeantFor: () => false }] });

    await expect(check('Bearer new-token', asked)).resolves.toBeTypeOf('function');
    await expect(check('Bearer new-token', { ...asked, isWrite: true })).rejects.toThrow(
      /^the credentials permit reading alone$/,
    );
  });
});

describe('the secret with the tokens', () => {
  it('answers 503 where it cannot be read, without its ARN', async () => {
    const gone = authentication({
      realm,
      credentials: [
        { secret: async () => Promise.reject(new UnavailableError('arn:aws:secretsmanager:…: HTTP 400')) },
      ],
    });

    const response = await servedApi({ authentication: gone }).ask('GET', '/api/v1alpha1/vms');

    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('arn:');
  });

  it('is used by the next request after a rotation, without a restart (C 13)', async () => {
    const tokens = ['first', 'second', 'second'];
    const rotated = authentication({
      realm,
      credentials: [{ secret: async () => tokens.shift() ?? '' }],
    });

    await expect(rotated.check('Bearer first', asked)).resolves.toBeTypeOf('function');
    await expect(rotated.check('Bearer second', asked)).resolves.toBeTypeOf('function');
    await expect(rotated.check('Bearer first', asked)).rejects.toThrow(UnauthenticatedError);
  });
});

describe('a JWT', () => {
  const jwt = 'aGVhZA.Ym9keQ.c2lnbmF0dXJl';
  const trusting = (isTrusted: boolean) =>
    authentication({
      realm,
      credentials: [
        {
          secret,
          verifyJwt: async (candidate) => (isTrusted && candidate === jwt ? { scopes: [] } : undefined),
        },
      ],
    });

  it('is accepted where the issuer signed it, in addition to the token', async () => {
    await expect(trusting(true).check(`Bearer ${jwt}`, asked)).resolves.toBeTypeOf('function');
    await expect(trusting(true).check('Bearer new-token', asked)).resolves.toBeTypeOf('function');
    await expect(trusting(false).check(`Bearer ${jwt}`, asked)).rejects.toThrow(UnauthenticatedError);
  });

  it('is not accepted as a password', async () => {
    await expect(trusting(true).check(basic(`dcm:${jwt}`), asked)).rejects.toThrow(UnauthenticatedError);
  });

  it('is the only accepted credential where there are no tokens', async () => {
    const byJwtAlone = authentication({
      realm,
      credentials: [{ secret: async () => undefined, verifyJwt: async () => ({ scopes: [] }) }],
    });

    await expect(byJwtAlone.check('Bearer new-token', asked)).rejects.toThrow(UnauthenticatedError);
    await expect(byJwtAlone.check(basic('dcm:undefined'), asked)).rejects.toThrow(UnauthenticatedError);
  });
});

describe('the secret of the API', () => {
  it.each([
    ['token-1', ['token-1']],
    [' token-1\n', ['token-1']],
    ['{"token":"token-1"}', ['token-1']],
    ['{"token":"token-1","previous":"token-0"}', ['token-1', 'token-0']],
  ])('%j holds the tokens %j', (text, tokens) => {
    expect(tokensOf(text)).toEqual(tokens);
  });

  it.each([
    '',
    ' ',
    '{}',
    '{"token":""}',
    '{"tokne":"hunter2"}',
    '{"token":"hunter2","old":"x"}',
    '{"token":"hunter2"',
  ])('is refused as a settings error that does not quote it: %j', (text) => {
    expect(() => tokensOf(text)).toThrow(SettingsError);
    expect(() => tokensOf(text)).not.toThrow('hunter2');
  });
});
