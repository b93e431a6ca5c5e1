import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { authentication, opensTargetsOf } from '../../../../shared/http/authentication.ts';
import { jwtVerifier } from '../../../../shared/http/jwt-verifier.ts';
import { documentedTypes } from '../../../../tools/api-examples.ts';
import { openApiDocument } from '../../../../tools/openapi.ts';
import { issuer } from '../../adapters/issuer.ts';
import { servedApi, token } from './served-api.ts';

const Described = z.object({
  security: z.optional(z.array(z.unknown())),
  responses: z.record(z.string(), z.unknown()),
  servers: z.optional(z.array(z.unknown())),
});

/** Every operation that the OpenAPI document tells of: whether it says that anybody may, and the status of its answer. */
const described = Object.entries(openApiDocument().paths ?? {}).flatMap(([path, methods]) =>
  Object.entries(methods ?? {}).map(([method, operation]) => {
    const { security, servers, responses } = Described.parse(operation);
    const [success] = Object.keys(responses).filter((status) => status.startsWith('2'));
    return {
      ...{ method: method.toUpperCase(), path, isPublic: security?.length === 0, success: Number(success) },
      /** With a server of its own, it is about no target. */
      hasTarget: servers === undefined,
    };
  }),
);

const accounts = {
  prod: { id: '222222222222', regions: ['eu-west-1'] },
  lab: { id: '333333333333', regions: ['eu-west-1', 'us-east-1'] },
};

/** What paths begin with, and the target that it names; undefined: there is no such target. */
const targets = [
  { prefix: '', target: 'us-east-1' },
  { prefix: '/eu-west-1', target: 'eu-west-1' },
  { prefix: '/prod/eu-west-1', target: 'prod/eu-west-1' },
  { prefix: '/prod/us-east-1', target: undefined },
  { prefix: '/nobodys/eu-west-1', target: undefined },
];

const [trusted, ofProd, unknown] = await Promise.all([
  issuer(),
  issuer('https://prod.example'),
  issuer('https://unknown.example'),
]);
afterAll(() => Promise.all([trusted, ofProd, unknown].map((one) => one[Symbol.asyncDispose]())));

const bearer = (text: string) => `Bearer ${text}`;
const basic = (password: string) => `Basic ${Buffer.from(`dcm:${password}`).toString('base64')}`;
const home = ['us-east-1', 'eu-west-1'];
const prod = ['prod/eu-west-1'];
const expired = { exp: 1_700_000_000 };

/** `opens`: the targets that they open; undefined: they are not accepted. */
const credentials = [
  { who: 'nobody', authorization: '', opens: undefined },
  { who: 'an unknown bearer token', authorization: bearer('wrong'), opens: undefined },
  { who: 'an unknown password', authorization: basic('wrong'), opens: undefined },
  { who: "the home account's token", authorization: bearer(token), opens: home },
  { who: "the home account's token as password", authorization: basic(token), opens: home },
  { who: "the home account's previous token", authorization: bearer('before'), opens: home },
  { who: "an account's token", authorization: bearer('token-of-prod'), opens: prod },
  { who: "an account's token as password", authorization: basic('token-of-prod'), opens: prod },
  { who: "another account's token", authorization: bearer('token-of-lab'), opens: [] },
  { who: "a JWT of the home account's issuer", authorization: bearer(await trusted.sign()), opens: home },
  {
    who: "a JWT of the home account's issuer for one target",
    authorization: bearer(await trusted.sign({ scope: 'openid target:eu-west-1' })),
    opens: ['eu-west-1'],
  },
  {
    who: "a JWT of the home account's issuer for an account",
    authorization: bearer(await trusted.sign({ scope: 'target:prod/*' })),
    opens: prod,
  },
  { who: "a JWT of an account's issuer", authorization: bearer(await ofProd.sign()), opens: prod },
  {
    who: "a JWT of an account's issuer for all targets",
    authorization: bearer(await ofProd.sign({ scope: 'target:*' })),
    opens: prod,
  },
  {
    who: "a JWT of an account's issuer for a target of the home account",
    authorization: bearer(await ofProd.sign({ scope: 'target:eu-west-1' })),
    opens: [],
  },
  {
    who: 'a JWT of an issuer that nobody trusts',
    authorization: bearer(await unknown.sign()),
    opens: undefined,
  },
  {
    who: "a JWT that an account's issuer signed in the name of the home account's",
    authorization: bearer(await ofProd.sign({ iss: trusted.trust.issuer })),
    opens: undefined,
  },
  {
    who: "an expired JWT of the home account's issuer",
    authorization: bearer(await trusted.sign(expired)),
    opens: undefined,
  },
  {
    who: "an expired JWT of an account's issuer",
    authorization: bearer(await ofProd.sign(expired)),
    opens: undefined,
  },
  {
    who: 'a JWT for another audience',
    authorization: bearer(await trusted.sign({ aud: 'others' })),
    opens: undefined,
  },
];

