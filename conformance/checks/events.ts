import * as z from 'zod';
import type { Check, Group } from '../check.ts';
import { dropReason, eventOf, extensionsOf } from '../consumer.ts';
import type { Received } from '../events.ts';
import { dataOf, statusOf } from '../lifetime.ts';
import { must, Skipped } from '../outcome.ts';
import type { Session } from '../session.ts';

const osac = 'osac-service-provider internal/statuspublisher/publisher_unit_test.go';
const status = 'utilities tests/e2e/sp_container_status_test.go';
const consumer = 'control-plane internal/sp/consumer/consumer.go';

/** The fields of `data` that DCM's consumer knows. Strict, because it ignores a misspelt key silently. */
const Data = z.strictObject({
  id: z.string(),
  status: z.string(),
  message: z.string(),
  output_spec: z.looseObject({}, 'output_spec must be an object').optional(),
  timestamp: z.union([z.null(), z.iso.datetime({ offset: true })], 'timestamp must be RFC 3339').optional(),
});

const oneLine = (error: z.ZodError): string => z.prettifyError(error).replaceAll('\n', ' ');
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** A check of each event of a lifetime; `look` returns what is wrong with an event. */
const each = (
  id: string,
  sentence: string,
  source: string,
  look: (event: Received, session: Session) => string | undefined,
): Check => ({
  id,
  sentence,
  source,
  async run(session) {
    const { events } = await session.lifetime();
    for (const event of events) {
      const complaint = look(event, session);
      must(complaint === undefined, `${complaint}: ${event.payload.slice(0, 300)}`);
    }
  },
});

const attributesOf = ({ serviceType }: Session): Readonly<Record<string, RegExp>> => ({
  specversion: /^1\.0$/,
  id: /./,
  source: /^dcm\/providers\/[^/\s]+$/,
  type: new RegExp(`^dcm\\.status\\.${serviceType}$`),
  subject: new RegExp(`^dcm\\.${serviceType}$`),
  datacontenttype: /^application\/json$/,
  time: rfc3339,
});

const wrongAttribute = ({ payload }: Received, session: Session): string | undefined => {
  const event = eventOf(payload) ?? {};
  const wrong = Object.entries(attributesOf(session)).find(
    ([name, shape]) => !shape.test(String(event[name] ?? '')),
  );
  return wrong && `${wrong[0]} is ${event[wrong[0]]}, which does not match ${wrong[1]}`;
};

const strangeExtension = ({ payload }: Received): string | undefined => {
  const strange = extensionsOf(eventOf(payload) ?? {}).find(
    ([name, value]) => !/^[a-z0-9]+$/.test(name) || typeof value === 'object',
  );
  return strange && `the extension ${strange[0]} is not small letters and digits with a plain value`;
};

