import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { maximumBodyBytes } from '../../../../shared/http/operation.ts';
import { requestId, servedApi, vm } from './served-api.ts';

const vms = '/api/v1alpha1/vms';
const body = { spec: { service_type: 'vm', vcpu: { count: 2 } } };
const detailOf = async (response: Response): Promise<unknown> => Object(await response.json()).detail;

describe('a create', () => {
  it('is refused where a label has an unpaired surrogate, which no request to EC2 can carry', async () => {
    const api = servedApi();
    const labelled = '{"spec":{"vcpu":{"count":1},"metadata":{"labels":{"team":"shop \\ud83d"}}}}';

    const response = await api.ask('POST', `${vms}?id=vm-1`, { body: labelled });

    expect([response.status, await detailOf(response)]).toEqual([
      400,
      'metadata.labels.team: expected text without an unpaired surrogate',
    ]);
    expect(api.asked).toEqual([]);
  });

  it('creates the VM of ?id= with the spec, and answers 201 with the VM', async () => {
    const api = servedApi();

    const response = await api.ask('POST', `${vms}?id=vm-1`, { body });

    expect([response.status, await response.json()]).toEqual([201, vm('vm-1')]);
    expect(api.asked).toMatchObject([
      ['createVm', { dcmId: 'vm-1', region: 'us-east-1', requestId, spec: { vcpus: 2 } }],
    ]);
  });

  it('may have the spec as its whole body, as an environment agent sends it (C2 22)', async () => {
    const api = servedApi();

    await api.ask('POST', `${vms}?id=vm-1`, { body: body.spec });

    expect(api.asked).toMatchObject([['createVm', { spec: { vcpus: 2 } }]]);
  });

  it('accepts any valid id, whatever the name in the spec (C2 14)', async () => {
    const id = '0b7f7a1e-1c1d-4f0e-8a34-5e2f5d1c9a77';
    const api = servedApi();

    await api.ask('POST', `${vms}?id=${id}`, { body: { spec: { ...body.spec, metadata: { name: 'web' } } } });

    expect(api.asked).toMatchObject([['createVm', { dcmId: id }]]);
  });

  it.each([
    ['health', 'id: expected another id: this one is a path of the API'],
    ['Vm-1', 'id: expected 1 to 63 lower-case letters, digits and inner hyphens'],
    ['../x', 'id: expected 1 to 63 lower-case letters, digits and inner hyphens'],
    ['a&id=b', 'id: expected it once'],
  ])('with the id %s is refused (C 15)', async (id, detail) => {
    const api = servedApi();

    const response = await api.ask('POST', `${vms}?id=${id}`, { body });

    expect([response.status, await detailOf(response), api.asked]).toEqual([400, detail, []]);
  });

  it.each<[string, number, Record<string, string>, string]>([
    ['', 400, {}, 'body: expected JSON, got nothing'],
    [' \n', 400, {}, 'body: expected JSON, got nothing'],
    ['{"spec":', 400, {}, 'body: expected JSON, got something else'],
    ['vcpu: 2', 400, {}, 'body: expected JSON, got something else'],
    ['{"spec":{}}', 400, { 'content-type': 'text/plain' }, 'content-type: expected application/json'],
    ['{"spec":{}}', 400, { 'content-type': 'application/jsonp' }, 'content-type: expected application/json'],
    ['{"spec":{}}', 400, { 'content-type': '' }, 'content-type: expected application/json'],
  ])('with the body %j is refused with %i (C 34)', async (text, status, headers, detail) => {
    const api = servedApi();

    const response = await api.ask('POST', `${vms}?id=vm-1`, { body: text, headers });

    expect([response.status, await detailOf(response), api.asked]).toEqual([status, detail, []]);
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset=utf-8'])(
    'may have the content type %s',
    async (contentType) => {
      const response = await servedApi().ask('POST', `${vms}?id=vm-1`, {
        body,
        headers: { 'content-type': contentType },
      });

      expect(response.status).toBe(201);
    },
  );

  it.each([true, false])(
    'is refused with 413 beyond 1 MiB, with a content-length: %s (C 6)',
    async (isPublished) => {
      const api = servedApi();
      const text = JSON.stringify({ ...body, padding: 'x'.repeat(maximumBodyBytes) });
      const headers: Record<string, string> = isPublished ? { 'content-length': String(text.length) } : {};

      const response = await api.ask('POST', `${vms}?id=vm-1`, { body: text, headers });

      expect([response.status, response.headers.get('content-type'), api.asked]).toEqual([
        413,
        'application/problem+json',
        [],
      ]);
    },
  );

  it('may have a body of 1 MiB', async () => {
    const frame = JSON.stringify({ ...body, padding: '' });
    const text = JSON.stringify({ ...body, padding: 'x'.repeat(maximumBodyBytes - frame.length) });

    expect((await servedApi().ask('POST', `${vms}?id=vm-1`, { body: text })).status).toBe(201);
  });
});

describe('a create without an id', () => {
  const agent = { 'idempotency-key': '7d0c3d8e' };

  it('is refused where environment agents are not configured (C2 22)', async () => {
    const response = await servedApi().ask('POST', vms, { body: body.spec, headers: agent });

    expect([response.status, await detailOf(response)]).toEqual([
      400,
      'id: expected ?id=, since this provider is not configured to look up requests of environment agents by Idempotency-Key',
    ]);
  });

  it('creates the VM that DCM requested from the agent', async () => {
    const looked: string[] = [];
    const findRequest = async (key: string) => {
      looked.push(key);
      return { resourceId: 'vm-7', serviceType: 'vm' };
    };
    const api = servedApi({ useCases: { findRequest } });

    const response = await api.ask('POST', vms, { body: body.spec, headers: agent });

    expect([response.status, looked]).toEqual([201, ['7d0c3d8e']]);
    expect(api.asked).toMatchObject([['createVm', { dcmId: 'vm-7', request: { key: '7d0c3d8e' } }]]);
  });

  it('may have the spec in a field spec, and a request without service type, as of an earlier control plane', async () => {
    const api = servedApi({ useCases: { findRequest: async () => ({ resourceId: 'vm-7' }) } });

    const response = await api.ask('POST', vms, { body, headers: agent });

    expect(response.status).toBe(201);
    expect(api.asked).toMatchObject([['createVm', { dcmId: 'vm-7', spec: { vcpus: 2 } }]]);
  });

  it('is answered with 503 where its request could not be looked up', async () => {
    const findRequest = () => Promise.reject(new UnavailableError('the stream cannot be read'));
    const api = servedApi({ useCases: { findRequest } });

    const response = await api.ask('POST', vms, { body: body.spec, headers: agent });

    expect([response.status, await response.json()]).toMatchObject([503, { retryable: true }]);
    expect(api.asked).toEqual([]);
  });

  it('is not looked up where there is an id', async () => {
    const findRequest = async () => ({ resourceId: 'vm-7' });
    const api = servedApi({ useCases: { findRequest } });

    await api.ask('POST', `${vms}?id=vm-1`, { body, headers: agent });

    expect(api.asked).toMatchObject([['createVm', { dcmId: 'vm-1', request: { key: '7d0c3d8e' } }]]);
  });

  it.each(['two words', 'k'.repeat(257), 'schlüssel'])('is refused with the key %j', async (key) => {
    const findRequest = async () => ({ resourceId: 'vm-7' });
    const api = servedApi({ useCases: { findRequest } });

    const response = await api.ask('POST', vms, { body: body.spec, headers: { 'idempotency-key': key } });

    expect([response.status, await detailOf(response), api.asked]).toEqual([
      400,
      'Idempotency-Key: expected 1 to 256 visible ASCII characters',
      [],
    ]);
  });

  it.each([
    {
      what: 'has no key either',
      found: null,
      headers: {},
      detail: 'id: expected ?id=, or the Idempotency-Key of an environment agent’s request',
    },
    {
      what: 'names no request',
      found: null,
      headers: agent,
      detail: 'id: expected ?id=, or the Idempotency-Key of a request of DCM; no request has this key',
    },
    {
      what: 'is of a resource that cannot be',
      found: { resourceId: 'Not An Id' },
      headers: agent,
      detail:
        'resource_id of the environment agent’s request: expected 1 to 63 lower-case letters, digits and inner hyphens',
    },
    {
      what: 'is of another service type',
      found: { resourceId: 'c-1', serviceType: 'container' },
      headers: agent,
      detail: 'Idempotency-Key: expected a request for a vm; the request with this key is for a container',
    },
  ])('is refused for good where it $what: no id is generated', async ({ found, headers, detail }) => {
    const api = servedApi({ useCases: { findRequest: async () => found } });

    const response = await api.ask('POST', vms, { body: body.spec, headers });

    expect([response.status, await response.json()]).toMatchObject([400, { detail, retryable: false }]);
    expect(api.asked).toEqual([]);
  });
});

describe('a validation', () => {
  it('checks the spec, and needs no id', async () => {
    const api = servedApi();

    const response = await api.ask('POST', '/eu-west-1/api/v1alpha1/vms:validate', { body });

    expect(response.status).toBe(200);
    expect(api.asked).toMatchObject([['validateVm', { vcpus: 2 }, { region: 'eu-west-1', requestId }]]);
  });
});
