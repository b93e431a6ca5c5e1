import type { Group } from '../check.ts';
import { must } from '../outcome.ts';
import type { Session } from '../session.ts';

const agent = 'environment-agent internal/provider/provider_integration_test.go';
const osac = 'osac-service-provider internal/registration/registration_integration_test.go';

const required = ['name', 'endpoint', 'service_type', 'schema_version'];
const readOnly = [
  'id',
  'path',
  'type',
  'status',
  'health_status',
  'last_check_time',
  'create_time',
  'update_time',
];

const eachBody = async (session: Session, look: (body: Record<string, unknown>) => string | undefined) => {
  for (const { body } of await session.registered()) {
    must(body !== undefined, 'the body is not a JSON object');
    const complaint = look(body);
    must(complaint === undefined, complaint ?? '');
  }
};

export const registrationChecks: Group = {
  title: 'Registration',
  needs: '--registry-port',
  checks: [
    {
      id: 'R1',
      sentence: 'registers by POST /api/v1alpha1/providers with a JSON object',
      source: 'control-plane test/subsystem/sp/provider_test.go',
      async run(session) {
        for (const { method, path, contentType, body } of await session.registered()) {
          must(method === 'POST' && path === '/api/v1alpha1/providers', `it sent ${method} ${path}`);
          must(contentType.startsWith('application/json'), `it sent ${contentType || 'no content type'}`);
          must(body !== undefined, 'the body is not a JSON object');
        }
      },
    },
    {
      id: 'R2',
      sentence: 'says name, endpoint, service_type and a schema_version such as v1alpha1',
      source: `${agent} (IT-SPR-040)`,
      run: (session) =>
        eachBody(session, (body) => {
          const missing = required.find((key) => typeof body[key] !== 'string' || body[key].trim() === '');
          if (missing) return `${missing} is missing or empty`;
          const version = String(body.schema_version);
          return /^v[0-9]+(alpha|beta)?[0-9]*$/.test(version) ? undefined : `schema_version is ${version}`;
        }),
    },
    {
      id: 'R3',
      sentence: 'registers the service type that it was checked for',
      source: 'control-plane internal/sp/service/provider/provider.go',
      async run(session) {
        const types = (await session.registered()).map(({ body }) => String(body?.service_type));
        must(types.includes(session.serviceType), `it registered ${types.join(', ')}`);
      },
    },
    {
      id: 'R4',
      sentence: 'registers the collection’s full URL, without query, fragment or slash at its end',
      source: `${agent}; control-plane joins it with "/" and the id`,
      run: (session) =>
        eachBody(session, ({ endpoint }) => {
          const url = URL.canParse(String(endpoint)) ? new URL(String(endpoint)) : undefined;
          if (url === undefined || !/^https?:$/.test(url.protocol)) return `endpoint is ${endpoint}`;
          const isPlain = url.search === '' && url.hash === '' && !url.pathname.endsWith('/');
          return isPlain ? undefined : `endpoint is ${url.origin}${url.pathname}${url.search}${url.hash}`;
        }),
    },
    {
      id: 'R5',
      sentence: 'gives its id in ?id= or not at all, and it is one that DCM takes',
      source: `${agent} (id rules)`,
      async run(session) {
        for (const { id } of await session.registered()) {
          must(id === undefined || /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(id), `the id is ${id}`);
        }
      },
    },
    {
      id: 'R6',
      sentence: 'sends no field that is for DCM to say, such as id or status',
      source: 'environment-agent api/v1alpha1/openapi.yaml (readOnly)',
      run: (session) =>
        eachBody(session, (body) => {
          const sent = readOnly.find((key) => key in body);
          return sent && `it sends ${sent}`;
        }),
    },
    {
      id: 'R7',
      sentence:
        'sends no metadata.resources, whose numbers are texts for one half of DCM and numbers for the other',
      source:
        'environment-agent api/v1alpha1/openapi.yaml; control-plane api/sp/v1alpha1/provider/openapi.yaml',
      run: (session) =>
        eachBody(session, ({ metadata }) =>
          typeof metadata === 'object' && metadata !== null && 'resources' in metadata
            ? 'it does'
            : undefined,
        ),
    },
    {
      id: 'R8',
      sentence: 'registers again after a 503, under the same name and id',
      source: `${osac} (backoff)`,
      async run(session) {
        const [first] = await session.registered();
        const later = () => session.registry?.registrations.filter((one) => one !== first) ?? [];
        const again = () => later().find(({ body }) => body?.name === first?.body?.name);
        must(await session.eventually(() => again() !== undefined), 'it gave up');
        must(again()?.id === first?.id, `its id was ${first?.id}, then ${again()?.id}`);
      },
    },
  ],
};
