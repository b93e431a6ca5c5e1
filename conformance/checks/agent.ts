import { randomUUID } from 'node:crypto';
import type { Group } from '../check.ts';
import { statusOf } from '../lifetime.ts';
import { isMade, refusalOf } from '../open-session.ts';
import { must, Skipped } from '../outcome.ts';
import { type Answer, idOf } from '../provider.ts';
import type { Session, Spec } from '../session.ts';
import { allIds } from './pages.ts';
import { mustBeProblem } from './problem.ts';

const source = 'environment-agent internal/routing/forwarder.go (createExternal)';
const atOnce = 10;

/** Skips the check where the provider refuses every agent's create, which B3 reports. */
const needsAgentCreate = async ({ firstCreate }: Session): Promise<void> => {
  const attempt = await firstCreate('agent');
  if (!isMade(attempt))
    throw new Skipped(`needs an agent’s create that succeeds, and the first one ${refusalOf(attempt)}`);
};

/** @throws NotConforming where an agent's create did not create the resource that the request names. */
const mustHaveMade = async ({ provider }: Session, id: string, { status, json, text }: Answer) => {
  must(status < 300, `answered ${status}: ${text.slice(0, 200)}`);
  const made = idOf(json);
  const read = await provider.read(id);
  must(
    read.status === 200,
    made === undefined || made === id
      ? `GET of ${id} is answered ${read.status}`
      : `it made ${made}, not ${id}`,
  );
};

const publish = (
  { agentRequests, provider }: Session,
  request: Omit<Parameters<NonNullable<Session['agentRequests']>['publish']>[0], 'key'>,
) => {
  if (agentRequests === undefined) throw new Skipped('needs --nats URL');
  provider.remember(request.resourceId);
  const key = randomUUID();
  return agentRequests.publish({ key, ...request }).then(() => key);
};

export const agentChecks: Group = {
  title: 'Called by an environment agent',
  checks: [
    {
      id: 'B1',
      sentence: 'accepts the bare spec, not wrapped in "spec", as the body of a create',
      source,
      async run({ firstCreate }) {
        const attempt = await firstCreate('bare');
        must(isMade(attempt), refusalOf(attempt));
      },
    },
    {
      id: 'B2',
      sentence:
        'creates nothing for an agent’s create whose resource id it cannot find: 400, or 503 if it cannot search',
      source: `${source}: no id comes with it, and what DCM cannot name it cannot delete`,
      async run({ provider, spec }) {
        const answer = await provider.create(undefined, spec, {
          headers: { 'idempotency-key': randomUUID() },
        });
        must(answer.status >= 300, `it made ${idOf(answer.json)}, of which DCM will never know`);
        const status = answer.status === 503 ? 503 : 400;
        mustBeProblem(answer, status, 'a create with an Idempotency-Key of no request');
      },
    },
    {
      id: 'B3',
      sentence: 'finds the resource id of an agent’s create by its Idempotency-Key',
      source: `${source}: the key is the id of the request on dcm-agent-requests`,
      needs: '--nats',
      async run(session) {
        const attempt = await session.firstCreate('agent');
        must(attempt.answer !== undefined, refusalOf(attempt));
        await mustHaveMade(session, attempt.id, attempt.answer);
      },
    },
    {
      id: 'B4',
      sentence:
        'finds the resource id also if the agent has moved the request to its stream {topic}-retry, as it does while the provider is unhealthy',
      source: 'environment-agent .ai/specs/environment-agent.spec.md (§4.9, REQ-RCM-220)',
      needs: '--agent-topic',
      async run(session) {
        const { provider, newId, specOf } = session;
        await needsAgentCreate(session);
        const id = newId();
        const key = await publish(session, { resourceId: id, spec: specOf(id), on: 'retry' });
        const headers = { 'idempotency-key': key };
        await mustHaveMade(session, id, await provider.create(undefined, specOf(id), { headers }));
      },
    },
    {
      id: 'B5',
      sentence: 'creates one resource for ten simultaneous creates of an agent with one Idempotency-Key',
      source:
        'environment-agent .ai/specs/environment-agent.spec.md (REQ-RTE-131): in-line retries and redelivery keep the key',
      needs: '--nats',
      async run(session) {
        const { provider, newId, specOf } = session;
        await needsAgentCreate(session);
        const id = newId();
        const key = await publish(session, { resourceId: id, spec: specOf(id), on: 'requests' });
        const headers = { 'idempotency-key': key };
        const before = new Set(await allIds(provider));
        const answers = await Promise.all(
          Array.from({ length: atOnce }, () => provider.create(undefined, specOf(id), { headers })),
        );
        const refused = answers.find(({ status }) => status >= 300);
        must(refused === undefined, `one of them was answered ${refused?.status}`);
        const ids = new Set(answers.flatMap(({ json }) => idOf(json) ?? []));
        must(ids.size <= 1, `they were answered with ${ids.size} ids`);
        const times = (await allIds(provider)).filter((one) => one === id && !before.has(one)).length;
        must(times === 1, `the list has it ${times} times`);
      },
    },
    {
      id: 'B6',
      sentence:
        'never answers DELETE with 404, neither for an unknown id nor for a resource that is being deleted or was deleted',
      source:
        'environment-agent internal/routing/forwarder_test.go: 404 fails the request, and DCM’s resource stays',
      async run(session) {
        const { provider, newId, create, specimen, eventually } = session;
        const unknown = await remove(session, newId());
        must(unknown !== 404, 'DELETE of an unknown id was answered 404');
        await specimen();
        const wanted = newId();
        const id = idOf((await create(wanted)).json) ?? wanted;
        await provider.remove(id);
        const going = await remove(session, id);
        must(going !== 404, 'DELETE of a resource that is being deleted was answered 404');
        await eventually(async () => {
          const { status, text } = await provider.read(id);
          return status === 404 || /"status":\s*"DELETED"/.test(text);
        });
        const gone = await remove(session, id);
        must(gone !== 404, 'DELETE of a resource that is gone was answered 404');
      },
    },
    {
      id: 'B7',
      sentence: 'publishes FAILED for an agent’s create that it refuses permanently',
      source:
        'control-plane internal/sp/consumer/response_consumer.go: the agent’s error does not reach placement, and without FAILED the run never ends',
      needs: '--nats',
      async run(session) {
        const { provider, feed, newId, specOf, eventually } = session;
        if (feed === undefined) throw new Skipped('needs --nats URL');
        await needsAgentCreate(session);
        const id = newId();
        const spec = malformed(specOf(id));
        const key = await publish(session, { resourceId: id, spec, on: 'requests' });
        const { status } = await provider.create(undefined, spec, { headers: { 'idempotency-key': key } });
        must(status >= 400 && status < 500, `a malformed spec was answered ${status}, not 4xx`);
        const events = () => feed.received.filter(({ payload }) => payload.includes(id));
        const isPublished = await eventually(() => events().some((event) => statusOf(event) === 'FAILED'));
        must(isPublished, `the create was answered ${status}, and FAILED was not published in time`);
      },
    },
  ],
};

const remove = async ({ provider }: Session, id: string): Promise<number> =>
  (await provider.call('DELETE', { path: `/${id}`, headers: { 'idempotency-key': randomUUID() } })).status;

/** The spec with a text instead of each object, and an object instead of each text, which every provider must refuse. */
const malformed = (spec: Spec): Spec =>
  Object.fromEntries(
    Object.entries(spec).map(([name, value]) => {
      if (name === 'metadata' || name === 'service_type') return [name, value];
      return [name, typeof value === 'object' ? 'not an object' : { not: 'a text' }];
    }),
  );
