import type { Defect } from '../defect.ts';
import { problem } from '../fake-problem.ts';
import { isCreate, isDelete, isHealth, isOne, json, type KnownDefects, rewriting } from './known-defect.ts';

const isList = (request: Request) =>
  request.method === 'GET' && new URL(request.url).pathname.endsWith('/clusters');

const one = (change: (body: Record<string, unknown>) => unknown): Defect => ({
  answer: rewriting((request) => isOne(request) && !isList(request), json(change)),
});

/** Takes a create whose body has this text. */
const taking = (text: string): Defect => ({
  answer: async (request, next) => {
    const body = isCreate(request) ? await request.clone().text() : '';
    if (!body.includes(text)) return next(request);
    const spec = { service_type: 'cluster', version: '1.34' };
    return next(
      new Request(request.url, {
        ...{ method: 'POST', headers: request.headers },
        body: JSON.stringify(spec),
      }),
    );
  },
});

export const clusterDefects: KnownDefects = {
  K1: [
    {
      what: 'has no path in its health',
      because: /path/,
      defect: {
        answer: rewriting(
          isHealth,
          json(({ path: _, ...body }) => body),
        ),
      },
    },
  ],
  K2: [
    {
      what: 'takes a number for the service type',
      because: /such a spec was answered 201, not 400/,
      defect: taking('123'),
    },
  ],
  K3: [
    { what: 'takes any version', because: /0\.1 was answered 201, not 400/, defect: taking('"0.1"') },
    {
      what: 'creates what it refuses',
      because: /GET finds the cluster/,
      defect: {
        answer: async (request, next) => {
          const response = await (taking('"0.1"').answer?.(request, next, Object()) ?? next(request));
          const body = isCreate(request) ? await request.clone().text() : '';
          return body.includes('"0.1"') ? problem(422, 'no such version') : response;
        },
      },
    },
  ],
  K4: [
    {
      what: 'lists under "results" alone',
      because: /the list has no "clusters"/,
      defect: {
        answer: rewriting(
          isList,
          json(({ clusters: _, ...body }) => body),
        ),
      },
    },
  ],
  K5: [
    {
      what: 'breaks on DELETE of an unknown id',
      because: /DELETE was answered 500/,
      defect: {
        answer: async (request, next) => (isDelete(request) ? problem(500, 'nil') : next(request)),
      },
    },
    {
      what: 'answers GET of an unknown id with 200',
      because: /GET was answered 200/,
      defect: { answer: async (request, next) => (isOne(request) ? Response.json({}) : next(request)) },
    },
  ],
  K6: [
    {
      what: 'shows an endpoint at once',
      because: /api_endpoint is https:\/\/soon/,
      defect: one((body) => ({ ...body, api_endpoint: 'https://soon' })),
    },
    {
      what: 'shows a kubeconfig at once',
      because: /it has a kubeconfig/,
      defect: one((body) => ({ ...body, kubeconfig: 'c29vbg==' })),
    },
  ],
  K7: [
    {
      what: 'shows no endpoint',
      because: /api_endpoint is ""/,
      defect: one(({ api_endpoint: _, ...body }) => body),
    },
    {
      what: 'shows a kubeconfig that is not in base64',
      because: /kubeconfig does not lead to https/,
      defect: one((body) => ({ ...body, kubeconfig: 'server: https://kube.example' })),
    },
    {
      what: 'never shows that it is active',
      because: /did not answer READY or ACTIVE in time/,
      defect: one((body) => ({ ...body, status: 'PROGRESSING' })),
    },
  ],
  K8: [
    {
      what: 'gives kubeconfigs away in its list',
      because: /the list has the kubeconfig of conformance-/,
      defect: {
        answer: rewriting(
          isList,
          json(({ clusters }) => ({
            clusters: Array.isArray(clusters)
              ? clusters.map((cluster: object) => ({ ...cluster, kubeconfig: 'c29vbg==' }))
              : [],
          })),
        ),
      },
    },
  ],
  K9: [
    {
      what: 'publishes no endpoint',
      because: /output_spec is \{"console_url"/,
      defect: {
        publish: (received) => [
          { ...received, payload: received.payload.replace('api_endpoint', 'console_url') },
        ],
      },
    },
  ],
};
