import * as z from 'zod';
import type { Group } from '../check.ts';
import { eventOf } from '../consumer.ts';
import type { Received } from '../events.ts';
import { dataOf, statusOf } from '../lifetime.ts';
import { Deviation, must, Skipped } from '../outcome.ts';
import { idOf } from '../provider.ts';
import type { Session, Spec } from '../session.ts';
import { mustNotFindUnknown } from './problem.ts';

const api = 'utilities tests/e2e/sp_container_api_test.go';
const status = 'utilities tests/e2e/sp_container_status_test.go';

/** How long DCM's suite waits. */
const waitsMs = {
  service: 15_000,
  firstEvent: 15_000,
  running: 60_000,
  badImage: 60_000,
  staysDown: 15_000,
  deleted: 30_000,
  deletedAfterOutage: 60_000,
  stopped: 30_000,
  rowRuns: 120_000,
  rowGone: 60_000,
} as const;

const starting = ['PENDING', 'PROVISIONING'];
const over = ['DELETED', 'TERMINATED', 'STOPPED'];

/** Why a provider behind an environment agent must not do what the suite demands of one that is called directly. */
const provisioning =
  'it publishes PROVISIONING for PENDING: today’s DCM gives a resource that is PENDING for two minutes to another agent (control-plane internal/sp/pending/sweep.go)';

/** Creates a container in the form that the provider accepts. @returns its id */
const start = async (session: Session, changes: Spec = {}): Promise<string> => {
  await session.specimen();
  const id = session.newId();
  return idOf((await session.create(id, { ...session.specOf(id), ...changes })).json) ?? id;
};

const eventsOf = ({ feed }: Session, id: string): readonly Received[] => {
  if (feed === undefined) throw new Skipped('needs --nats URL');
  return feed.received.filter((event) => dataOf(event).id === id);
};

const statusesOf = (session: Session, id: string): readonly string[] =>
  eventsOf(session, id).map((event) => statusOf(event) ?? '');

/** @throws NotConforming where none of these statuses is published in time. */
const mustReach = async (session: Session, id: string, statuses: readonly string[], withinMs: number) => {
  const isReached = await session.eventually(
    () => statusesOf(session, id).some((one) => statuses.includes(one)),
    withinMs,
  );
  const seen = statusesOf(session, id).join(', ') || 'nothing';
  must(isReached, `${statuses.join(' or ')} was not published within ${withinMs / 1_000} s, but ${seen}`);
};

/** @throws Deviation for PROVISIONING, NotConforming for any other status than PENDING and RUNNING. */
const mustBeOnTheWayUp = (statuses: readonly string[]): void => {
  const other = statuses.find((one) => one !== 'RUNNING' && !starting.includes(one));
  must(other === undefined, `it publishes ${other} before RUNNING`);
  if (statuses.includes('PROVISIONING')) throw new Deviation(provisioning);
};

/** The statuses of the container of the run's lifetime, up to the first RUNNING. */
const statusesUntilRunning = async (session: Session): Promise<readonly string[]> => {
  const { events } = await session.lifetime();
  const statuses = events.map((event) => statusOf(event) ?? '');
  const runs = statuses.indexOf('RUNNING');
  must(runs >= 0, `RUNNING was not published, but ${statuses.join(', ')}`);
  return statuses.slice(0, runs + 1);
};

const Health = z.looseObject({
  status: z.literal('healthy', 'status must be "healthy"'),
  version: z.string('version is missing'),
  type: z.string('type is missing'),
  uptime: z.number('uptime is missing'),
});

const Envelope = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().startsWith('dcm/providers/'),
  type: z.string().min(1),
  time: z.string().min(1),
  datacontenttype: z.literal('application/json'),
});

const Page = z.looseObject({
  containers: z.array(z.unknown(), 'it has no list "containers"'),
  next_page_token: z.string().optional(),
});

/** A container whose image nobody has. */
const badImage = (): Spec => ({ image: { reference: `quay.io/nonexistent/image-${Date.now()}:fake` } });

