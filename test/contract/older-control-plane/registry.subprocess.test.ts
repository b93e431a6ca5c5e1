import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startDcm } from './dcm.ts';

const registration = {
  name: 'ec2-sp',
  endpoint: 'http://127.0.0.1:9/api/v1alpha1/vms',
  service_type: 'vm',
  schema_version: 'v1alpha1',
};
const full = {
  ...registration,
  display_name: 'EC2',
  operations: ['CREATE', 'DELETE', 'READ'],
  metadata: { region_code: 'us-east-1', families: ['t3'] },
};
const Listed = z.object({
  providers: z.array(z.object({ id: z.string(), name: z.string() })),
  next_page_token: z.string().optional(),
});
const rfc3339 = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('control plane, registering providers', () => {
  let dcm: Awaited<ReturnType<typeof startDcm>>;
  beforeAll(async () => {
    dcm = await startDcm();
  });
  afterAll(() => dcm[Symbol.asyncDispose]());
  beforeEach(() => dcm.controlPlane.forget());

  const at = (path = '') => `${dcm.controlPlane.url}/api/v1alpha1/providers${path}`;
  const register = (body: unknown, query = '') =>
    fetch(at(query), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const list = async (query = '') => Listed.parse(await (await fetch(at(query))).json());

  it('answers 201 with the whole provider, ready from the start', async () => {
    const response = await register(full, '?id=ec2-sp-vm');

    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      id: 'ec2-sp-vm',
      path: 'providers/ec2-sp-vm',
      ...full,
      health_status: 'ready',
      create_time: rfc3339,
      update_time: rfc3339,
    });
  });

  it('answers 200 to a repeated registration, keeps its id, and replaces the rest', async () => {
    await register(full, '?id=ec2-sp-vm');

    const response = await register({ ...registration, endpoint: 'https://elsewhere/vms' });

    expect(response.status).toBe(200);
    const body: unknown = await response.json();
    expect(body).toMatchObject({ id: 'ec2-sp-vm', endpoint: 'https://elsewhere/vms' });
    expect(body).not.toHaveProperty('metadata');
  });

  it('gives one without an id a UUID, and prefers an id in the body', async () => {
    const without = await register(registration);
    const inBody = await register({ ...registration, id: 'in-body', name: 'other' }, '?id=in-query');

    expect(await without.json()).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await inBody.json()).toMatchObject({ id: 'in-body' });
  });

  it.each([
    { what: 'a name that has another id', body: registration, query: '?id=other', detail: 'already exists' },
    {
      what: 'an id that has another name',
      body: { ...registration, name: 'other' },
      query: '?id=ec2-sp-vm',
      detail: "'ec2-sp-vm' already exists",
    },
  ])('answers 409 to $what', async ({ body, query, detail }) => {
    await register(registration, '?id=ec2-sp-vm');

    const response = await register(body, query);

    expect(response.status).toBe(409);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({
      type: 'conflict',
      title: 'Resource conflict',
      detail: expect.stringContaining(detail),
    });
  });

  it.each([
    { what: 'no endpoint', body: { ...registration, endpoint: undefined }, detail: 'endpoint' },
    { what: 'no schema version', body: { ...registration, schema_version: 'one' }, detail: 'schema_version' },
    { what: 'no JSON object', body: 'text', detail: 'object' },
    {
      what: 'a number of CPUs that is a text',
      body: { ...registration, metadata: { resources: { total_cpu: '8' } } },
      detail: 'total_cpu',
    },
  ])('answers 400 to $what', async ({ body, detail }) => {
    const response = await register(body);

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: 'validation-error',
      detail: expect.stringContaining(detail),
    });
  });

  it('answers 400 to an id that it does not allow', async () => {
    expect((await register(registration, '?id=EC2')).status).toBe(400);
  });

  it('lists them as `dcm sp provider list` reads it, oldest first, by type and in pages', async () => {
    for (const name of ['a', 'b', 'c']) await register({ ...registration, name }, `?id=${name}`);
    await register({ ...registration, name: 'd', service_type: 'cluster' }, '?id=d');

    const first = await list('?type=vm&max_page_size=2');
    const second = await list(`?type=vm&max_page_size=2&page_token=${first.next_page_token}`);

    expect(first).toMatchObject({ providers: [{ id: 'a' }, { id: 'b' }], next_page_token: 'Mg==' });
    expect(second).toEqual({ providers: [{ id: 'c', name: 'c' }] });
    expect((await list()).providers).toHaveLength(4);
    expect((await list('?type=none')).providers).toEqual([]);
  });

  it.each(['?max_page_size=0', '?max_page_size=101', '?page_token=Zm9v', '?page_token=LTE='])(
    'answers 400 to a list with %s',
    async (query) => {
      const response = await fetch(at(query));

      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ type: 'validation-error' });
    },
  );

  it('returns a provider, removes it, and then answers 404', async () => {
    await register(registration, '?id=ec2-sp-vm');

    const before = await fetch(at('/ec2-sp-vm'));
    const removed = await fetch(at('/ec2-sp-vm'), { method: 'DELETE' });
    const after = await fetch(at('/ec2-sp-vm'));

    expect([before.status, removed.status, after.status]).toEqual([200, 204, 404]);
    expect(await after.json()).toEqual({
      type: 'not-found',
      title: 'Provider not found',
      status: 404,
      detail: 'provider ec2-sp-vm not found',
    });
    expect((await fetch(at('/ec2-sp-vm'), { method: 'DELETE' })).status).toBe(404);
  });
});
