import type { Defect } from '../defect.ts';
import { problem } from '../fake-problem.ts';
import { isCreate, isDelete, isHealth, isOne, json, type KnownDefects, rewriting } from './known-defect.ts';

const isList = (request: Request) =>
  request.method === 'GET' && new URL(request.url).pathname.endsWith('/containers');
const hasId = (request: Request) => new URL(request.url).searchParams.has('id');
const bodyOf = (request: Request) => request.clone().text();

const health = (change: (body: Record<string, unknown>) => unknown): Defect => ({
  answer: rewriting(isHealth, json(change)),
});

const list = (change: (body: Record<string, unknown>) => unknown): Defect => ({
  answer: rewriting(isList, json(change)),
});

/** Publishes other words for a status. */
const inOtherWords = (status: string, ...words: readonly string[]): Defect => ({
  publish: (received) =>
    received.payload.includes(`"status":"${status}"`)
      ? words.map((word) => ({
          ...received,
          payload: received.payload.replaceAll(`"${status}"`, `"${word}"`),
        }))
      : [received],
});

/** Publishes a status later than it should. */
const late = (status: string, ms: number): Defect => ({
  publish: (received) => [
    received.payload.includes(`"status":"${status}"`) ? { ...received, at: received.at + ms } : received,
  ],
});

const registering = (change: object): Defect => ({
  register: async (request) => {
    const body = { ...Object(await request.clone().json()), ...change };
    return new Request(request.url, {
      ...{ method: 'POST', headers: request.headers, body: JSON.stringify(body) },
    });
  },
});

/** Takes what a provider must refuse, where its body is this. */
const accepting = (isMeant: (body: string, request: Request) => boolean): Defect => ({
  answer: async (request, next) =>
    isCreate(request) && !hasId(request) && isMeant(await bodyOf(request), request)
      ? Response.json({ id: 'made' }, { status: 201 })
      : next(request),
});

