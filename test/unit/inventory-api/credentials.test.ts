import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { operations } from '../../../functions/inventory-api/operations.ts';
import { permits } from '../../../functions/inventory-api/scopes.ts';
import { targetPrefixes } from '../../../functions/inventory-api/targets.ts';
import { jwtVerifier } from '../../../shared/http/jwt-verifier.ts';
import { issuer } from '../adapters/issuer.ts';
import { full, fullAccess, listAll, prod, seedBase, servedInventory } from './served-inventory.ts';

const Named = z.object({
  resources: z.array(z.object({ name: z.string(), target: z.optional(z.string()) })),
});

const trusted = await issuer();
afterAll(() => trusted[Symbol.asyncDispose]());

const token = (name: string, ...scopes: string[]) => ({
  secret: async () => name,
  opens: permits(scopes, 'home'),
});
const jwt = {
  secret: async () => undefined,
  verifyJwt: jwtVerifier(trusted.trust),
  opens: (asked: Parameters<ReturnType<typeof permits>>[0], scopes: readonly string[]) =>
    permits(scopes, 'home')(asked),
  isMeantFor: () => true,
};

const credentials = [
  fullAccess,
  token('read', 'inventory:read'),
  token('read-home', 'inventory:read:eu-west-1'),
  token('read-prod', 'inventory:read:prod/*'),
  token('logs-prod', 'inventory:logs:prod/eu-west-1'),
  token('changes', 'changes:read'),
  jwt,
];

/** What each opens: the scope and the alias of the target that is asked for. */
const callers = [
  { who: 'nobody', authorization: undefined, opens: undefined },
  { who: 'a wrong token', authorization: 'Bearer wrong', opens: undefined },
  { who: 'no bearer token', authorization: 'Digest x', opens: undefined },
  { who: 'everything', authorization: `Bearer ${full}`, opens: () => true },
  {
    who: 'a password',
    authorization: `Basic ${Buffer.from(`x:${full}`).toString('base64')}`,
    opens: () => true,
  },
  { who: 'reading', authorization: 'Bearer read', opens: (scope: string) => scope === 'inventory:read' },
  {
    who: 'reading a target of the home account',
    authorization: 'Bearer read-home',
    opens: (scope: string, alias: string) => scope === 'inventory:read' && alias !== 'prod',
  },
  {
    who: 'reading another account',
    authorization: 'Bearer read-prod',
    opens: (scope: string, alias: string) => scope === 'inventory:read' && alias !== 'home',
  },
  {
    who: 'logs of another account',
    authorization: 'Bearer logs-prod',
    opens: (scope: string, alias: string) => scope === 'inventory:logs' && alias !== 'home',
  },
  { who: 'changes', authorization: 'Bearer changes', opens: (scope: string) => scope === 'changes:read' },
  {
    who: 'a JWT for reading',
    authorization: `Bearer ${await trusted.sign({ scope: 'openid inventory:read:eu-west-1' })}`,
    opens: (scope: string, alias: string) => scope === 'inventory:read' && alias !== 'prod',
  },
  {
    who: 'a JWT for the changes of one target, which is no scope',
    authorization: `Bearer ${await trusted.sign({ scope: 'changes:read:eu-west-1' })}`,
    opens: () => false,
  },
  { who: 'a JWT without scopes', authorization: `Bearer ${await trusted.sign()}`, opens: () => false },
  {
    who: 'an expired JWT',
    authorization: `Bearer ${await trusted.sign({ exp: 1_700_000_000 })}`,
    opens: undefined,
  },
];

const routes = operations.flatMap(({ path, isOfNoTarget, scope = '', isPublic }) =>
  isOfNoTarget
    ? [{ path, alias: 'any', scope, isPublic }]
    : targetPrefixes.flatMap((prefix) =>
        (prefix === '/targets/{region}' ? ['home'] : ['home', 'prod']).map((alias) => ({
          path: `${prefix.replace(/\{(namespace|alias)\}/, alias)}${path}`,
          ...{ alias, scope, isPublic },
        })),
      ),
);
const pathOf = (path: string, region = 'eu-west-1') =>
  path
    .replace(/\{(cluster|region)\}/, region)
    .replace('{namespace}', 'home')
    .replace('{vpc}', 'vpc-1')
    .replace('{id}', 'id-1');

/** Paths of accounts that there are not, and of regions that an account has not. */
const nowhere = operations
  .filter(({ isOfNoTarget }) => !isOfNoTarget)
  .flatMap(({ path }) =>
    targetPrefixes.flatMap((prefix) =>
      ['home', 'prod', 'nobodys'].map((alias) =>
        pathOf(
          `${prefix.replace(/\{(namespace|alias)\}/, alias)}${path}`,
          alias === 'nobodys' && prefix !== '/targets/{region}' ? 'eu-west-1' : 'ap-south-2',
        ),
      ),
    ),
  );

const challenges = { 401: /^Bearer realm="inventory-api", Basic/, 403: /error="insufficient_scope"$/ };

const expectedOf = (
  { scope, alias, isPublic }: (typeof routes)[number],
  opens: ((scope: string, alias: string) => boolean) | undefined,
): 401 | 403 | undefined => {
  if (isPublic) return undefined;
  if (opens === undefined) return 401;
  return opens(scope, alias) ? undefined : 403;
};

