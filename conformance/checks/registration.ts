import type { Group } from '../check.ts';
import { must, Skipped } from '../outcome.ts';
import type { Registration } from '../registry.ts';
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

/** The registrations of the provider that registered first. */
const ofFirst = ({ registry }: Session): readonly Registration[] => {
  const registrations = registry?.registrations ?? [];
  return registrations.filter(({ body }) => body?.name === registrations[0]?.body?.name);
};

export const registrationChecks: Group = {
  title: 'Registration at an environment agent',
  needs: '--registry-port',
  checks: [
    {
      id: 'R1',
      sentence: 'registers by POST /api/v1alpha1/providers with a JSON object',
      source: 'environment-agent api/v1alpha1/openapi.yaml (createProvider)',
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
      sentence: 'sends name, endpoint, service_type and a schema_version such as v1alpha1',
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
      sentence: 'registers the service type of --service-type',
      source: 'environment-agent internal/provider/service/service.go: one provider for each service type',
      async run(session) {
        const types = (await session.registered()).map(({ body }) => String(body?.service_type));
        must(types.includes(session.serviceType), `it registered ${types.join(', ')}`);
      },
    },
    {
      id: 'R4',
      sentence: 'registers the collection’s full URL, without query, fragment or trailing slash',
      source: `${agent}: the agent joins it with "/" and the id`,
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
      sentence: 'sends its id in ?id= or not at all, and DCM accepts the id',
      source: `${agent} (id rules)`,
      async run(session) {
        for (const { id } of await session.registered()) {
          must(id === undefined || /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(id), `the id is ${id}`);
        }
      },
    },
    {
      id: 'R6',
      sentence: 'sends no read-only field of DCM, such as id or status',
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
        'sends no metadata.resources, whose numbers are strings in one part of DCM and numbers in the other',
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
        must(await session.eventually(() => again() !== undefined), 'it did not register again');
        must(again()?.id === first?.id, `its id was ${first?.id}, then ${again()?.id}`);
      },
    },
    {
      id: 'R9',
      sentence: 'sends a bearer token after 401, and a new one if the token is refused like an expired one',
      source: 'environment-agent internal/auth/middleware.go (AGENT_AUTH_DISABLED=false)',
      needs: '--registry-token',
      async run(session) {
        const { registry, eventually } = session;
        if (registry?.token === undefined) throw new Skipped('needs --registry-token');
        await session.registered();
        const bearer = `Bearer ${registry.token}`;
        const sent = () =>
          ofFirst(session).flatMap(({ authorization, status }) =>
            authorization === undefined || status === 503 ? [] : [{ authorization, status }],
          );
        const isAccepted = () =>
          sent().some(({ authorization, status }) => authorization === bearer && status !== 401);
        if (await eventually(isAccepted)) return;
        must(sent().length > 0, 'it never sent credentials after 401');
        const isToken = sent().some(({ authorization }) => authorization === bearer);
        must(isToken, 'it sent other credentials than the token');
        must(false, 'it did not register again after the token was refused once');
      },
    },
    {
      id: 'R10',
      sentence: 'registers again after a 409, because the provider that has its service type may be removed',
      source: 'osac-service-provider internal/registration/registration.go (DD-203)',
      async run(session) {
        await session.registered();
        const conflict = () => ofFirst(session).findIndex(({ status }) => status === 409);
        const isAgain = () => conflict() >= 0 && ofFirst(session).length > conflict() + 1;
        const isTried = await session.eventually(isAgain);
        if (conflict() < 0) throw new Skipped('it did not get the 409');
        must(isTried, 'it did not register again');
      },
    },
    {
      id: 'R11',
      sentence: 'is finally registered without a DELETE, which an agent answers with 405',
      source:
        'environment-agent .ai/specs/environment-agent.spec.md (§1, DD-120): there is no de-registration',
      async run(session) {
        await session.registered();
        const isAccepted = () => ofFirst(session).some(({ status }) => status === 201);
        if (await session.eventually(isAccepted)) return;
        const [deletion] = session.registry?.deletions ?? [];
        if (deletion === undefined) throw new Skipped('it stopped registering for another reason');
        must(false, `after DELETE ${deletion} was answered 405 it did not register again`);
      },
    },
  ],
};