export const containerDefects: KnownDefects = {
  U1: [
    {
      what: 'registers another service type',
      because: /no registration has the service type container/,
      defect: registering({ service_type: 'containers' }),
    },
    {
      what: 'registers another schema version',
      because: /schema_version is v1/,
      defect: registering({ schema_version: 'v1' }),
    },
  ],
  U2: [
    {
      what: 'is unhealthy',
      because: /status must be "healthy"/,
      defect: health((body) => ({ ...body, status: 'unhealthy' })),
    },
    ...(['version', 'uptime', 'type'] as const).map((name) => ({
      what: `has no ${name}`,
      because: new RegExp(`${name} is missing`),
      defect: health(({ [name]: _, ...body }) => body),
    })),
    {
      what: 'answers health with 204',
      because: /answered 204/,
      defect: { answer: rewriting(isHealth, () => new Response(null, { status: 204 })) },
    },
  ],
  U3: [
    {
      what: 'breaks on a create without an id',
      because: /answered 500/,
      defect: {
        answer: async (request, next) =>
          isCreate(request) && !hasId(request) ? problem(500, 'nil') : next(request),
      },
    },
    {
      what: 'does not say the id that it made',
      because: /the answer has no id/,
      defect: {
        answer: rewriting(
          (request) => isCreate(request) && !hasId(request),
          json(({ id: _, ...body }) => body),
        ),
      },
    },
  ],
  U4: [
    {
      what: 'makes an id of its own',
      because: /the id is own-1, not conformance-/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => ({ ...body, id: 'own-1' })),
        ),
      },
    },
    {
      what: 'answers a create with 200',
      because: /answered 200/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => body, 200),
        ),
      },
    },
  ],
  U5: [
    {
      what: 'shows no service',
      because: /GET has no service after 15 s/,
      defect: {
        answer: rewriting(
          isOne,
          json(({ service: _, ...body }) => body),
        ),
      },
    },
  ],
  U6: [
    {
      what: 'never publishes RUNNING',
      because: /RUNNING was not published/,
      defect: inOtherWords('RUNNING'),
    },
    { what: 'is slow to publish RUNNING', because: /after 9\d s/, defect: late('RUNNING', 95_000) },
    {
      what: 'answers GET with what was',
      because: /GET then answered PENDING/,
      defect: {
        answer: rewriting(
          isOne,
          json((body) => ({ ...body, status: 'PENDING' })),
        ),
      },
    },
  ],
  U7: [
    {
      what: 'lists under "results" alone',
      because: /it has no list "containers"/,
      defect: list(({ containers: _, ...body }) => body),
    },
    {
      what: 'has no further page',
      because: /no next_page_token/,
      defect: list(({ next_page_token: _, ...body }) => body),
    },
    {
      what: 'ignores the page size',
      because: /a page of two has 3/,
      defect: {
        answer: (request, next) =>
          next(new Request(request.url.replace('max_page_size=2', 'max_page_size=50'), request)),
      },
    },
    {
      what: 'has an empty next page',
      because: /the next page is empty/,
      defect: {
        answer: rewriting(
          (request) => isList(request) && request.url.includes('page_token'),
          json(() => ({ containers: [] })),
        ),
      },
    },
  ],
  U8: [
    {
      what: 'takes an empty body',
      because: /an empty body was answered 201/,
      defect: accepting(
        (body, { headers }) => body === '' && headers.get('content-type') === 'application/json',
      ),
    },
    {
      what: 'takes an empty spec',
      because: /an empty spec was answered 201/,
      defect: accepting((body) => body === '{"spec":{}}'),
    },
    {
      what: 'takes a number for the service type',
      because: /a number for the service type was answered 201/,
      defect: accepting((body) => body.includes('12345')),
    },
    {
      what: 'takes text',
      because: /a text\/plain body was answered 201/,
      defect: accepting((_, { headers }) => headers.get('content-type') === 'text/plain'),
    },
  ],
  U9: [
    {
      what: 'answers GET of an unknown id with 200',
      because: /GET was answered 200/,
      defect: {
        answer: async (request, next) => (isOne(request) ? Response.json({}) : next(request)),
      },
    },
    {
      what: 'breaks on DELETE of an unknown id',
      because: /DELETE was answered 500/,
      defect: {
        answer: async (request, next) => (isDelete(request) ? problem(500, 'nil') : next(request)),
      },
    },
  ],
  U10: [
    {
      what: 'answers DELETE with 202',
      because: /DELETE was answered 202/,
      defect: { answer: rewriting(isDelete, () => new Response(null, { status: 202 })) },
    },
    {
      what: 'shows a deleted container as before',
      because: /GET was answered 200: .*RUNNING/,
      defect: {
        answer: rewriting(
          isOne,
          json((body) => ({ ...body, status: 'RUNNING' })),
        ),
      },
    },
  ],
  U11: [
    {
      what: 'is silent at first',
      because: /the first event came after 19 s/,
      defect: late('PENDING', 19_000),
    },
    {
      what: 'begins with another status',
      because: /it publishes UNKNOWN before RUNNING/,
      defect: inOtherWords('PENDING', 'UNKNOWN'),
    },
  ],
  U12: [
    {
      what: 'publishes under a source of its own',
      because: /source/,
      defect: {
        publish: (received) => [
          { ...received, payload: received.payload.replace('dcm/providers/fake', 'fake') },
        ],
      },
    },
  ],
  U13: [
    {
      what: 'publishes another status on the way',
      because: /it publishes CREATED before RUNNING/,
      defect: inOtherWords('PENDING', 'PENDING', 'CREATED'),
    },
  ],
  U14: [
    {
      what: 'runs without an image',
      because: /RUNNING was published/,
      defect: inOtherWords('FAILED', 'RUNNING'),
    },
    {
      what: 'is silent about it',
      because: /PENDING or PROVISIONING was not published within 60 s, but FAILED/,
      defect: inOtherWords('PENDING'),
    },
  ],
  U15: [
    {
      what: 'never says that it ran',
      because: /RUNNING was not published within 60 s, but PENDING, FAILED/,
      defect: {
        publish: (received, fake) =>
          received.payload.includes('RUNNING') && fake.vms.size > 1 ? [] : [received],
      },
    },
  ],
  U16: [
    { what: 'never publishes an end', because: /no end was published/, defect: inOtherWords('DELETED') },
    {
      what: 'is slow to publish the end',
      because: /the end was published after 4\d s/,
      defect: late('DELETED', 45_000),
    },
  ],
  U17: [
    {
      what: 'publishes nothing after NATS was restarted',
      because: /was not published within 60 s, but PENDING, RUNNING/,
      defect: { publish: (received, fake) => (fake.restarts() > 0 ? [] : [received]) },
    },
  ],
  U18: [
    {
      what: 'names one container in the events of another',
      because: /names another one/,
      defect: {
        publish: (received, fake) => [
          {
            ...received,
            payload: received.payload.replace('it is', [...fake.vms.keys()].join(' and ')),
          },
        ],
      },
    },
    {
      what: 'has one container for all creates',
      because: /two of them have one id/,
      defect: {
        answer: rewriting(
          isCreate,
          json((body) => ({ ...body, id: 'the-one' })),
        ),
      },
    },
  ],
  U19: [
    {
      what: 'refuses a create of the control plane',
      because: /the create was answered 422/,
      defect: {
        answer: async (request, next) =>
          isCreate(request) && hasId(request) ? problem(400, 'no') : next(request),
      },
    },
    {
      what: 'cannot be deleted',
      because: /the delete was answered 500/,
      defect: {
        answer: async (request, next) => (isDelete(request) ? problem(500, 'nil') : next(request)),
      },
    },
  ],
  U20: [
    {
      what: 'does not see that its container was stopped',
      because: /its last status is RUNNING/,
      defect: inOtherWords('FAILED'),
    },
  ],
};
