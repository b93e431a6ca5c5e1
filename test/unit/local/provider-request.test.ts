import { describe, expect, it } from 'vitest';
import { providerRequest } from '../../../local/emulators/dcm/provider-request.ts';

const endpoint = 'http://127.0.0.1:9/api/v1alpha1/vms';

describe('a request below an endpoint', () => {
  it('goes to the path or query that is added', () => {
    expect(providerRequest(endpoint, '/vm-1', { method: 'DELETE' })).toMatchObject({
      url: `${endpoint}/vm-1`,
      method: 'DELETE',
    });
    expect(providerRequest(endpoint, '?id=vm-1').url).toBe(`${endpoint}?id=vm-1`);
  });

  it('has credentials of the URL, decoded, as Basic, and not in the URL', () => {
    const request = providerRequest('http://user:pa%3Ass@127.0.0.1:9/vms', '/health', {
      headers: { 'x-one': '1' },
    });

    expect(request.url).toBe('http://127.0.0.1:9/vms/health');
    expect(request.headers.get('authorization')).toBe(`Basic ${btoa('user:pa:ss')}`);
    expect(request.headers.get('x-one')).toBe('1');
  });

  it('has no credentials where the URL has none', () => {
    expect(providerRequest(endpoint, '').headers.has('authorization')).toBe(false);
  });
});
