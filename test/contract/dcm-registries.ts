import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { loopback } from '../unit/adapters/loopback.ts';

type Answer = { readonly status: number; readonly body?: unknown };
type Rows = Map<string, Readonly<Record<string, unknown>>>;

const Body = z.looseObject({ name: z.string(), endpoint: z.string(), service_type: z.string() });

/** How one of DCM's registries differs from the other, as captured of the control plane's and written of the agent's. */
type Flavour = {
  readonly added: Readonly<Record<string, unknown>>;
  conflict(name: string): Answer;
  list(rows: readonly object[]): object;
  withdraw(rows: Rows, id: string): Answer;
};

export const controlPlane: Flavour = {
  added: { health_status: 'ready' },
  conflict: (name) => ({
    status: 409,
    body: {
      type: 'conflict',
      title: 'Resource conflict',
      status: 409,
      detail: `name '${name}' already exists with a different provider ID`,
    },
  }),
  list: (providers) => ({ providers }),
  withdraw: (rows, id) => (rows.delete(id) ? { status: 204 } : { status: 404, body: { type: 'not-found' } }),
};

export const environmentAgent: Flavour = {
  added: { type: 'external', status: 'Ready', last_check_time: '2026-11-21T06:01:40Z' },
  conflict: (name) => ({
    status: 409,
    body: {
      type: 'CONFLICT',
      title: 'Conflict',
      status: 409,
      detail: `provider '${name}' is registered under another id`,
      instance: '/api/v1alpha1/providers',
    },
  }),
  list: (results) => ({ results }),
  withdraw: () => ({ status: 405 }),
};

/** One of DCM's registries, for as long as it takes. Times have nanoseconds, as Go writes them. */
export const startRegistry = async (flavour: Flavour, now: () => number) => {
  const rows: Rows = new Map();
  const time = () => new Date(now()).toISOString().replace('Z', '881022Z');

  const register = (id: string, given: unknown): Answer => {
    const body = Body.parse(given);
    const holder = [...rows].find(([, { name }]) => name === body.name)?.[0];
    if (holder !== undefined && holder !== id) return flavour.conflict(body.name);
    const held = rows.get(id);
    const times = { create_time: held?.create_time ?? time(), update_time: time() };
    const row = { ...body, ...flavour.added, ...times, id, path: `providers/${id}` };
    rows.set(id, row);
    return { status: held ? 200 : 201, body: row };
  };

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://dcm.test');
    const id = pathname.split('/api/v1alpha1/providers/')[1] ?? searchParams.get('id') ?? '';
    if (request.method === 'POST') return send(response, register(id, JSON.parse(await text(request))));
    if (request.method === 'DELETE') return send(response, flavour.withdraw(rows, id));
    if (pathname.endsWith('/providers'))
      return send(response, { status: 200, body: flavour.list([...rows.values()]) });
    const row = rows.get(id);
    return send(response, row ? { status: 200, body: row } : { status: 404, body: { type: 'not-found' } });
  });
  return { ...(await loopback(server)), forgetAll: () => rows.clear() };
};

const send = (response: ServerResponse, { status, body }: Answer) => {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response
    .writeHead(status, { 'content-type': type })
    .end(body === undefined ? undefined : JSON.stringify(body));
};
