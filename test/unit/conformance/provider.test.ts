import { describe, expect, it } from 'vitest';

import { collectionUrl, provider } from '../../../conformance/provider.ts';
import { token } from './fake-api.ts';
import { fakeKinds } from './fake-kinds.ts';
import { problem } from './fake-problem.ts';
import { fakeProvider } from './fake-provider.ts';
import { fakeSession } from './fake-session.ts';

const { spec } = fakeKinds.vm;

describe('the collection', () => {
  it.each([
    ['http://host:1', 'http://host:1/api/v1alpha1/vms'],
    ['http://host:1/', 'http://host:1/api/v1alpha1/vms'],
    ['http://host/us-east-1', 'http://host/us-east-1/api/v1alpha1/vms'],
    ['http://host/api/v1alpha1', 'http://host/api/v1alpha1/vms'],
    ['http://host/api/v1alpha1/', 'http://host/api/v1alpha1/vms'],
    ['http://host/api/v1alpha1/vms', 'http://host/api/v1alpha1/vms'],
    ['http://host/api/v1alpha1/vms/', 'http://host/api/v1alpha1/vms'],
    ['http://host/x/api/v1alpha1/machines', 'http://host/x/api/v1alpha1/machines'],
  ])('that %s means is %s', (given, meant) => {
    expect(collectionUrl(given, 'vms').href).toBe(meant);
  });
});

describe('the provider as the suite calls it', () => {
  const seen: string[] = [];
  const recording: typeof fetch = async (input, init) => {
    const { url, headers } = new Request(input, init);
    seen.push(`${url} ${headers.get('authorization')}`);
    return new Response(null, { status: 204 });
  };

  it.each([
    ['http://host/vms', undefined, 'null'],
    ['http://host/vms', 'secret', 'Bearer secret'],
    ['http://dcm:p%3Ass@host/vms', undefined, 'Basic ZGNtOnA6c3M='],
  ])('at %s with token %s gets %s', async (url, given, authorization) => {
    const { call } = provider({ url: new URL(url), token: given, fetch: recording, now: () => 0 });

    await call('GET', { path: '/a' });

    expect(seen.at(-1)).toBe(`http://host/vms/a ${authorization}`);
  });

  it('is left as it was found', async () => {
    const { session, fake } = fakeSession();
    await session.provider.create('vm-1', { spec });
    await session.provider.create(undefined, { spec });
    await session.provider.create('vm-2', { spec });
    await session.provider.remove('vm-2');

    expect(await session.provider.cleanUp()).toEqual([]);
    await fake.advance(1_000);
    expect([...fake.vms.keys()]).toEqual([]);
  });

  it('is said to keep what it does not let go', async () => {
    const { fetch, now } = fakeProvider({
      answer: async (request, next) => (request.method === 'DELETE' ? problem(500, 'no') : next(request)),
    });
    const { create, cleanUp } = provider({ url: new URL('http://fake/api/v1alpha1/vms'), token, fetch, now });
    await create('vm-1', { spec });

    expect(await cleanUp()).toEqual(['vm-1']);
  });

  it('is not asked to delete what it refused, unless it had taken it before', async () => {
    const conflict = fakeProvider({
      answer: async (request, next, { vms }) =>
        request.method === 'POST' && vms.has('vm-1') ? problem(409, 'exists') : next(request),
    });
    const { fetch, now } = conflict;
    const { create, cleanUp } = provider({ url: new URL('http://fake/api/v1alpha1/vms'), token, fetch, now });
    await create('Not_An_Id', { spec });
    await create('vm-1', { spec });
    await create('vm-1', { spec });

    await cleanUp();

    expect([...conflict.vms.values()].map(({ id, status }) => `${id} ${status}`)).toEqual(['vm-1 DELETING']);
  });
});
