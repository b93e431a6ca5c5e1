import type { Defect } from '../defect.ts';
import type { KnownDefects } from './known-defect.ts';

const registration = (change: (body: Record<string, unknown>) => object, query = '?id=fake-vm'): Defect => ({
  register: async (request) =>
    new Request(`http://registry/api/v1alpha1/providers${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change(Object(await request.json()))),
    }),
});

/** The attempts are answered 503, 401 without a token, 401 with it, 409, 201. */
const givesUpAfter = (attempts: number): Defect => ({
  register: async (request, attempt) => (attempt > attempts ? undefined : request),
});

const authorized = (request: Request, authorization: string | undefined): Request => {
  const headers = new Headers(request.headers);
  headers.delete('authorization');
  if (authorization !== undefined) headers.set('authorization', authorization);
  return new Request(request, { headers });
};

export const registrationDefects: KnownDefects = {
  R1: [
    {
      what: 'does not register',
      because: /no registration came/,
      defect: { register: async () => undefined },
    },
    {
      what: 'registers by PUT',
      because: /it sent PUT/,
      defect: { register: async (request) => new Request(request, { method: 'PUT' }) },
    },
    {
      what: 'registers at /api/v1/providers',
      because: /api\/v1\/providers/,
      defect: { register: async (request) => new Request(request.url.replace('v1alpha1', 'v1'), request) },
    },
    { what: 'sends a list', because: /not a JSON object/, defect: registration((body) => [body]) },
  ],
  R2: [
    {
      what: 'leaves the endpoint out',
      because: /endpoint is missing/,
      defect: registration(({ endpoint: _, ...body }) => body),
    },
    {
      what: 'has an empty name',
      because: /name is missing/,
      defect: registration((body) => ({ ...body, name: ' ' })),
    },
    {
      what: 'has schema version 1.0',
      because: /schema_version is 1\.0/,
      defect: registration((body) => ({ ...body, schema_version: '1.0' })),
    },
  ],
  R3: [
    {
      what: 'registers another service type',
      because: /it registered container/,
      defect: registration((body) => ({ ...body, service_type: 'container' })),
    },
  ],
  R4: [
    {
      what: 'registers an address without a scheme',
      because: /endpoint is fake/,
      defect: registration((body) => ({ ...body, endpoint: 'fake/api/v1alpha1/vms' })),
    },
    {
      what: 'registers a URL with a query',
      because: /\?a=1/,
      defect: registration((body) => ({ ...body, endpoint: 'http://fake/vms?a=1' })),
    },
    {
      what: 'registers a URL with a slash at its end',
      because: /vms\/$/,
      defect: registration((body) => ({ ...body, endpoint: 'http://fake/vms/' })),
    },
  ],
  R5: [
    {
      what: 'has an id that DCM does not take',
      because: /the id is Fake_VM/,
      defect: registration((body) => body, '?id=Fake_VM'),
    },
  ],
  R6: [
    {
      what: 'sends a status',
      because: /it sends status/,
      defect: registration((body) => ({ ...body, status: 'Ready' })),
    },
  ],
  R7: [
    {
      what: 'sends resources',
      because: /it does/,
      defect: registration((body) => ({ ...body, metadata: { resources: { total_cpu: 4 } } })),
    },
  ],
  R8: [
    {
      what: 'gives up after a 503',
      because: /did not register again/,
      defect: { register: async (request, attempt) => (attempt > 1 ? undefined : request) },
    },
    {
      what: 'comes back under another id',
      because: /its id was fake-vm, then another/,
      defect: {
        register: async (request, attempt) =>
          attempt > 1 ? new Request(request.url.replace('fake-vm', 'another'), request) : request,
      },
    },
  ],
  R9: [
    {
      what: 'sends no credentials',
      because: /it never sent credentials after 401/,
      defect: { register: async (request) => authorized(request, undefined) },
    },
    {
      what: 'sends other credentials',
      because: /other credentials than the token/,
      defect: { register: async (request) => authorized(request, 'Basic YTpi') },
    },
    {
      what: 'gives up when its token is refused',
      because: /did not register again after the token was refused once/,
      defect: givesUpAfter(3),
    },
  ],
  R10: [{ what: 'gives up after a 409', because: /it did not register again/, defect: givesUpAfter(4) }],
  R11: [
    {
      what: 'deletes another registration first, and insists on it',
      because: /after DELETE .*\/providers\/other was answered 405/,
      defect: {
        register: async (request, attempt) =>
          attempt > 4
            ? new Request('http://registry/api/v1alpha1/providers/other', { method: 'DELETE' })
            : request,
      },
    },
  ],
};