export const containerChecks: Group = {
  title: 'Containers: what DCM’s own test suite demands',
  serviceType: 'container',
  checks: [
    {
      id: 'U1',
      sentence: 'registers the service type container with the schema version v1alpha1',
      source: api,
      needs: '--registry-port',
      async run(session) {
        const bodies = (await session.registered()).map(({ body }) => body);
        const own = bodies.find((body) => body?.service_type === 'container');
        must(own !== undefined, 'no registration has the service type container');
        must(own.schema_version === 'v1alpha1', `its schema_version is ${own.schema_version}`);
      },
    },
    {
      id: 'U2',
      sentence: 'answers health with 200, "healthy", version, uptime and type',
      source: api,
      async run({ provider }) {
        const answer = await provider.health();
        must(answer.status === 200, `health was answered ${answer.status}`);
        const { error } = Health.safeParse(answer.json);
        must(error === undefined, error ? z.prettifyError(error) : '');
      },
    },
    {
      id: 'U3',
      sentence: 'creates a container without an id under an id of its own',
      source: api,
      async run({ provider, specimen, specOf, newId }) {
        await specimen();
        const answer = await provider.create(undefined, { spec: specOf(newId()) });
        if (answer.status === 400)
          throw new Deviation(
            'it refuses a create without an id: DCM would never know the id that it makes, and could not delete the container',
          );
        must(answer.status === 200 || answer.status === 201, `answered ${answer.status}`);
        must((idOf(answer.json) ?? '') !== '', 'the answer has no id');
      },
    },
    {
      id: 'U4',
      sentence: 'creates a container under the id of ?id=, and answers 201',
      source: api,
      async run({ provider, specimen, specOf, newId }) {
        await specimen();
        const id = newId();
        const answer = await provider.create(id, { spec: specOf(id) });
        must(answer.status === 201, `answered ${answer.status}: ${answer.text.slice(0, 200)}`);
        must(idOf(answer.json) === id, `the id is ${idOf(answer.json)}, not ${id}`);
      },
    },
    {
      id: 'U5',
      sentence: 'shows in GET the service of a container with an internal port within 15 seconds',
      source: api,
      async run(session) {
        const ports = [{ container_port: 80, visibility: 'internal' }];
        const id = await start(session, { network: { ports } });
        const hasService = async () => {
          const { json } = await session.provider.read(id);
          return z.looseObject({ service: z.looseObject({}) }).safeParse(json).success;
        };
        const isShown = await session.eventually(hasService, waitsMs.service);
        must(isShown, 'GET has no service after 15 s');
      },
    },
    {
      id: 'U6',
      sentence: 'publishes RUNNING within 60 seconds after a create, and GET then answers RUNNING',
      source: status,
      needs: '--nats',
      async run(session) {
        const { events, answeredAt, statusRead } = await session.lifetime();
        const running = events.find((event) => statusOf(event) === 'RUNNING');
        must(running !== undefined, 'RUNNING was not published');
        const tookMs = running.at - answeredAt;
        must(tookMs <= waitsMs.running, `RUNNING was published after ${Math.round(tookMs / 1_000)} s`);
        must(statusRead === 'RUNNING', `GET then answered ${statusRead}`);
      },
    },
    {
      id: 'U7',
      sentence: 'lists under "containers", and pages of two lead to the next page',
      source: api,
      async run(session) {
        const { provider } = session;
        for (let count = 0; count < 2; count += 1) await start(session);
        const page = async (query: string) => {
          const { status: code, json } = await provider.call('GET', { path: query });
          must(code === 200, `the list was answered ${code}`);
          const parsed = Page.safeParse(json);
          must(parsed.success, parsed.error ? z.prettifyError(parsed.error) : '');
          return parsed.data;
        };
        const first = await page('?max_page_size=2');
        must(first.containers.length <= 2, `a page of two has ${first.containers.length}`);
        must(first.next_page_token, 'a page of two of three containers has no next_page_token');
        const token = encodeURIComponent(first.next_page_token);
        const next = await page(`?max_page_size=2&page_token=${token}`);
        must(next.containers.length > 0, 'the next page is empty');
      },
    },
    {
      id: 'U8',
      sentence: 'refuses an empty body, an empty spec, a number for the service type and text with 400',
      source: api,
      async run({ provider }) {
        const json = { 'content-type': 'application/json' };
        const requests = [
          { what: 'an empty body', call: { body: '', headers: json } },
          { what: 'an empty spec', call: { body: { spec: {} } } },
          { what: 'a number for the service type', call: { body: { spec: { service_type: 12_345 } } } },
          { what: 'a text/plain body', call: { body: '', headers: { 'content-type': 'text/plain' } } },
        ];
        for (const { what, call } of requests) {
          const answer = await provider.call('POST', call);
          must(answer.status === 400, `${what} was answered ${answer.status}, not 400`);
        }
      },
    },
    {
      id: 'U9',
      sentence: 'answers GET and DELETE of an unknown id with 404',
      source: api,
      run: mustNotFindUnknown,
    },
    {
      id: 'U10',
      sentence: 'answers DELETE with 204, and GET directly after it with 404',
      source: api,
      async run(session) {
        const id = await start(session);
        const { status: code } = await session.provider.remove(id);
        must(code === 204, `DELETE was answered ${code}`);
        const found = await session.provider.read(id);
        if (found.status === 200 && /"status":\s*"DELET(ING|ED)"/.test(found.text))
          throw new Deviation('it shows the container as DELETING until it has ended');
        must(found.status === 404, `GET was answered ${found.status}: ${found.text.slice(0, 100)}`);
      },
    },
    {
      id: 'U11',
      sentence: 'publishes the first status within 15 seconds after a create, and it is PENDING or RUNNING',
      source: status,
      needs: '--nats',
      async run(session) {
        const { events, answeredAt } = await session.lifetime();
        const [first] = events;
        must(first !== undefined, 'no event came');
        const tookMs = first.at - answeredAt;
        must(tookMs <= waitsMs.firstEvent, `the first event came after ${Math.round(tookMs / 1_000)} s`);
        mustBeOnTheWayUp([statusOf(first) ?? '']);
      },
    },
    {
      id: 'U12',
      sentence: 'publishes CloudEvents 1.0 with id, source dcm/providers/NAME, type, time and content type',
      source: status,
      needs: '--nats',
      async run(session) {
        const [first] = (await session.lifetime()).events;
        const { error } = Envelope.safeParse(eventOf(first?.payload ?? ''));
        must(error === undefined, error ? z.prettifyError(error) : '');
      },
    },
    {
      id: 'U13',
      sentence: 'publishes only PENDING and RUNNING until a container runs',
      source: status,
      needs: '--nats',
      run: async (session) => mustBeOnTheWayUp(await statusesUntilRunning(session)),
    },
    {
      id: 'U14',
      sentence: 'publishes PENDING for a container whose image does not exist, and never RUNNING',
      source: `${status}: FAILED after PENDING is accepted`,
      needs: '--nats',
      async run(session) {
        const id = await start(session, badImage());
        await mustReach(session, id, starting, waitsMs.badImage);
        const runs = await session.eventually(
          () => statusesOf(session, id).includes('RUNNING'),
          waitsMs.staysDown,
        );
        must(!runs, 'RUNNING was published');
        if (!statusesOf(session, id).includes('PENDING')) throw new Deviation(provisioning);
      },
    },
    {
      id: 'U15',
      sentence: 'publishes RUNNING also for a container whose entry point exits at once',
      source: status,
      needs: '--nats',
      async run(session) {
        const image = { reference: 'docker.io/library/busybox:latest' };
        const id = await start(session, { image, process: { command: ['false'] } });
        await mustReach(session, id, ['RUNNING'], waitsMs.running);
      },
    },
    {
      id: 'U16',
      sentence: 'publishes DELETED, TERMINATED or STOPPED within 30 seconds after a DELETE',
      source: status,
      needs: '--nats',
      async run(session) {
        const { events, deletedAt } = await session.lifetime();
        const end = events.find((event) => over.includes(statusOf(event) ?? ''));
        must(end !== undefined, 'no end was published');
        const tookMs = end.at - deletedAt;
        must(tookMs <= waitsMs.deleted, `the end was published after ${Math.round(tookMs / 1_000)} s`);
      },
    },
    {
      id: 'U17',
      sentence:
        'publishes the end of a container that is deleted after NATS was restarted, within 60 seconds',
      source: `${status} (NATS resilience)`,
      needs: '--restart-nats',
      async run(session) {
        const { outside, provider } = session;
        if (outside?.restartNats === undefined) throw new Skipped('needs --restart-nats COMMAND');
        const id = await start(session);
        await mustReach(session, id, ['RUNNING'], waitsMs.running);
        await outside.restartNats();
        await provider.remove(id);
        await mustReach(session, id, over, waitsMs.deletedAfterOutage);
      },
    },
    {
      id: 'U18',
      sentence: 'publishes the statuses of three containers that are created together, each under its own id',
      source: `${status} (concurrent containers)`,
      needs: '--nats',
      async run(session) {
        await session.specimen();
        const ids = await Promise.all([start(session), start(session), start(session)]);
        must(new Set(ids).size === ids.length, 'two of them have one id');
        for (const id of ids) {
          const others = ids.filter((one) => one !== id);
          await mustReach(session, id, [...starting, 'RUNNING'], waitsMs.running);
          const mixed = eventsOf(session, id).find(({ payload }) =>
            others.some((other) => payload.includes(other)),
          );
          must(mixed === undefined, `an event of ${id} names another one: ${mixed?.payload.slice(0, 200)}`);
        }
      },
    },
    {
      id: 'U19',
      sentence:
        'runs in DCM’s control plane within 120 seconds, never goes back, and its row is removed within 60 seconds after a delete',
      source: 'utilities tests/e2e/api_instances_test.go',
      caller: 'old control plane',
      needs: '--control-plane',
      run: (session) => liveInControlPlane(session),
    },
    {
      id: 'U20',
      sentence:
        'publishes another status than RUNNING within 30 seconds after a container was stopped outside DCM',
      source: `${status} (scaled to zero)`,
      needs: '--stop-outside',
      async run(session) {
        const { outside, eventually } = session;
        if (outside?.stop === undefined) throw new Skipped('needs --stop-outside COMMAND');
        const id = await start(session);
        await mustReach(session, id, ['RUNNING'], waitsMs.running);
        await outside.stop(id);
        const isTold = await eventually(() => statusesOf(session, id).at(-1) !== 'RUNNING', waitsMs.stopped);
        must(isTold, 'its last status is RUNNING');
      },
    },
  ],
};

