import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { authentication } from '../../../../shared/http/authentication.ts';
import { jwtVerifier } from '../../../../shared/http/jwt-verifier.ts';
import { documentedTypes } from '../../../../tools/api-examples.ts';
import { openApiDocument } from '../../../../tools/openapi.ts';
import { issuer } from '../../adapters/issuer.ts';
import { servedApi, token } from './served-api.ts';

const Described = z.object({ security: z.optional(z.array(z.unknown())) });

/** Every operation that the OpenAPI document tells of, and whether it says that anybody may. */
const described = Object.entries(openApiDocument().paths ?? {}).flatMap(([path, methods]) =>
  Object.entries(methods ?? {}).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    isPublic: Described.parse(operation).security?.length === 0,
  })),
);

const trusted = await issuer();
afterAll(() => trusted[Symbol.asyncDispose]());

const basic = (password: string) => `Basic ${Buffer.from(`dcm:${password}`).toString('base64')}`;
const credentials = [
  { who: 'nobody', authorization: '', isLetIn: false },
  { who: 'a wrong bearer token', authorization: 'Bearer wrong', isLetIn: false },
  { who: 'the right bearer token', authorization: `Bearer ${token}`, isLetIn: true },
  { who: 'a wrong password', authorization: basic('wrong'), isLetIn: false },
  { who: 'the right password', authorization: basic(token), isLetIn: true },
  { who: 'the previous token', authorization: 'Bearer before', isLetIn: true },
  {
    who: 'an expired JWT',
    authorization: `Bearer ${await trusted.sign({ exp: 1_700_000_000 })}`,
    isLetIn: false,
  },
  {
    who: 'a JWT for another audience',
    authorization: `Bearer ${await trusted.sign({ aud: 'others' })}`,
    isLetIn: false,
  },
  { who: 'a JWT for us', authorization: `Bearer ${await trusted.sign()}`, isLetIn: true },
];

const authenticate = authentication({
  realm: 'provider-api',
  credentials: [
    {
      secret: async () => JSON.stringify({ token, previous: 'before' }),
      verifyJwt: jwtVerifier(trusted.trust),
    },
  ],
});

const exampleOf = (path: string): unknown =>
  documentedTypes.find(({ collection }) => path.startsWith(`/api/v1alpha1/${collection}`))?.exampleSpec;

describe.each(described)('$method $path', ({ method, path, isPublic }) => {
  it.each(credentials)(`accepts $who: $isLetIn, unless it is public (C 1)`, async (one) => {
    for (const prefix of ['', '/eu-west-1']) {
      const api = servedApi({ authentication: authenticate });

      const response = await api.ask(method, `${prefix}${path.replace(/\{\w+_id\}/, 'id-1')}?id=id-1`, {
        headers: { authorization: one.authorization },
        body: method === 'POST' ? { spec: exampleOf(path) } : undefined,
      });

      expect(response.status === 401).toBe(!(one.isLetIn || isPublic));
      if (response.status === 401) expect(api.asked).toEqual([]);
      else expect(response.ok).toBe(true);
    }
  });
});

it('only health and the OpenAPI document are public', () => {
  expect(described.filter(({ isPublic }) => isPublic).map(({ path }) => path)).toEqual([
    '/api/v1alpha1/vms/health',
    '/api/v1alpha1/containers/health',
    '/api/v1alpha1/clusters/health',
    '/api/v1alpha1/health',
    '/health',
    '/api/v1alpha1/openapi.json',
  ]);
});
