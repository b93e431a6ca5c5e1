import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { controlPlaneClient } from '../../../local/demo/dcm-user.ts';
import { startDcm } from './dcm.ts';
import { scriptedProvider } from './provider.ts';

const soonMs = 20_000;
const spec = { service_type: 'vm', metadata: { name: 'web-1' }, storage: { disks: null } };
const timeouts = { dispatchMs: 10_000, healthMs: 5_000, retryMs: 10, maximumRetryMs: 20 };

describe.each([{ strict: true }, { strict: false }])(
  'control plane, dispatching, strict: $strict',
  ({ strict }) => {
    let dcm: Awaited<ReturnType<typeof startDcm>>;
    let provider: Awaited<ReturnType<typeof scriptedProvider>>;
    beforeAll(async () => {
      dcm = await startDcm({ strict, timeouts, healthIntervalMs: 60_000 });
    });
    afterAll(() => dcm[Symbol.asyncDispose]());
    beforeEach(async () => {
      provider = await scriptedProvider();
      await dcm.controlPlane.forget();
      await register(provider.endpoint);
    });
    afterEach(() => provider[Symbol.asyncDispose]());

    const post = (path: string, body: unknown) =>
      fetch(`${dcm.controlPlane.url}/api/v1alpha1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const register = (endpoint: string, name = 'ec2-sp') =>
      post('providers', { name, endpoint, service_type: 'vm', schema_version: 'v1alpha1' });
    const create = (id: string, body: object = {}) =>
      post(`service-type-instances?id=${id}`, { provider_name: 'ec2-sp', spec, ...body });
    const remove = (id: string, query = '') =>
      fetch(`${dcm.controlPlane.url}/api/v1alpha1/service-type-instances/${id}${query}`, {
        method: 'DELETE',
      });
    const row = (id: string) => dcm.controlPlane.row(id);

    it('sends a create with the id in the query and the wrapped spec, with its nulls', async () => {
      const response = await create('vm-1');

      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({
        id: 'vm-1',
        provider_name: 'ec2-sp',
        status: 'PROVISIONING',
        spec,
      });
      expect(provider.asked('POST')).toMatchObject([
        {
          url: '/api/v1alpha1/vms?id=vm-1',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: JSON.stringify({ spec }),
        },
      ]);
      expect(await row('vm-1')).toMatchObject({ instanceName: 'web-1', serviceType: 'vm', spec });
    });

    it("sends the endpoint's credentials as Basic authentication, with creates and deletes", async () => {
      await register(provider.endpoint.replace('//', '//user:pa%3Ass@'));

      await create('vm-1');
      await remove('vm-1');

      const basic = `Basic ${btoa('user:pa:ss')}`;
      const sent = [...provider.asked('POST'), ...provider.asked('DELETE')].map(
        ({ headers }) => headers.authorization,
      );
      expect(sent).toEqual([basic, basic]);
    });

    it('adds the row before it calls the provider, so that no status is too early', async () => {
      provider.answers(async () => {
        await dcm.provider.report('vm-1', 'RUNNING');
        await dcm.controlPlane.waitFor('vm-1', 'running', soonMs);
        return { status: 201, body: { status: 'PROVISIONING' } };
      });

      const response = await create('vm-1');

      expect(await response.json()).toMatchObject({ status: 'running' });
      expect(await row('vm-1')).toMatchObject({ status: 'running' });
    });

    it.each([400, 409, 422, 429, 500, 503])(
      'forgets the row where the provider answers %i, asked once',
      async (status) => {
        provider.answers(() => ({ status, body: { detail: 'no' } }));

        const response = await create('vm-1');

        expect(response.status).toBe(422);
        expect(await response.json()).toMatchObject({
          type: 'provider-error',
          detail: expect.stringContaining(`Error from Provider (ec2-sp): provider returned error: ${status}`),
        });
        expect(provider.asked('POST')).toHaveLength(1);
        expect(await row('vm-1')).toBeUndefined();
      },
    );

    it('retries with the same id where the answer is missing or cannot be read', async () => {
      const answers = [
        'nothing',
        { status: 201, body: '{"status":' },
        { status: 201, body: { status: 'X' } },
      ] as const;
      provider.answers(() => answers[provider.asked('POST').length - 1] ?? 'nothing');

      const response = await create('vm-1');

      expect(response.status).toBe(201);
      expect(new Set(provider.asked('POST').map(({ url }) => url))).toEqual(
        new Set(['/api/v1alpha1/vms?id=vm-1']),
      );
      expect(provider.asked('POST')).toHaveLength(3);
      expect(await row('vm-1')).toMatchObject({ status: 'X' });
    });

    it('removes the row after four attempts', async () => {
      provider.answers(() => 'nothing');

      const response = await create('vm-1');

      expect(response.status).toBe(422);
      expect(provider.asked('POST')).toHaveLength(4);
      expect(await row('vm-1')).toBeUndefined();
    });

    it('chooses a provider by the service type where none is named', async () => {
      const response = await create('vm-1', { provider_name: undefined });

      expect(await response.json()).toMatchObject({ provider_name: 'ec2-sp' });
    });

    it.each([
      { what: 'an unknown provider', body: { provider_name: 'nobody' }, status: 404, type: 'not-found' },
      { what: 'a spec without a service type', body: { spec: {} }, status: 400, type: 'validation-error' },
      {
        what: 'a blank service type',
        body: { spec: { service_type: ' ' } },
        status: 400,
        type: 'validation-error',
      },
      { what: 'no spec', body: { spec: undefined }, status: 400, type: 'validation-error' },
    ])('answers $status to $what, and asks nobody', async ({ body, status, type }) => {
      const response = await create('vm-1', body);

      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ type });
      expect(provider.asked('POST')).toEqual([]);
    });

    it('answers 409 to an existing id, and calls no provider', async () => {
      await create('vm-1');

      const response = await create('vm-1');

      expect(response.status).toBe(409);
      expect(provider.asked('POST')).toHaveLength(1);
    });

    it.each([204, 200, 404])(
      'forgets the row where the provider answers the delete with %i',
      async (status) => {
        await create('vm-1');
        provider.answers(() => ({ status }));

        const response = await remove('vm-1');

        expect(response.status).toBe(204);
        expect(provider.asked('DELETE')).toMatchObject([{ url: '/api/v1alpha1/vms/vm-1', body: '' }]);
        expect(await row('vm-1')).toBeUndefined();
        expect((await remove('vm-1')).status).toBe(404);
      },
    );

    it('skips statuses of a deleted VM, until it is created again', async () => {
      await create('vm-again');
      await remove('vm-again');
      await dcm.provider.report('vm-again', 'DELETED');
      await expect
        .poll(() => dcm.controlPlane.history().findLast(({ id }) => id === 'vm-again')?.outcome)
        .toBe('skipped');

      expect(await row('vm-again')).toBeUndefined();

      await create('vm-again');
      await dcm.provider.report('vm-again', 'RUNNING');
      await dcm.controlPlane.waitFor('vm-again', 'running', soonMs);
    });

    it('keeps the row where the provider cannot delete', async () => {
      await create('vm-1');
      provider.answers(() => ({ status: 500 }));

      const response = await remove('vm-1');

      expect(response.status).toBe(500);
      expect(await response.json()).toMatchObject({
        type: 'delete-error',
        title: 'Failed to delete instance',
      });
      expect(await row('vm-1')).toBeDefined();
    });

    it('refuses deferred deletes', async () => {
      await create('vm-1');

      expect((await remove('vm-1', '?deferred=true')).status).toBe(400);
      expect(await row('vm-1')).toBeDefined();
    });

    it('shows rows by their provider to its client', async () => {
      await register(provider.endpoint, 'other-sp');
      const client = controlPlaneClient(dcm.controlPlane.url);
      await client.create({ id: 'vm-1', provider: 'ec2-sp', spec });
      await client.create({ id: 'vm-2', provider: 'other-sp', spec });

      const url = `${dcm.controlPlane.url}/api/v1alpha1/service-type-instances?provider=other-sp`;

      expect(await (await fetch(url)).json()).toMatchObject({ instances: [{ id: 'vm-2' }] });
      expect((await client.instances()).map(({ id }) => id)).toEqual(['vm-1', 'vm-2']);
      await client.delete('vm-1');
      expect(await client.instance('vm-1')).toBeUndefined();
    });
  },
);