const form: readonly Check[] = [
  each(
    'E1',
    'publishes on the subject dcm.{service type}',
    `${osac}; the stream takes dcm.* only`,
    ({ subject }, { serviceType }) =>
      subject === `dcm.${serviceType}` ? undefined : `it came on ${subject}`,
  ),
  each(
    'E2',
    'publishes nothing that DCM’s consumer drops',
    `${consumer}; utilities tests/e2e/api_status_reader_test.go (malformed)`,
    dropReason,
  ),
  each(
    'E3',
    'publishes in structured mode: the whole event in the payload, no ce- headers',
    osac,
    ({ headers }) =>
      Object.keys(headers).some((name) => name.startsWith('ce-')) ? 'it has ce- headers' : undefined,
  ),
  each('E4', 'sets every attribute of the envelope exactly', osac, wrongAttribute),
  each(
    'E5',
    'has id, status and message in data, each a text, and otherwise only output_spec (an object) and timestamp (RFC 3339)',
    `${consumer}; ${osac}`,
    (event) => {
      const { error } = Data.safeParse(dataOf(event));
      return error && `data has not (${oneLine(error)})`;
    },
  ),
  each(
    'E6',
    'publishes statuses of DCM, in capital letters',
    'enhancements state-management/service-provider-status-reporting.md',
    (event, { vocabulary }) =>
      vocabulary.statuses.includes(statusOf(event) ?? '') ? undefined : `status is ${statusOf(event)}`,
  ),
  each(
    'E7',
    'never publishes PENDING, because DCM gives a pending resource to another agent; containers and clusters may be PENDING at first',
    'control-plane internal/sp/pending/sweep.go; utilities tests/e2e/sp_container_status_test.go (PENDING)',
    (event, { vocabulary }) =>
      statusOf(event)?.toUpperCase() === 'PENDING' && !vocabulary.statuses.includes('PENDING')
        ? 'status is PENDING'
        : undefined,
  ),
  each(
    'E8',
    'sends no NUL, which Postgres cannot store: DCM would retry without end',
    `${consumer} (Nak without limit)`,
    ({ payload }) => (payload.includes('\\u0000') || payload.includes('\0') ? 'it has a NUL' : undefined),
  ),
  each(
    'E9',
    'names extensions in lower-case letters and digits, with plain values',
    'CloudEvents 1.0.2, Context Attributes',
    strangeExtension,
  ),
];

const startsOver = (statuses: readonly string[], { vocabulary }: Session): string | undefined => {
  const { starting, ready } = vocabulary;
  const ran = statuses.findIndex((one) => ready.includes(one));
  const ended = statuses.indexOf('DELETED');
  if (ran >= 0 && statuses.slice(ran).some((one) => starting.includes(one))) return 'it starts after it ran';
  return ended >= 0 && statuses.slice(ended).some((one) => one !== 'DELETED')
    ? 'it has another status after DELETED'
    : undefined;
};

const course: readonly Check[] = [
  {
    id: 'E10',
    sentence: 'publishes that a new resource runs',
    source: `${status} (RUNNING progression)`,
    async run(session) {
      must(
        (await session.lifetime()).isReady,
        `${session.vocabulary.ready.join(' or ')} was not published in time`,
      );
    },
  },
  {
    id: 'E11',
    sentence: 'publishes a status after its answer to the create, because DCM may store the row only then',
    source: 'service-provider-manager: writes the row after the answer, and drops what came before',
    async run(session) {
      const { events, answeredAt } = await session.lifetime();
      const beforeDelete = events.filter((event) => !/^DELET/i.test(statusOf(event) ?? ''));
      must(
        beforeDelete.some(({ at }) => at >= answeredAt),
        'all of them came before the answer',
      );
    },
  },
  {
    id: 'E12',
    sentence: 'publishes that a deleted resource is DELETED',
    source: `${status} (delete event)`,
    async run(session) {
      must((await session.lifetime()).isDeleted, 'DELETED was not published in time');
    },
  },
  {
    id: 'E13',
    sentence: 'never goes back from running to starting, also after a repeated create, nor from DELETED',
    source: 'utilities tests/e2e/api_status_reader_test.go (last write wins)',
    async run(session) {
      const statuses = (await session.lifetime()).events.map((event) =>
        (statusOf(event) ?? '').toUpperCase(),
      );
      const complaint = startsOver(statuses, session);
      must(complaint === undefined, `${complaint}: ${statuses.join(', ')}`);
    },
  },
  {
    id: 'E14',
    sentence: 'gives different events different ids, and a repeated event the same id',
    source: `${osac} (TC-U-401)`,
    async run(session) {
      const seen = new Map<unknown, string>();
      for (const event of (await session.lifetime()).events) {
        const id = eventOf(event.payload)?.id;
        const before = seen.get(id) ?? event.payload;
        must(before === event.payload, `two different events have the id ${id}`);
        seen.set(id, before);
      }
    },
  },
  {
    id: 'E15',
    sentence: 'uses the event’s id as Nats-Msg-Id, if it sends one, so that JetStream detects duplicates',
    source: 'environment-agent internal/messaging/publish.go',
    async run(session) {
      const { events } = await session.lifetime();
      const ids = events.map((event) => event.headers['nats-msg-id']);
      if (ids.every((id) => id === undefined)) throw new Skipped('it gives none');
      const odd = events.find(({ headers, payload }) => headers['nats-msg-id'] !== eventOf(payload)?.id);
      must(odd === undefined, `Nats-Msg-Id is ${odd?.headers['nats-msg-id']}: ${odd?.payload.slice(0, 200)}`);
    },
  },
  {
    id: 'E16',
    sentence: 'answers GET with the newest status that it published',
    source: `${status}; osac-service-provider internal/vm/status.go`,
    async run(session) {
      const { statusRead } = await session.lifetime();
      if (statusRead === undefined) throw new Skipped('it never published that the resource runs');
      must(
        session.vocabulary.ready.includes(statusRead),
        `it published that it runs, and GET answers ${statusRead}`,
      );
    },
  },
];

