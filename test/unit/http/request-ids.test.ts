import { describe, expect, it } from 'vitest';
import { requestId, servedApi, token } from '../provider-api/http/served-api.ts';

const body = {
  spec: {
    vcpu: { count: 2 },
    access: { ssh_public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAtopsecret top-secret' },
  },
};

describe('the id of a request', () => {
  it('is API Gateway’s, in its answer, its log lines and its use case (C 48)', async () => {
    const api = servedApi();

    const response = await api.ask('POST', '/api/v1alpha1/vms?id=vm-1', { body });

    expect(response.headers.get('x-request-id')).toBe(requestId);
    expect(api.correlated).toEqual({ requestId, dcmId: 'vm-1' });
    expect(api.asked).toMatchObject([['createVm', { requestId }]]);
  });

  it.each(['7d0c3d8e-6a55-4c0e-9c0e-0d3d6d1a5b11', 'Root=1-5759e988-bd862e3fe1be46a994272793', 'a'])(
    'is the caller’s where that is acceptable: %s',
    async (own) => {
      const response = await servedApi().ask('GET', '/health', { headers: { 'x-request-id': own } });

      expect(response.headers.get('x-request-id')).toBe(own);
    },
  );

  it.each(['', 'with space', '<script>', 'a"b', 'ü', 'x'.repeat(129)])(
    'is not the caller’s where that is %j',
    async (own) => {
      const response = await servedApi().ask('GET', '/health', { headers: { 'x-request-id': own } });

      expect(response.headers.get('x-request-id')).toBe(requestId);
    },
  );
});

describe('the access log', () => {
  it('has one line for each request, with the route instead of the path (C 60, C 70)', async () => {
    const api = servedApi();

    await api.ask('DELETE', '/eu-west-1/api/v1alpha1/vms/vm-1');
    await api.ask('GET', '/nowhere/vm-2');

    expect(api.lines).toEqual([
      {
        level: 'info',
        message: 'answered',
        fields: {
          method: 'DELETE',
          route: '/api/v1alpha1/vms/{vm_id}',
          status: 204,
          target: 'eu-west-1',
          ms: 7,
        },
      },
      { level: 'info', message: 'answered', fields: { method: 'GET', route: 'none', status: 404, ms: 7 } },
    ]);
  });

  it('has neither bodies nor credentials, whatever the answer (C2 13)', async () => {
    const create = async () => Promise.reject(new Error('no'));
    const api = servedApi({ useCases: { vm: { create } } });
    const path = '/api/v1alpha1/vms?id=vm-1';

    await api.ask('POST', path, { body });
    await api.ask('POST', path, { body: `{"key":"top-secret"` });
    await api.ask('POST', path, { body, headers: { authorization: 'Bearer top-secret' } });

    const logged = JSON.stringify(
      api.lines.map(({ message, fields }) => [message, fields, String(fields.error)]),
    );
    expect(api.lines.filter(({ message }) => message === 'answered')).toHaveLength(3);
    expect(logged).not.toMatch(new RegExp(`top-secret|${token}`));
  });
});
