import { type Context, Hono } from 'hono';
import type { FakeAgentRequest } from './defect.ts';
import type { FakeKind } from './fake-kinds.ts';
import { type ListedVm, listPage } from './fake-list.ts';
import { problem } from './fake-problem.ts';

export const token = 'the-token';

type Vms = {
  readonly kind: FakeKind;
  readonly vms: ReadonlyMap<string, ListedVm>;
  readonly agentRequests: ReadonlyMap<string, FakeAgentRequest>;
  readonly create: (id: string, spec: Readonly<Record<string, unknown>>) => void;
  readonly remove: (id: string) => void;
  /** A create of this id was refused for good. */
  readonly fail: (id: string) => void;
  readonly now: () => number;
};

const validId = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const health = { status: 'healthy', version: '1.2.3', type: 'fake.dcm.io/health', path: 'health' };

/** The HTTP side of a conforming provider. */
export const fakeApi = ({ kind, vms, agentRequests, create, remove, fail, now }: Vms): Hono => {
  const base = `/api/v1alpha1/${kind.collection}`;
  let generated = 0;
  const idFor = (context: Context): string | undefined => {
    const key = context.req.header('idempotency-key');
    if (key && !context.req.query('id')) return agentRequests.get(key)?.id;
    generated += 1;
    return context.req.query('id') ?? `generated-${generated}`;
  };

  const app = new Hono();
  app.onError((error) => problem(500, error.message));
  app.get('/openapi.json', (context) => context.json({ openapi: '3.1.0' }));
  app.get(`${base}/health`, (context) => context.json({ ...health, uptime: Math.floor(now() / 1000) + 7 }));
  app.use(`${base}/*`, async (context, next) =>
    context.req.header('authorization') === `Bearer ${token}` ? next() : problem(401, 'who are you?'),
  );
  app.post(base, async (context) => {
    if (!context.req.header('content-type')?.startsWith('application/json')) return problem(400, 'not JSON');
    const id = idFor(context);
    const spec = specIn(await context.req.json().catch(() => undefined));
    if (spec === undefined || !kind.isSpec(spec)) {
      if (id !== undefined) fail(id);
      return problem(400, 'no spec');
    }
    if (id === undefined || id === 'health' || !validId.test(id)) return problem(400, 'no such id');
    create(id, spec);
    return Response.json(resource(vms.get(id), kind), { status: 201 });
  });
  app.get(base, (context) => listPage([...vms.values()], context.req.query(), kind));
  app.get(`${base}/:id`, (context) => {
    const vm = vms.get(context.req.param('id'));
    return vm ? Response.json(resource(vm, kind)) : problem(404, 'no such resource');
  });
  app.delete(`${base}/:id`, (context) => {
    remove(context.req.param('id'));
    return new Response(null, { status: 204 });
  });
  return app;
};

const resource = (vm: ListedVm | undefined, { collection, details }: FakeKind) =>
  vm && { id: vm.id, path: `${collection}/${vm.id}`, status: vm.status, ...details(vm.status) };

/** The spec in a body, wrapped or bare. */
const specIn = (body: unknown): Readonly<Record<string, unknown>> | undefined => {
  const spec = isObject(body) && 'spec' in body ? body.spec : body;
  return isObject(spec) ? spec : undefined;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
