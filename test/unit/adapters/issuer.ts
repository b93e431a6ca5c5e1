import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { loopback } from './loopback.ts';

/** Undefined leaves a claim out. */
export type Claims = { readonly [Claim in keyof JWTPayload]?: JWTPayload[Claim] | undefined };

export const audience = 'dcm-ec2-sp';

/** An issuer of JWTs, which publishes its key until it is disposed of. */
export const issuer = async (name = 'https://issuer.example') => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' }];
  const asked: string[] = [];
  const server = await loopback(
    createServer(({ url = '' }, response) => {
      asked.push(url);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    }),
  );
  return {
    asked,
    trust: { issuer: name, audience, jwksUrl: `${server.url}/jwks.json` },
    /** Valid for an hour, but for what is changed. */
    sign: (changes: Claims = {}, signedBy = privateKey) => {
      const exp = Math.floor(Date.now() / 1000) + 3_600;
      const claims: JWTPayload = JSON.parse(JSON.stringify({ iss: name, aud: audience, exp, ...changes }));
      return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'key-1' }).sign(signedBy);
    },
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  };
};
