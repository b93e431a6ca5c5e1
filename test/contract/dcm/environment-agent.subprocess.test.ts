import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEnvironmentAgent } from '../../../local/emulators/dcm/environment-agent/start.ts';
import { audience, issuer } from '../../unit/adapters/issuer.ts';
import { startTestNats } from '../nats.ts';
import { temporaryFolder } from '../older-control-plane/dcm.ts';
import { scriptedProvider } from '../older-control-plane/provider.ts';
import { type AgentAlone, describeEachAgent, startAgentAlone } from './environment-agents.ts';

const registration = (changes: object = {}) => ({
  ...{ name: 'ec2-sp', endpoint: 'http://127.0.0.1:9/api/v1alpha1/vms', service_type: 'vm' },
  ...{ schema_version: 'v1alpha1', ...changes },
});

describeEachAgent(
  (title) => `environment agent, ${title}, registering`,
  (subject) => {
    let agent: AgentAlone;
    beforeAll(async () => {
      agent = await startAgentAlone(subject, { embedded: ['network'] });
      await agent.call('POST', '/providers?id=ec2-1', registration());
      await agent.call(
        'POST',
        '/providers?id=s-1',
        registration({ name: 'storage-sp', service_type: 'storage' }),
      );
    });
    afterAll(() => agent[Symbol.asyncDispose]());

    it('answers 201 to a new provider, and 200 to the same one again or changed', async () => {
      const container = registration({ name: 'c-sp', service_type: 'container' });

      const first = await agent.call('POST', '/providers', container);
      const again = await agent.call('POST', '/providers', container);
      const changed = await agent.call('POST', '/providers', { ...container, display_name: 'Containers' });

      expect([first, again, changed].map(({ status }) => status)).toEqual([201, 200, 200]);
      expect(changed.body).toMatchObject({
        ...{ name: 'c-sp', type: 'external', status: 'Unhealthy', display_name: 'Containers' },
        ...{ id: Object(first.body).id, path: `providers/${Object(first.body).id}` },
      });
    });

    it('ignores blanks around a name', async () => {
      const { status, body } = await agent.call('POST', '/providers', registration({ name: ' ec2-sp ' }));

      expect(status).toBe(200);
      expect(body).toMatchObject({ id: 'ec2-1', name: 'ec2-sp' });
    });

    it.each([
      { what: 'no endpoint', change: { endpoint: undefined }, status: 400, says: 'endpoint' },
      { what: 'a name that is no text', change: { name: 7 }, status: 400, says: 'name' },
      { what: 'a read-only field', change: { status: 'Ready' }, status: 400, says: 'status' },
      {
        what: 'a total_cpu that is no text',
        change: { metadata: { resources: { total_cpu: 2 } } },
        status: 400,
        says: 'total_cpu',
      },
      { what: 'a blank name', change: { name: ' ' }, status: 422, says: 'invalid name' },
      {
        what: 'a blank service type',
        change: { service_type: ' ' },
        status: 422,
        says: 'invalid service_type',
      },
      {
        what: 'another form of version',
        change: { schema_version: '1.0' },
        status: 422,
        says: 'invalid schema_version',
      },
      {
        what: 'another scheme',
        change: { endpoint: 'ftp://host/vms' },
        status: 422,
        says: 'invalid endpoint',
      },
      { what: 'a query', change: { endpoint: 'http://host/vms?a=b' }, status: 422, says: 'invalid endpoint' },
      {
        what: 'a type that another has',
        change: { name: 'other' },
        status: 409,
        says: "service type 'vm' is already served by provider 'ec2-sp'",
      },
      {
        what: 'a type that it serves itself',
        change: { name: 'other', service_type: 'network' },
        status: 409,
        says: "already served by provider 'network'",
      },
      {
        what: 'a move to a type that another has',
        change: { service_type: 'storage' },
        status: 409,
        says: "already served by provider 'storage-sp'",
      },
    ])('answers $status to $what', async ({ change, status, says }) => {
      const response = await agent.call('POST', '/providers', registration(change));

      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.body).toMatchObject({
        ...{
          type: { 400: 'INVALID_ARGUMENT', 409: 'CONFLICT', 422: 'UNPROCESSABLE_ENTITY' }[status],
          status,
        },
        ...{ detail: expect.stringContaining(says), instance: '/api/v1alpha1/providers' },
      });
    });

    it.each([
      {
        what: 'another id for a name',
        id: 'ec2-2',
        change: {},
        status: 409,
        says: "already exists with ID 'ec2-1'",
      },
      {
        what: 'an id that another has',
        id: 's-1',
        change: { name: 'new', service_type: 'x' },
        status: 409,
        says: "already used by provider 'storage-sp'",
      },
      {
        what: 'an id that cannot be one',
        id: 'No',
        change: { name: 'new', service_type: 'x' },
        status: 422,
        says: 'invalid id',
      },
    ])('answers $status to $what', async ({ id, change, status, says }) => {
      const response = await agent.call('POST', `/providers?id=${id}`, registration(change));

      expect(response).toMatchObject({ status, body: { detail: expect.stringContaining(says) } });
    });

    it('answers 400 to a body that is not JSON', async () => {
      expect(await agent.call('POST', '/providers', 'nonsense')).toMatchObject({
        status: 400,
        body: { type: 'INVALID_ARGUMENT' },
      });
    });

    it('lists its providers, embedded ones too, and finds one by its id', async () => {
      const { body } = await agent.call('GET', '/providers');

      expect(Object(body).results).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ id: 'ec2-1', type: 'external' }),
          expect.objectContaining({ name: 'network', type: 'embedded', status: 'Ready' }),
        ]),
      );
      expect(await agent.call('GET', '/providers/ec2-1')).toMatchObject({
        status: 200,
        body: { name: 'ec2-sp' },
      });
      expect(await agent.call('GET', '/providers/nobody')).toMatchObject({
        status: 404,
        body: { type: 'NOT_FOUND', detail: "provider 'nobody' not found" },
      });
    });

    it('has no way to end a registration', async () => {
      const response = await agent.call('DELETE', '/providers/ec2-1');

      expect(response).toMatchObject({ status: 400, body: { type: 'INVALID_ARGUMENT' } });
      expect(await agent.call('GET', '/providers/ec2-1')).toMatchObject({ status: 200 });
    });

    it('registers its service types at the control plane', async () => {
      await expect
        .poll(() => agent.registrations.at(-1))
        .toMatchObject({
          name: 'a-1',
          topic_name: 'dcm.agent.a-1',
          service_types: expect.arrayContaining(['vm', 'storage']),
        });
    });
  },
);

