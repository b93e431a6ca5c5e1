import { Hono } from 'hono';
import * as z from 'zod';
import type { FakeProvider } from './defect.ts';
import { token } from './fake-api.ts';
import { problem } from './fake-problem.ts';

const Creation = z.object({ spec: z.record(z.string(), z.unknown()) });

/** The control plane of the older DCM, at which the fake provider of containers is registered. Its rows have the provider's statuses. */
export const fakeControlPlane = (fake: FakeProvider): typeof fetch => {
  const collection = 'http://fake/api/v1alpha1/containers';
  const call = (method: string, path: string, body?: object) =>
    fake.handle(
      new Request(`${collection}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
  const rows = new Set<string>();
  const rowOf = (id: string) => ({ id, status: (fake.vms.get(id)?.status ?? 'DELETED').toLowerCase() });
  const app = new Hono()
    .get('/api/v1alpha1/providers', ({ json }) =>
      json({ providers: [{ name: 'fake', service_type: 'container' }] }),
    )
    .post('/api/v1alpha1/service-type-instances', async ({ req, json }) => {
      const id = req.query('id') ?? '';
      const answer = await call('POST', `?id=${id}`, Creation.parse(await req.json()));
      if (!answer.ok) return problem(422, 'the provider refused');
      rows.add(id);
      return json(rowOf(id), 201);
    })
    .get('/api/v1alpha1/service-type-instances/:id', ({ req, json }) => {
      const id = req.param('id');
      return rows.has(id) ? json(rowOf(id)) : problem(404, 'no such row');
    })
    .delete('/api/v1alpha1/service-type-instances/:id', async ({ req, body }) => {
      const id = req.param('id');
      const answer = await call('DELETE', `/${id}`);
      if (!answer.ok && answer.status !== 404) return problem(500, 'the provider failed');
      rows.delete(id);
      return body(null, 204);
    });
  return async (input, init) => app.fetch(new Request(input, init));
};