const Row = z.object({ id: z.string(), status: z.string() });
const Rows = z.object({ providers: z.array(z.object({ name: z.string(), service_type: z.string() })) });

const liveInControlPlane = async (session: Session): Promise<void> => {
  const { controlPlane, eventually, specOf, newId, pause } = session;
  if (controlPlane === undefined) throw new Skipped('needs --control-plane URL');
  const call = async (method: string, path: string, body?: object) => {
    const response = await session.fetch(new URL(`/api/v1alpha1/${path}`, controlPlane), {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
    return { status: response.status, json, text };
  };
  const registered = Rows.safeParse((await call('GET', 'providers')).json).data?.providers ?? [];
  const provider = registered.find((one) => one.service_type === 'container');
  must(provider !== undefined, 'the control plane has no provider of containers');

  const id = newId();
  const json = { provider_name: provider.name, spec: specOf(id) };
  const created = await call('POST', `service-type-instances?id=${id}`, json);
  must(created.status === 201, `the create was answered ${created.status}: ${created.text.slice(0, 200)}`);
  const row = async () => Row.safeParse((await call('GET', `service-type-instances/${id}`)).json).data;
  const first = (await row())?.status ?? '';
  must(first !== '', 'its row has no status');
  const runs = async () => (await row())?.status.toUpperCase() === 'RUNNING';
  must(await eventually(runs, waitsMs.rowRuns), `its row is ${(await row())?.status}, not RUNNING`);
  await pause(2_000);
  must(await runs(), `its row went from RUNNING to ${(await row())?.status}`);
  const deleted = await call('DELETE', `service-type-instances/${id}`);
  must(deleted.status === 204, `the delete was answered ${deleted.status}`);
  const isGone = async () => (await call('GET', `service-type-instances/${id}`)).status === 404;
  must(await eventually(isGone, waitsMs.rowGone), 'its row is still there');
};
