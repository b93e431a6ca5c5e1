import { createServer } from 'node:http';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { jwtVerifier } from '../../../shared/http/jwt-verifier.ts';
import { audience, type Claims, issuer } from '../adapters/issuer.ts';
import { loopback } from '../adapters/loopback.ts';

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe('a JWT', () => {
  it('is trusted where the issuer signed it, for this audience, and it has not expired', async () => {
    await using trusted = await issuer();

    const verify = jwtVerifier(trusted.trust);

    expect(await verify(await trusted.sign())).toEqual({ scopes: [] });
    expect(await verify(await trusted.sign({ aud: ['others', audience] }))).toEqual({ scopes: [] });
  });

  it.each<[string, Claims]>([
    ['expired', { exp: inSeconds(-60) }],
    ['without an end', { exp: undefined }],
    ['not valid yet', { nbf: inSeconds(300) }],
    ['for somebody else', { aud: 'another-service' }],
    ['for nobody', { aud: undefined }],
    ['of another issuer', { iss: 'https://issuer.example.evil' }],
  ])('is not trusted where it is %s', async (_, changes) => {
    await using trusted = await issuer();

    expect(await jwtVerifier(trusted.trust)(await trusted.sign(changes))).toBeUndefined();
  });

  it('is not trusted with another signature, a shared secret, or none', async () => {
    await using trusted = await issuer();
    const verify = jwtVerifier(trusted.trust);
    const { privateKey } = await generateKeyPair('RS256');
    const claims = { iss: trusted.trust.issuer, aud: audience, exp: inSeconds(60) };
    const shared = new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
      .sign(Buffer.alloc(32));

    expect(await verify(await trusted.sign({}, privateKey))).toBeUndefined();
    expect(await verify(await shared)).toBeUndefined();
    expect(await verify(new UnsecuredJWT(claims).encode())).toBeUndefined();
    expect(await verify('a.b.c')).toBeUndefined();
  });

  it('causes one request for the issuer’s keys, however many are verified', async () => {
    await using trusted = await issuer();
    const verify = jwtVerifier(trusted.trust);

    for (let turn = 0; turn < 3; turn++) await verify(await trusted.sign());

    expect(trusted.asked).toEqual(['/jwks.json']);
  });

  it.each([
    [500, '{}'],
    [200, '<html>'],
    [200, '{}'],
  ])('cannot be verified where the issuer answers %i %s for its keys', async (status, text) => {
    await using trusted = await issuer();
    await using broken = await loopback(
      createServer((_, response) => void response.writeHead(status).end(text)),
    );

    const judged = jwtVerifier({ ...trusted.trust, jwksUrl: broken.url })(await trusted.sign());

    await expect(judged).rejects.toThrow(UnavailableError);
  });
});
