import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { BearerTokens } from '../../../../shared/adapters/dcm/bearer-tokens.ts';
import { httpProviderRegistry, type Timeouts } from '../../../../shared/adapters/dcm/provider-registry.ts';
import { SettingsError, UnavailableError } from '../../../../shared/core/errors.ts';
import { registration } from '../../../contract/provider-registry.ts';
import { loopback } from '../loopback.ts';

type Asked = { readonly method: string; readonly url: string; headers: IncomingHttpHeaders; body: string };
type Scripted = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A DCM that gives these answers, and then repeats the last one. */
const dcm = async (first: Scripted, ...next: Scripted[]) => {
  const script = [first, ...next];
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers, body: await text(request) });
    give(response, script[Math.min(asked.length, script.length) - 1] ?? first);
  });
  const { url, ...running } = await loopback(server);
  return { ...running, url, asked, registry: httpProviderRegistry(url) };
};

const give = (response: ServerResponse, { status, body, headers }: Scripted) => {
  const type = typeof body === 'string' ? 'text/plain' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
};

const provider = {
  id: 'ec2-1',
  create_time: '2026-11-21T06:01:40.894881022Z',
  update_time: '2026-11-21T06:02:40.1Z',
  metadata: { registered_at: '2026-11-21T06:01:41.000Z' },
};