const endpointsNamed = (name: string) =>
  z
    .array(
      z.looseObject({
        address: z.string('address must be a text').min(1, 'address must not be empty'),
        port: z.int('port must be a number').min(1).max(65_535),
        scope: z.enum(['internal', 'external'], 'scope must be internal or external'),
      }),
      `${name} must be a list`,
    )
    .min(1, `${name} must not be empty`);

/** @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/servicetypes/{vm,container,cluster}/spec.yaml) */
const outputSchemas: Readonly<Record<string, z.ZodType>> = {
  vm: z.looseObject({ ip: endpointsNamed('ip') }),
  container: z.looseObject({ endpoints: endpointsNamed('endpoints') }),
  cluster: z.looseObject({ api_endpoint: z.string('api_endpoint must be a text').min(1) }),
};

const outputsOf = (event: Received): unknown => dataOf(event).output_spec;

const wrongOutputs = (outputs: unknown, { serviceType }: Session): string | undefined => {
  if (Object.keys(Object(outputs)).length === 0) return 'it is empty';
  const error = outputSchemas[serviceType]?.safeParse(outputs).error;
  return error && oneLine(error);
};

const outputs: readonly Check[] = [
  {
    id: 'E17',
    sentence:
      'never publishes an empty output_spec, which erases the outputs; for a VM it is ip: [{address, port, scope}], for a container the same under endpoints, for a cluster api_endpoint',
    source:
      'control-plane internal/sp/store/resource_manager/service_instance.go (replaced whole); api/catalog/v1alpha1/servicetypes',
    async run(session) {
      const { events } = await session.lifetime();
      const given = events.map(outputsOf).filter((one) => one !== undefined);
      if (given.length === 0)
        throw new Skipped('it publishes no outputs: no other resource can refer to one of its');
      for (const one of given) {
        const complaint = wrongOutputs(one, session);
        must(complaint === undefined, `output_spec is ${JSON.stringify(one)}: ${complaint}`);
      }
    },
  },
  {
    id: 'E18',
    sentence:
      'never publishes that a resource runs with an output_spec without its address, to which other resources may refer',
    source:
      'control-plane internal/cel/bind.go: a run whose resource refers to a missing output never goes on',
    async run(session) {
      const { events } = await session.lifetime();
      const schema = outputSchemas[session.serviceType];
      if (schema === undefined || events.every((event) => outputsOf(event) === undefined))
        throw new Skipped('needs a provider that publishes outputs');
      const running = events.filter((event) => session.vocabulary.ready.includes(statusOf(event) ?? ''));
      const bare = running.find((event) => !schema.safeParse(outputsOf(event)).success);
      must(
        bare === undefined,
        `it publishes that the resource runs, without an address: ${bare?.payload.slice(0, 300)}`,
      );
    },
  },
];

export const eventChecks: Group = {
  title: 'Status events',
  needs: '--nats',
  checks: [...form, ...course, ...outputs],
};
