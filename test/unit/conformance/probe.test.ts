import { describe, expect, it } from 'vitest';
import { probe } from '../../../conformance/probe.ts';
import { provider } from '../../../conformance/provider.ts';
import { token } from './fake-api.ts';
import { problem } from './fake-problem.ts';
import { fakeProvider } from './fake-provider.ts';

const probing = (given: typeof fetch, credentials?: string) =>
  probe(
    provider({
      url: new URL('http://fake/api/v1alpha1/vms'),
      token: credentials,
      fetch: given,
      now: () => 0,
    }),
    20,
  );

const hanging: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
  });

const page = async () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
const isHealth = (input: Parameters<typeof fetch>[0]) => String(input).endsWith('/health');

describe('the probe before the checks', () => {
  it('lets a provider pass', async () => {
    await expect(probing(fakeProvider().fetch, token)).resolves.toBeUndefined();
  });

  it.each<[string, typeof fetch]>([
    [
      'whose health has another word',
      async (input) => Response.json(isHealth(input) ? { state: 'ok' } : { results: [] }),
    ],
    [
      'that has no health',
      async (input) => (isHealth(input) ? problem(404, 'no such path') : Response.json({ vms: [] })),
    ],
    [
      'whose health hangs',
      async (input, init) => (isHealth(input) ? hanging(input, init) : Response.json({ results: [] })),
    ],
    [
      'whose list fails',
      async (input) => (isHealth(input) ? Response.json({ status: 'healthy' }) : problem(500, 'oops')),
    ],
  ])('leaves a provider to the checks %s', async (_, given) => {
    await expect(probing(given)).resolves.toBeUndefined();
  });

  it.each<[string, typeof fetch, string | undefined, RegExp]>([
    [
      'that is down',
      () => Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })),
      undefined,
      /^no provider answers at http:\/\/fake\/api\/v1alpha1\/vms: fetch failed: connect ECONNREFUSED$/,
    ],
    ['that hangs', hanging, undefined, /answered neither its health nor its list within 0.02 seconds$/],
    [
      'that is a web page',
      page,
      undefined,
      /is no DCM provider of this service type: .* 200 text\/html, the list 200 text\/html$/,
    ],
    [
      'that is another API',
      async () => Response.json({ message: 'Not Found' }, { status: 404 }),
      undefined,
      /is no DCM provider.*404 application\/json/,
    ],
    [
      'that asks for credentials',
      fakeProvider().fetch,
      undefined,
      /asks for credentials \(401\): give --token/,
    ],
    [
      'that refuses the token',
      fakeProvider().fetch,
      'another',
      /refuses the credentials that it was given \(401\)$/,
    ],
  ])('says in one sentence of a provider %s what is wrong', async (_, given, credentials, sentence) => {
    await expect(probing(given, credentials)).rejects.toThrow(sentence);
  });
});
