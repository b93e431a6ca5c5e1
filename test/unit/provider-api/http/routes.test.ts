import { describe, expect, it } from 'vitest';
import { operations, operationsWith } from '../../../../functions/provider-api/operations/registry.ts';
import type { ServiceType } from '../../../../shared/core/kind.ts';
import { health, requestId, servedApi } from './served-api.ts';

const spec = { vcpu: { count: 2 } };

describe('the API', () => {
  it.each([
    ['POST', '/vms?id=vm-1', 201, 'createVm'],
    ['GET', '/vms', 200, 'list'],
    ['GET', '/vms/vm-1', 200, 'get'],
    ['DELETE', '/vms/vm-1', 204, 'deleteVm'],
    ['POST', '/vms/vm-1:start', 200, 'changeVm'],
    ['POST', '/vms/vm-1:stop', 200, 'changeVm'],
    ['POST', '/vms/vm-1:reboot', 200, 'changeVm'],
    ['POST', '/vms:validate', 200, 'validateVm'],
    ['GET', '/vms/vm-1/events', 200, 'events'],
    ['GET', '/vms/health', 200, 'checkHealth'],
    ['GET', '/health', 200, 'checkHealth'],
  ])('answers %s %s with %i, for the home region and every other', async (method, path, status, useCase) => {
    for (const prefix of ['', '/eu-west-1', '/us-gov-west-1']) {
      const api = servedApi();

      const body = method === 'POST' ? { spec } : undefined;
      const response = await api.ask(method, `${prefix}/api/v1alpha1${path}`, { body });

      expect([response.status, api.asked.map((one) => [one].flat()[0])]).toEqual([status, [useCase]]);
    }
  });

  it('has the paths of deployed service types alone, and health without any', () => {
    const paths = (serviceTypes: readonly ServiceType[]) => [
      ...new Set(
        operationsWith(serviceTypes).map(({ path }) => /^\/api\/v1alpha1\/(\w+s)\b/.exec(path)?.[1]),
      ),
    ];

    expect(paths(['vm'])).toEqual(['vms', undefined]);
    expect(paths(['container', 'cluster'])).not.toContain('vms');
    expect(operationsWith([]).map(({ operationId }) => operationId)).toContain('getHealth');
  });

  it('reads the region from the path, and takes the home region where it has none', async () => {
    const api = servedApi();

    await api.ask('GET', '/api/v1alpha1/vms');
    await api.ask('GET', '/eu-west-1/api/v1alpha1/vms');
    await api.ask('GET', '/eu-west-1/health');

    expect(api.asked).toMatchObject([
      ['list', { target: { region: 'us-east-1' } }],
      ['list', { target: { region: 'eu-west-1' } }],
      ['checkHealth', { region: 'eu-west-1' }],
    ]);
  });

  it.each([
    '/health',
    '/api/v1alpha1/health',
    '/api/v1alpha1/vms/health',
    '/api/v1alpha1/vms//health',
    '/api/v1alpha1/vms/health/',
  ])('answers health at %s, however a client joins its URL (C 16)', async (path) => {
    const response = await servedApi().ask('GET', path);

    expect([response.status, await response.json()]).toEqual([200, health]);
  });

  it.each(['start', 'stop', 'reboot'])('%ss the VM that is named before the colon', async (change) => {
    const api = servedApi();

    await api.ask('POST', `/api/v1alpha1/vms/vm-1:${change}`);
    await api.ask('POST', `/api/v1alpha1/vms/vm-1%3A${change}`);

    expect(api.asked).toEqual([
      ['changeVm', 'vm-1', change, requestId],
      ['changeVm', 'vm-1', change, requestId],
    ]);
  });

  it('answers HEAD as GET, without a body', async () => {
    const response = await servedApi().ask('HEAD', '/api/v1alpha1/vms/vm-1');

    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('deletes with 204 and nothing else (C 21)', async () => {
    const response = await servedApi().ask('DELETE', '/api/v1alpha1/vms/vm-1');

    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  it('answers JSON that is not cached', async () => {
    const { headers } = await servedApi().ask('GET', '/api/v1alpha1/vms/vm-1');

    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual([
      'application/json',
      'no-store',
    ]);
  });

  it.each([
    ['PUT', '/api/v1alpha1/vms', 'POST, GET, HEAD'],
    ['PATCH', '/eu-west-1/api/v1alpha1/vms/vm-1', 'GET, HEAD, DELETE'],
    ['GET', '/api/v1alpha1/vms/vm-1:stop', 'POST'],
    ['DELETE', '/api/v1alpha1/vms/health', 'GET, HEAD'],
    ['POST', '/health', 'GET, HEAD'],
  ])('answers %s %s with 405 and the allowed methods %s', async (method, path, allow) => {
    const api = servedApi();

    const response = await api.ask(method, path);

    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(await response.json()).toMatchObject({ title: 'Method not allowed', detail: `expected ${allow}` });
    expect(api.asked).toEqual([]);
  });

  it.each([
    '/',
    '/api',
    '/api/v1/vms',
    '/api/v1alpha1/vms/vm-1/console',
    '/api/v1alpha1/vms/vm-1:explode',
    '/Ireland/api/v1alpha1/vms',
    '/api/v1alpha1/vms/vm-1/../../../secrets',
  ])('answers 404 at %s', async (path) => {
    const response = await servedApi().ask('GET', path);

    expect([response.status, await response.json()]).toMatchObject([404, { title: 'Not found' }]);
  });

  it.each([
    ['/V2/vms', /below \/ it has console, api, health$/],
    ['/api/v1alpha1/nothing', /below \/api\/v1alpha1 it has .*vms/],
    ['/eu-west-1/api/v1alpha1/nothing', /below \/eu-west-1\/api\/v1alpha1 it has .*vms/],
    ['/api/v1alpha1/vms/vm-1/console', /below \/api\/v1alpha1\/vms\/vm-1 it has events$/],
  ])('names at %s what there is', async (path, detail) => {
    const { detail: text } = Object(await (await servedApi().ask('GET', path)).json());

    expect(text).toMatch(detail);
  });

  it.each(['%2e%2e%2fetc', 'a%2Fb', 'VM-1', '-vm', 'vm_1', 'x'.repeat(64), '%00', '100%'])(
    'refuses the id %s (C 15)',
    async (id) => {
      for (const [method, path] of [
        ['GET', `/api/v1alpha1/vms/${id}`],
        ['DELETE', `/api/v1alpha1/vms/${id}`],
        ['POST', `/api/v1alpha1/vms/${id}:stop`],
      ] as const) {
        const api = servedApi();

        const response = await api.ask(method, path);

        expect([response.status, api.asked]).toEqual([400, []]);
        expect(await response.json()).toMatchObject({
          detail: 'vm_id: expected 1 to 63 lower-case letters, digits and inner hyphens',
        });
      }
    },
  );

  it('does not redirect, and repeats no host (C 5)', async () => {
    for (const { method, path } of operations) {
      const response = await servedApi().ask(method, path.replace('{vm_id}', 'vm-1'), {
        headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
        body: method === 'POST' ? { spec } : undefined,
      });

      expect(response.status < 300 || response.status >= 400).toBe(true);
      expect(`${await response.text()}${JSON.stringify([...response.headers])}`).not.toContain('evil');
    }
  });
});