const authenticate = authentication({
  realm: 'provider-api',
  credentials: [
    {
      secret: async () => JSON.stringify({ token, previous: 'before' }),
      verifyJwt: jwtVerifier(trusted.trust),
      opens: opensTargetsOf(undefined),
    },
    {
      secret: async () => 'token-of-prod',
      verifyJwt: jwtVerifier(ofProd.trust),
      opens: opensTargetsOf('prod'),
    },
    { secret: async () => 'token-of-lab', opens: opensTargetsOf('lab') },
  ],
});

/** Of what is refused, by its status. */
const reasons: Readonly<Record<number, string>> = { 404: 'target' };
const challenges: Readonly<Record<number, string>> = {
  401: authenticate.challenge,
  403: authenticate.insufficientScope,
};

const exampleOf = (path: string): unknown =>
  documentedTypes.find(({ collection }) => path.startsWith(`/api/v1alpha1/${collection}`))?.exampleSpec;

/** Without a target in its path it is answered about those that the credentials open. */
const isOfAllTargets = ({ path }: (typeof described)[number], prefix: string): boolean =>
  path === '/api/v1alpha1/usage' && prefix === '';

type Given = {
  readonly prefix: string;
  readonly operation: (typeof described)[number];
  readonly target: (typeof targets)[number]['target'];
  readonly opens: (typeof credentials)[number]['opens'];
};

const statusOf = ({ prefix, operation, target, opens }: Given): number => {
  const { isPublic, hasTarget, success } = operation;
  if (target === undefined) return 404;
  if (isPublic) return success;
  if (opens === undefined) return 401;
  if (!hasTarget || isOfAllTargets(operation, prefix)) return success;
  return opens.includes(target) ? success : 403;
};

/** Where an operation is. */
const targetsOf = ({ hasTarget }: (typeof described)[number]) => (hasTarget ? targets : targets.slice(0, 1));

describe.each(described)('$method $path', (operation) => {
  const { method, path } = operation;

  it.each(credentials)(
    'is answered to $who where the target is theirs, unless it is public (C 1)',
    async (one) => {
      for (const { prefix, target } of targetsOf(operation)) {
        const api = servedApi({ authentication: authenticate, accounts });

        const response = await api.ask(method, `${prefix}${path.replace(/\{\w+_id\}/, 'id-1')}?id=id-1`, {
          headers: { authorization: one.authorization },
          body: method === 'POST' ? { spec: exampleOf(path) } : undefined,
        });

        const expected = statusOf({ prefix, operation, target, opens: one.opens });
        expect([prefix, response.status]).toEqual([prefix, expected]);
        if (!response.ok) expect(api.asked).toEqual([]);
        expect(response.headers.get('x-reason')).toBe(reasons[expected] ?? null);
        expect(response.headers.get('www-authenticate')).toEqual(challenges[expected] ?? null);
      }
    },
  );
});

it('only health, the OpenAPI document and the page of the console are public', () => {
  expect(described.filter(({ isPublic }) => isPublic).map(({ path }) => path)).toEqual([
    '/api/v1alpha1/vms/health',
    '/api/v1alpha1/containers/health',
    '/api/v1alpha1/clusters/health',
    '/api/v1alpha1/health',
    '/health',
    '/api/v1alpha1/openapi.json',
    '/console',
  ]);
});