const Captured = z.object({ case: z.string(), status: z.int(), body: z.unknown() });
const captured = readFileSync(
  new URL('../../../fixtures/dcm/registration-answers.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => Captured.parse(JSON.parse(line)));

describe('registration by HTTP', () => {
  it("sends exactly what DCM's API defines, with the id, and no credentials of its own", async () => {
    await using running = await dcm({ status: 201, body: provider });

    await running.registry.register('ec2-1', registration);

    const [asked] = running.asked;
    expect(asked?.method).toBe('POST');
    expect(asked?.url).toBe('/api/v1alpha1/providers?id=ec2-1');
    expect(asked?.headers['content-type']).toBe('application/json');
    expect(asked?.headers.authorization).toBeUndefined();
    expect(JSON.parse(asked?.body ?? '')).toEqual({
      name: 'ec2-sp',
      endpoint: 'https://api.test/api/v1alpha1/vms',
      service_type: 'vm',
      schema_version: 'v1alpha1',
      display_name: 'Amazon EC2 in eu-west-1',
      operations: ['CREATE', 'DELETE', 'READ'],
      metadata: { region_code: 'eu-west-1', registered_at: '2026-11-21T06:00:00.000Z' },
    });
  });

  it.each([
    ['registered', { outcome: 'registered', isNew: true }],
    ['registered again', { outcome: 'registered', isNew: false }],
    [
      'name held by another id',
      {
        outcome: 'refused',
        detail: "HTTP 409: name 'ec2-sp-us-east-1' already exists with a different provider ID",
      },
    ],
    [
      'endpoint missing',
      { outcome: 'refused', detail: expect.stringMatching(/^HTTP 400: .*property "endpoint" is missing$/) },
    ],
  ])('reads the captured answer of DCM: %s', async (name, expected) => {
    const { status, body } = captured.find((one) => one.case === name) ?? { status: 0, body: undefined };
    await using running = await dcm({ status, body });

    const answer = await running.registry.register('ec2-1', registration);

    expect(answer).toMatchObject(expected);
    expect(running.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('reads the times of a provider to the second', async () => {
    await using running = await dcm({ status: 200, body: provider });

    expect(await running.registry.find('ec2-1')).toEqual({
      createdAt: 1_795_240_900,
      registeredAt: 1_795_240_901,
    });
  });

  it.each<[string, Scripted]>([
    ['an HTML page', { status: 200, body: '<html>log in</html>' }],
    ['JSON that is not a provider', { status: 200, body: { ok: true } }],
    ['no body', { status: 201 }],
    ['another success', { status: 202, body: provider }],
    ['an endless answer', { status: 200, body: { ...provider, note: 'x'.repeat(200_000) } }],
    ['unauthorized', { status: 401, body: { title: 'Unauthorized' } }],
    ['forbidden', { status: 403 }],
    ['not found', { status: 404, body: 'page not found' }],
    ['unprocessable', { status: 422, body: { type: 'UNPROCESSABLE_ENTITY', detail: 'endpoint' } }],
  ])('treats %s as a refusal, and asks once (C 55)', async (_, answer) => {
    await using running = await dcm(answer);

    const { outcome } = await running.registry.register('ec2-1', registration);

    expect(outcome).toBe('refused');
    expect(running.asked).toHaveLength(1);
  });

  it('follows no redirect, because the request can hold a credential', async () => {
    await using elsewhere = await dcm({ status: 201, body: provider });
    await using running = await dcm({
      status: 307,
      headers: { location: `http://127.0.0.1:${elsewhere.port}/api/v1alpha1/providers` },
    });

    const answer = await running.registry.register('ec2-1', registration);

    expect(answer).toEqual({
      outcome: 'refused',
      detail: `HTTP 307: it redirects to http://127.0.0.1:${elsewhere.port}/api/v1alpha1/providers`,
    });
    expect(elsewhere.asked).toEqual([]);
  });

  it.each([408, 429, 500, 502, 503, 507])('asks three times when DCM answers %i (C 55)', async (status) => {
    await using running = await dcm({ status, body: { detail: 'busy' } });

    const answer = await running.registry.register('ec2-1', registration);

    expect(answer).toEqual({
      outcome: 'unreachable',
      detail: `HTTP ${status}: busy`,
      retryAfterSeconds: undefined,
    });
    expect(running.asked).toHaveLength(3);
  });

  it('succeeds with the second answer', async () => {
    await using running = await dcm({ status: 503 }, { status: 201, body: provider });

    expect(await running.registry.register('ec2-1', registration)).toMatchObject({ outcome: 'registered' });
  });

  it('retries after the short pause that DCM asks for', async () => {
    await using running = await dcm(
      { status: 429, headers: { 'retry-after': '0' } },
      { status: 200, body: provider },
    );

    expect(await running.registry.register('ec2-1', registration)).toMatchObject({ outcome: 'registered' });
  });

  it.each([
    ['in seconds', '120'],
    ['by a date', new Date(Date.now() + 120_000).toUTCString()],
  ])('leaves a long pause to the schedule, given %s', async (_, pause) => {
    await using running = await dcm({ status: 503, headers: { 'retry-after': pause } });

    const answer = await running.registry.register('ec2-1', registration);

    expect(answer).toMatchObject({
      outcome: 'unreachable',
      retryAfterSeconds: expect.toSatisfy(isAboutTwoMinutes),
    });
    expect(running.asked).toHaveLength(1);
  });

  it('answers why the registry cannot be reached', async () => {
    const { url, ...gone } = await loopback(createServer());
    await gone[Symbol.asyncDispose]();

    const answer = await httpProviderRegistry(url).register('ec2-1', registration);

    expect(answer).toMatchObject({ outcome: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') });
  });

  it.each<[string, Timeouts]>([
    ['for one attempt', { attemptMs: 50, callMs: 10_000 }],
    ['for all of them', { attemptMs: 10_000, callMs: 50 }],
  ])('waits no longer than the timeout %s', async (_, timeouts) => {
    await using silent = await loopback(createServer(() => undefined));

    const answer = await httpProviderRegistry(silent.url, { timeouts }).register('ec2-1', registration);

    expect(answer).toMatchObject({
      outcome: 'unreachable',
      detail: expect.stringMatching(/timed out|timeout/),
    });
  });

  it('finds no provider, instead of failing, when DCM does not answer', async () => {
    await using running = await dcm({ status: 500 });

    expect(await running.registry.find('ec2-1')).toBeUndefined();
    expect(running.asked).toHaveLength(1);
  });
});

describe('a service type that another provider has', () => {
  const conflict = {
    status: 409,
    body: { type: 'CONFLICT', detail: "service type 'vm' is already served by provider 'vm'" },
  };
  const listing = (type: string): Scripted => ({
    status: 200,
    body: { results: [{ id: 'vm', name: 'vm', service_type: 'vm', type, status: 'Ready' }] },
  });

  it('is refused with advice when the agent has it embedded (Y 3)', async () => {
    await using running = await dcm(conflict, listing('embedded'));

    expect(await running.registry.register('ec2-1', registration)).toEqual({
      outcome: 'refused',
      detail:
        "HTTP 409: service type 'vm' is already served by provider 'vm'; that one is embedded in the agent: take vm out of its AGENT_EMBEDDED_SPS and restart it",
      isConflict: true,
    });
  });

  it.each([
    ['an external provider serves it', listing('external')],
    ['the agent lists no providers', { status: 503 }],
  ])("is refused with the agent's own text when %s", async (_, listed) => {
    await using running = await dcm(conflict, listed);

    expect(await running.registry.register('ec2-1', registration)).toEqual({
      outcome: 'refused',
      detail: "HTTP 409: service type 'vm' is already served by provider 'vm'",
      isConflict: true,
    });
  });
});

describe('a token for the API', () => {
  const unauthorized = { status: 401, body: { type: 'UNAUTHORIZED', detail: 'invalid Bearer token' } };
  const tokens = (...texts: readonly string[]): BearerTokens => ({
    current: async () => texts[0] ?? '',
    renewed: async () => texts[1] ?? texts[0] ?? '',
  });
  const sent = ({ asked }: { readonly asked: readonly Asked[] }) =>
    asked.map(({ method, headers }) => `${method} ${headers.authorization}`);

  it('is sent with every call, and renewed when it is refused (Y 3)', async () => {
    await using running = await dcm(unauthorized, { status: 200, body: provider }, unauthorized, {
      status: 201,
      body: provider,
    });
    const registry = httpProviderRegistry(running.url, { tokens: tokens('old', 'new') });

    expect(await registry.find('ec2-1')).toBeDefined();
    expect(await registry.register('ec2-1', registration)).toMatchObject({ outcome: 'registered' });

    expect(sent(running)).toEqual(['GET Bearer old', 'GET Bearer new', 'POST Bearer old', 'POST Bearer new']);
  });

  it.each([
    [
      'a renewed token is refused too',
      tokens('old', 'new'),
      2,
      /^HTTP 401: invalid Bearer token; a renewed token was refused too/,
    ],
    [
      'there is no other token',
      tokens('same'),
      1,
      /^HTTP 401: invalid Bearer token; a renewed token was refused too/,
    ],
    [
      'no token is configured',
      undefined,
      1,
      /^HTTP 401: invalid Bearer token; DCM asks for a token, and no auth is set$/,
    ],
  ])('is not retried further when %s (Y 3)', async (_, given, calls, detail) => {
    await using running = await dcm(unauthorized);
    const registry = httpProviderRegistry(running.url, { tokens: given });

    expect(await registry.register('ec2-1', registration)).toEqual({
      outcome: 'refused',
      detail: expect.stringMatching(detail),
    });
    expect(running.asked).toHaveLength(calls);
  });

  it.each([
    [new UnavailableError('the secret dcm/client cannot be read'), 'unreachable'],
    [new SettingsError('the client ec2-sp did not get a token'), 'refused'],
  ])('that cannot be obtained is reported, and nothing is sent: %s', async (error, outcome) => {
    await using running = await dcm({ status: 201, body: provider });
    const none = { current: () => Promise.reject(error), renewed: () => Promise.reject(error) };

    const answer = await httpProviderRegistry(running.url, { tokens: none }).register('ec2-1', registration);

    expect(answer).toMatchObject({ outcome, detail: error.message });
    expect(running.asked).toEqual([]);
  });
});

describe('a token in the endpoint', () => {
  const token = 'p@ss/wörd:1';
  const withToken = {
    ...registration,
    endpoint: `https://dcm:${encodeURIComponent(token)}@api.test/api/v1alpha1/vms`,
  };

  it.each([
    ['URL encoded', `the endpoint ${withToken.endpoint} does not answer`],
    ['plain', `no such user: dcm:${token}`],
    ['at the end of a long text', `${'x'.repeat(295 - 'HTTP 400: '.length)}${token}`],
  ])('is not shown in a detail when DCM quotes it %s', async (_, detail) => {
    await using running = await dcm({ status: 400, body: { detail } });

    const answer = await running.registry.register('ec2-1', withToken);

    const shown = JSON.stringify(answer);
    expect(shown).toContain('***');
    expect(shown).not.toContain('p@ss');
    expect(shown).not.toContain(encodeURIComponent('p@ss'));
  });
});

describe('withdrawal by HTTP', () => {
  it.each<[number, string, number]>([
    [204, 'withdrawn', 1],
    [200, 'withdrawn', 1],
    [404, 'withdrawn', 1],
    [405, 'refused', 1],
    [409, 'refused', 1],
    [503, 'unreachable', 3],
  ])('treats %i as %s', async (status, outcome, attempts) => {
    await using running = await dcm({ status });

    expect((await running.registry.withdraw('ec2-1')).outcome).toBe(outcome);
    expect(running.asked.map(({ method, url }) => `${method} ${url}`)).toEqual(
      Array.from({ length: attempts }, () => 'DELETE /api/v1alpha1/providers/ec2-1'),
    );
  });
});

const isAboutTwoMinutes = (seconds: number) => seconds > 60 && seconds <= 120;
