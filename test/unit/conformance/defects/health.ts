import type { Defect } from '../defect.ts';
import { problem } from '../fake-problem.ts';
import { isHealth, json, type KnownDefects, rewriting } from './known-defect.ts';

const health = (change: (body: Record<string, unknown>) => unknown, status?: number): Defect => ({
  answer: rewriting(isHealth, json(change, status)),
});

export const healthDefects: KnownDefects = {
  H1: [
    {
      what: 'answers health with 204',
      because: /204/,
      defect: { answer: rewriting(isHealth, () => new Response(null, { status: 204 })) },
    },
    {
      what: 'asks for credentials',
      because: /health was answered 401/,
      defect: { answer: rewriting(isHealth, () => problem(401, 'who?')) },
    },
  ],
  H2: [
    {
      what: 'says "ok"',
      because: /finds it failed.*"ok"/,
      defect: health((body) => ({ ...body, status: 'ok' })),
    },
    {
      what: 'says "Healthy"',
      because: /finds it failed/,
      defect: health((body) => ({ ...body, status: 'Healthy' })),
    },
    {
      what: 'is unhealthy',
      because: /finds it unhealthy/,
      defect: health((body) => ({ ...body, status: 'unhealthy' })),
    },
    {
      what: 'says it in a field "state"',
      because: /finds it failed/,
      defect: health(({ status, ...body }) => ({ ...body, state: status })),
    },
  ],
  H3: [
    {
      what: 'answers health with 203',
      because: /agent finds it failed: 203/,
      defect: health((body) => body, 203),
    },
  ],
  H4: [
    { what: 'has no version', because: /version/, defect: health(({ version: _, ...body }) => body) },
    {
      what: 'tells its uptime as text',
      because: /uptime/,
      defect: health((body) => ({ ...body, uptime: '7s' })),
    },
    {
      what: 'tells its health as text',
      because: /text\/plain/,
      defect: { answer: rewriting(isHealth, async (response) => new Response(await response.text())) },
    },
  ],
  H5: [
    {
      what: 'has an uptime that stands still',
      because: /from 7 to 7/,
      defect: health((body) => ({ ...body, uptime: 7 })),
    },
  ],
  H6: [
    {
      what: 'is slow to tell its health',
      because: /6000 ms/,
      defect: {
        answer: (request, next, fake) => {
          if (isHealth(request)) fake.stall(6_000);
          return next(request);
        },
      },
    },
  ],
  H8: [
    {
      what: 'asks for credentials',
      because: /without credentials health was answered 401/,
      defect: {
        answer: async (request, next) =>
          isHealth(request) && !request.headers.has('authorization') ? problem(401, 'who?') : next(request),
      },
    },
    {
      what: 'refuses credentials that it does not need',
      because: /with credentials health was answered 400/,
      defect: {
        answer: async (request, next) =>
          isHealth(request) && request.headers.has('authorization') ? problem(400, 'unasked') : next(request),
      },
    },
  ],
  H7: [
    {
      what: 'lets a VM be called "health"',
      because: /201, not 400/,
      defect: {
        answer: (request, next) => next(new Request(request.url.replace('id=health', 'id=healthy'), request)),
      },
    },
  ],
};