/** The status of a request that the credentials do not open. That AWS or the settings refuse something has no challenge. */
const refusalOf = ({ status, headers }: Response): number | undefined =>
  headers.has('www-authenticate') ? status : undefined;

describe('credentials', () => {
  it.each(callers)(
    'of $who open what their scopes say, on every path (B3 19)',
    async ({ authorization, opens }) => {
      const api = servedInventory({ credentials });
      await listAll(api);
      await listAll(api, prod);

      for (const route of routes) {
        const { path } = route;
        const response = await api.ask(pathOf(path), { headers: { authorization: authorization ?? '' } });
        const expected = expectedOf(route, opens);
        expect([path, refusalOf(response)]).toEqual([path, expected]);
        if (expected !== undefined)
          expect(response.headers.get('www-authenticate')).toMatch(challenges[expected]);
      }
      for (const path of nowhere) {
        const { status, headers } = await api.ask(path, { headers: { authorization: authorization ?? '' } });
        expect([path, status, headers.get('x-reason')]).toEqual([path, 404, 'target']);
      }
    },
  );

  it('show only the accounts, targets and plans that they open (B3 22)', async () => {
    const plans = [
      { name: 'move', source: 'eu-west-1', destination: 'prod/eu-west-1', selector: { a: 'b' } },
    ];
    const api = servedInventory({ credentials, settings: { plans } });
    const names = async (path: string, authorization: string) => {
      const response = await api.ask(path, { headers: { authorization } });
      if (response.status !== 200) return response.status;
      return Named.parse(await response.json()).resources.map(({ target, name }) => target ?? name);
    };

    expect(await names('/namespaces', 'Bearer read-prod')).toEqual(['prod']);
    expect(await names('/targets', 'Bearer read-prod')).toEqual(['prod/eu-west-1']);
    expect(await names('/targets', 'Bearer read-home')).toEqual(['eu-west-1']);
    expect(await names('/namespaces/home/clusters', 'Bearer read-prod')).toEqual([]);
    expect(await names('/namespaces/home/plans', 'Bearer read')).toEqual(['move']);
    expect(await names('/namespaces/home/plans', 'Bearer read-home')).toEqual([]);
    expect(await names('/namespaces/home/plans/move/pods', 'Bearer read-home')).toBe(404);
  });

  it('are decided anew by each request, with all that it asks for (C2 26)', async () => {
    const api = servedInventory({ credentials });
    await listAll(api);
    const statusOf = async (path: string) =>
      (await api.ask(path, { headers: { authorization: 'Bearer read-home' } })).status;

    expect(await statusOf(`${seedBase}/vpcs`)).toBe(200);
    expect(await statusOf('/namespaces/prod/clusters/eu-west-1/vpcs')).toBe(403);
    expect(await statusOf(`${seedBase}/vpcs`)).toBe(200);
    expect(JSON.stringify(api.log.lines)).not.toContain('read-home');
  });

  it.each([
    { given: undefined, status: 200 },
    { given: 'Bearer wrong', status: 401 },
    { given: 'Bearer changes', status: 403 },
    { given: `Bearer ${full}`, status: 200 },
  ])(
    'are optional in development, and are checked where they are given: $given (B3 32)',
    async ({ given, status }) => {
      const api = servedInventory({ credentials, isOptional: true });
      await listAll(api);
      const response = await api.ask('/targets/eu-west-1/instances', {
        headers: given === undefined ? { authorization: '' } : { authorization: given },
      });

      expect(response.status).toBe(status);
    },
  );
});

describe('a web page', () => {
  const settings = { corsOrigins: ['https://console.example'] };
  const from = (origin: string) => ({ headers: { origin } });

  it('of a permitted origin may read every answer, errors included (B3 10)', async () => {
    const api = servedInventory({ settings });
    for (const path of ['/schema', '/targets', '/targets/eu-west-1/vpcs', '/nowhere', '/targets/x/vpcs']) {
      const { headers } = await api.ask(path, from('https://console.example'));

      expect([path, headers.get('access-control-allow-origin')]).toEqual([path, 'https://console.example']);
      expect(headers.get('access-control-expose-headers')).toMatch(/X-Reason/);
      expect(headers.get('vary')).toMatch(/Origin/);
    }
  });

  it('asks before, without credentials (B3 10)', async () => {
    const { status, headers } = await servedInventory({ settings }).ask('/targets/eu-west-1/vpcs', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://console.example',
        'access-control-request-method': 'GET',
        authorization: '',
      },
    });

    expect([status, headers.get('access-control-allow-methods')]).toEqual([204, 'GET,HEAD']);
    expect(headers.get('access-control-allow-headers')).toBe(
      'Authorization,If-None-Match,Last-Event-ID,X-Request-Id',
    );
    expect(headers.get('access-control-max-age')).toBe('43200');
  });

  it.each([
    [settings, 'https://other.example'],
    [{}, 'https://console.example'],
  ])('of another origin may not, nor of any where the settings name none', async (given, origin) => {
    const { headers } = await servedInventory({ settings: given }).ask('/schema', from(origin));

    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});