describeEachAgent(
  (title) => `environment agent, ${title}, forwarding`,
  (subject) => {
    let agent: AgentAlone;
    let provider: Awaited<ReturnType<typeof scriptedProvider>>;
    beforeAll(async () => {
      agent = await startAgentAlone(subject);
      provider = await scriptedProvider();
      await agent.call('POST', '/providers', registration({ endpoint: provider.endpoint }));
    });
    afterAll(async () => {
      await agent[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    });
    beforeEach(() => provider.answers(() => ({ status: 201 })));
    const askedOf = (id: string) =>
      [...provider.asked('POST'), ...provider.asked('DELETE')].filter(
        ({ body, url }) => body.includes(`"${id}"`) || url.endsWith(`/${id}`),
      );
    const outcomes = (id: string) => expect.poll(() => agent.outcomesOf(id));

    it('sends a create with the bare spec, without an id, and with the request’s id as Idempotency-Key', async () => {
      await agent.publish('create', 'vm-1', { id: 'request-1' });

      await outcomes('vm-1').toEqual(['creation-acknowledged']);
      expect(askedOf('vm-1')).toMatchObject([
        {
          ...{ method: 'POST', url: '/api/v1alpha1/vms' },
          headers: { 'content-type': 'application/json', 'idempotency-key': 'request-1' },
          body: JSON.stringify({ service_type: 'vm', metadata: { name: 'vm-1' } }),
        },
      ]);
      expect(askedOf('vm-1')[0]?.headers).not.toHaveProperty('authorization');
      expect(await agent.answersOf('vm-1')).toMatchObject([
        { data: { agent_name: 'a-1', topic_name: 'dcm.agent.a-1', status: 'PROVISIONING' } },
      ]);
    });

    it('calls a delete by the resource’s id', async () => {
      await agent.publish('delete', 'vm-2', { id: 'request-2' });

      await outcomes('vm-2').toEqual(['deletion-acknowledged']);
      expect(askedOf('vm-2')).toMatchObject([
        { url: '/api/v1alpha1/vms/vm-2', headers: { 'idempotency-key': 'request-2' }, body: '' },
      ]);
    });

    it('calls the provider of the request’s service type', async () => {
      await using containers = await scriptedProvider();
      const endpoint = `${containers.url}/api/v1alpha1/containers`;
      await agent.call(
        ...(['POST', '/providers'] as const),
        registration({ name: 'ec2-sp-container', endpoint, service_type: 'container' }),
      );

      await agent.publish('create', 'container-1', { serviceType: 'container' });
      await agent.publish('create', 'vm-0');

      await outcomes('container-1').toEqual(['creation-acknowledged']);
      await outcomes('vm-0').toEqual(['creation-acknowledged']);
      expect(containers.asked('POST').map(({ url }) => url)).toEqual(['/api/v1alpha1/containers']);
      expect(askedOf('vm-0').map(({ url }) => url)).toEqual(['/api/v1alpha1/vms']);
      expect(askedOf('container-1')).toEqual([]);
    });

    it.each([
      { answer: 200, attempts: 1, create: 'creation-acknowledged', remove: 'deletion-acknowledged' },
      { answer: 204, attempts: 1, create: 'creation-acknowledged', remove: 'deletion-acknowledged' },
      ...[400, 404, 408, 409, 422].map((answer) => ({
        ...{ answer, attempts: 1, create: 'NON_RETRYABLE_SP_ERROR', remove: 'NON_RETRYABLE_SP_ERROR' },
      })),
      ...[429, 500, 503].map((answer) => ({
        ...{ answer, attempts: 3, create: 'RETRY_EXHAUSTED', remove: 'RETRY_EXHAUSTED' },
      })),
    ])(
      'makes $attempts attempt(s) where the provider answers $answer',
      async ({ answer, attempts, create, remove }) => {
        provider.answers(() => ({ status: answer }));
        const [created, deleted] = [`vm-c${answer}`, `vm-d${answer}`];

        await agent.publish('create', created);
        await agent.publish('delete', deleted);

        await outcomes(created).toEqual([create]);
        await outcomes(deleted).toEqual([remove]);
        expect([askedOf(created), askedOf(deleted)].map((asked) => asked.length)).toEqual([
          attempts,
          attempts,
        ]);
      },
    );

    it('retries with the same key until an answer comes', async () => {
      provider.answers(() => (askedOf('vm-3').length < 3 ? 'nothing' : { status: 201 }));

      await agent.publish('create', 'vm-3', { id: 'request-3' });

      await outcomes('vm-3').toEqual(['creation-acknowledged']);
      expect(askedOf('vm-3').map(({ headers }) => headers['idempotency-key'])).toEqual([
        'request-3',
        'request-3',
        'request-3',
      ]);
    });

    it('redelivers a request that takes too long, with the same key', async () => {
      let isFirst = true;
      provider.answers(async () => {
        if (isFirst) await delay(4_000);
        isFirst = false;
        return { status: 201 };
      });

      await agent.publish('create', 'vm-4', { id: 'request-4' });

      await outcomes('vm-4').toEqual(['creation-acknowledged']);
      expect(new Set(askedOf('vm-4').map(({ headers }) => headers['idempotency-key']))).toEqual(
        new Set(['request-4']),
      );
      expect(askedOf('vm-4').length).toBeGreaterThan(1);
    });

    it('refuses a service type without a provider, and a request without an id', async () => {
      await agent.publish('create', 'vm-5', { serviceType: 'database' });
      await agent.publish('create', '');

      await outcomes('vm-5').toEqual(['UNSUPPORTED_SERVICE_TYPE']);
      await outcomes('').toEqual(['INVALID_PAYLOAD']);
    });

    it('drops messages that are not requests, and continues', async () => {
      await agent.publishRaw('nonsense');
      await agent.publish('create', 'vm-6');

      await outcomes('vm-6').toEqual(['creation-acknowledged']);
    });

    it('acknowledges a request, which removes it, only when the provider has answered', async () => {
      await expect.poll(() => agent.waiting()).toBe(0);
      let waitingMeanwhile: number | undefined;
      provider.answers(async () => {
        waitingMeanwhile = await agent.waiting();
        return { status: 201 };
      });

      await agent.publish('create', 'vm-7');

      await outcomes('vm-7').toEqual(['creation-acknowledged']);
      expect(waitingMeanwhile).toBe(1);
      await expect.poll(() => agent.waiting()).toBe(0);
    });

    it('drops a create that was cancelled before it came, once', async () => {
      await agent.publish('cancel', 'vm-8');
      await outcomes('vm-8').toEqual(['cancel-acknowledged']);

      await agent.publish('create', 'vm-8');
      await agent.publish('create', 'vm-9');
      await outcomes('vm-9').toEqual(['creation-acknowledged']);
      expect(askedOf('vm-8')).toEqual([]);
      await agent.publish('create', 'vm-8');

      await outcomes('vm-8').toEqual(['cancel-acknowledged', 'creation-acknowledged']);
    });

    it('rejects a cancel that comes after its create was forwarded', async () => {
      await agent.publish('create', 'vm-10');
      await outcomes('vm-10').toEqual(['creation-acknowledged']);

      await agent.publish('cancel', 'vm-10');
      await outcomes('vm-10').toEqual(['creation-acknowledged', 'cancel-rejected']);
      await agent.publish('delete', 'vm-10');

      await outcomes('vm-10').toEqual(['creation-acknowledged', 'cancel-rejected', 'deletion-acknowledged']);
    });
  },
);

describeEachAgent(
  (title) => `environment agent, ${title}, by the health of a provider`,
  (subject) => {
    let agent: AgentAlone;
    let provider: Awaited<ReturnType<typeof scriptedProvider>>;
    const healthy = { status: 200, body: { status: 'Healthy' } };
    const unhealthy = { status: 200, body: { status: 'unhealthy' } };
    beforeAll(async () => {
      agent = await startAgentAlone(subject);
    });
    afterAll(() => agent[Symbol.asyncDispose]());
    beforeEach(async () => {
      provider = await scriptedProvider();
      provider.isHealthy(healthy);
      await agent.call('POST', '/providers', registration({ endpoint: provider.endpoint }));
      return async () => provider[Symbol.asyncDispose]();
    });
    const status = () =>
      expect.poll(async () => Object((await agent.call('GET', '/providers')).body).results[0].status);
    const outcomes = (id: string) => expect.poll(() => agent.outcomesOf(id));
    const created = () => provider.asked('POST').map(({ headers }) => headers['idempotency-key']);

    it('is Ready at once, whatever the case of the answer', async () => {
      await status().toBe('Ready');
    });

    it('holds the requests of an unhealthy provider unchanged, and forwards them later in order with their own keys', async () => {
      provider.isHealthy(unhealthy);
      await status().toBe('Unhealthy');
      const ids = ['vm-1', 'vm-2', 'vm-3'];
      const requests: string[] = [];
      for (const id of ids) requests.push(await agent.publish('create', id, { id: `request-${id}` }));

      for (const id of ids) await outcomes(id).toEqual(['request-queued']);
      expect(await agent.held()).toEqual(requests);
      expect(created()).toEqual([]);
      await expect.poll(() => agent.waiting()).toBe(0);
      provider.isHealthy(healthy);

      for (const id of ids) await outcomes(id).toEqual(['request-queued', 'creation-acknowledged']);
      expect(created()).toEqual(['request-vm-1', 'request-vm-2', 'request-vm-3']);
      await expect.poll(async () => (await agent.answersOf('vm-1')).length).toBe(2);
    });

    it('answers a create and a delete that are held together by one deletion, and forwards neither', async () => {
      provider.isHealthy(unhealthy);
      await status().toBe('Unhealthy');
      await agent.publish('create', 'vm-pair');
      await agent.publish('delete', 'vm-pair');
      await outcomes('vm-pair').toEqual(['request-queued', 'request-queued']);
      provider.isHealthy(healthy);

      await outcomes('vm-pair').toEqual(['request-queued', 'request-queued', 'deletion-acknowledged']);
      expect(created()).toEqual([]);
      expect((await agent.answersOf('vm-pair')).at(-1)).toMatchObject({ data: { status: 'DELETED' } });
    });

    it('removes a held create that is cancelled', async () => {
      provider.isHealthy(unhealthy);
      await status().toBe('Unhealthy');
      await agent.publish('create', 'vm-late');
      await outcomes('vm-late').toEqual(['request-queued']);

      await agent.publish('cancel', 'vm-late');
      await outcomes('vm-late').toEqual(['request-queued', 'cancel-acknowledged']);
      provider.isHealthy(healthy);
      await status().toBe('Ready');

      expect(created()).toEqual([]);
    });

    it('refuses held and new requests of a provider that fails three times, and registers without its type until it is healthy', async () => {
      provider.isHealthy(unhealthy);
      await status().toBe('Unhealthy');
      await agent.publish('create', 'vm-held');
      await outcomes('vm-held').toEqual(['request-queued']);
      provider.isHealthy({ status: 200, body: { status: 'ok' } });

      await status().toBe('Unavailable');
      await outcomes('vm-held').toEqual(['request-queued', 'SP_UNAVAILABLE']);
      await agent.publish('create', 'vm-new');
      await outcomes('vm-new').toEqual(['SP_UNAVAILABLE']);
      await expect.poll(() => agent.registrations.at(-1)).toMatchObject({ service_types: [] });
      provider.isHealthy(healthy);

      await status().toBe('Ready');
      await expect.poll(() => agent.registrations.at(-1)).toMatchObject({ service_types: ['vm'] });
    });

    it('counts every answer other than 200 as a failure', async () => {
      provider.isHealthy({ status: 202, body: { status: 'healthy' } });

      await status().toBe('Unavailable');
    });

    it('has its providers and held requests after a restart, without the cancelled ones', async () => {
      provider.isHealthy(unhealthy);
      await status().toBe('Unhealthy');
      await agent.publish('create', 'vm-over');
      await outcomes('vm-over').toEqual(['request-queued']);
      await agent.stop();
      await agent.publish('cancel', 'vm-denied');
      await agent.publish('create', 'vm-denied');
      await agent.publish('create', 'vm-meanwhile');
      provider.isHealthy(healthy);

      await agent.start();

      await status().toBe('Ready');
      await outcomes('vm-meanwhile').toEqual(['creation-acknowledged']);
      await outcomes('vm-over').toEqual(['request-queued', 'creation-acknowledged']);
      expect(await agent.outcomesOf('vm-denied')).toEqual([]);
      expect(provider.asked('POST').filter(({ body }) => body.includes('vm-denied'))).toEqual([]);
    });
  },
);

describe('environment agent that wants tokens', () => {
  it('answers 401 to everything but its health without a JWT of its issuer', async () => {
    await using nats = await startTestNats();
    await using folder = await temporaryFolder();
    await using identities = await issuer();
    const { url: natsUrl } = nats.server;
    const log = () => undefined;
    await using agent = await startEnvironmentAgent({
      ...{ name: 'a-1', natsUrl, controlPlaneUrl: 'http://127.0.0.1:9', log, issuer: identities.trust },
      persistencePath: `${folder.path}/registrations`,
    });
    const call = (path: string, token?: string) =>
      fetch(`${agent.url}/api/v1alpha1${path}`, {
        ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      });

    const refused = await call('/providers');
    const forged = await call('/providers', await identities.sign({ aud: 'somebody-else' }));
    const trusted = await call('/providers', await identities.sign({ aud: audience }));

    expect([refused, forged, trusted, await call('/health')].map(({ status }) => status)).toEqual([
      401, 401, 200, 200,
    ]);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(await refused.json()).toMatchObject({ type: 'UNAUTHORIZED', detail: 'invalid Bearer token' });
  });
});
