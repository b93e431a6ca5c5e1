import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { policyOf } from '../../../local/demo/catalog-item.ts';
import { resource, startTodaysDcm, type TodaysDcm, vm } from './control-plane.ts';

const referring = (resource: string) => `\${${resource}.ip[0].address}`;

const times = { pendingMs: 400, queuedMs: 400, sweepMs: 100, cleanupMs: 300, heartbeatMs: 60_000 };

describe('today’s control plane', () => {
  let dcm: TodaysDcm;
  beforeAll(async () => {
    dcm = await startTodaysDcm({ strict: true });
  });
  afterAll(() => dcm[Symbol.asyncDispose]());
  beforeEach(() => dcm.controlPlane.forget());

  const row = (id: string) => dcm.controlPlane.row(id);
  const statusOf = (id: string) => expect.poll(async () => (await row(id))?.status);
  const kinds = async () => (await dcm.requests('a-1')).map(({ type, data }) => [type, data.resource_id]);
  /** What was requested of a resource, oldest first. */
  const requestsFor = async (id: string) =>
    (await kinds()).flatMap(([type, resource]) => (resource === id ? [type] : []));

  describe('agents', () => {
    it('registers an agent by its name, and again', async () => {
      expect(await dcm.agent('a-1')).toMatchObject({ status: 201, body: { health_status: 'ready' } });

      const again = await dcm.agent('a-1', { service_types: [] });

      expect(again).toMatchObject({ status: 200, body: { name: 'a-1', service_types: [] } });
    });

    it('refuses a topic that another agent has, and what does not fit the schema', async () => {
      await dcm.agent('a-1');

      const taken = await dcm.agent('a-2', { topic_name: 'dcm.agent.a-1' });
      const unfit = await dcm.agent('a-3', { topic_name: 'elsewhere' });

      expect(taken).toMatchObject({
        status: 409,
        body: { type: 'conflict', title: 'Agent already registered' },
      });
      expect(unfit.status).toBe(400);
      expect(unfit.type).toContain('text/plain');
      expect(unfit.body).toMatch(/^request body has an error: .*AgentRegistrationRequest.*"\/topic_name"/);
    });

    it('finds one that is behind congested, and lists agents by health in pages', async () => {
      const { body } = await dcm.agent('a-1');
      await dcm.agent('a-2');
      const id = String(Object(body).agent_id);
      const beat = { consumer_lag: 100, timestamp: new Date(Date.now() + 1_000).toISOString() };

      const congested = await dcm.call('PUT', `/agents/${id}/heartbeat`, beat);
      const stale = await dcm.call('PUT', `/agents/${id}/heartbeat`, { ...beat, consumer_lag: 0 });
      const ready = await dcm.call('GET', '/agents?health_status=ready');
      const page = await dcm.call('GET', '/agents?max_page_size=1');
      const rest = await dcm.call('GET', `/agents?page_token=${Object(page.body).next_page_token}`);

      expect([congested, stale].map((one) => Object(one.body).health_status)).toEqual([
        'congested',
        'congested',
      ]);
      expect(ready.body).toMatchObject({ agents: [{ name: 'a-2' }] });
      expect([page.body, rest.body]).toMatchObject([
        { agents: [{ name: 'a-1' }] },
        { agents: [{ name: 'a-2' }] },
      ]);
    });

    it('answers an unknown agent and an unreadable page token with problems', async () => {
      const heartbeat = { consumer_lag: 0, timestamp: '2026-08-22T10:30:00Z' };

      expect(await dcm.call('PUT', '/agents/nobody/heartbeat', heartbeat)).toMatchObject({
        status: 404,
        body: { type: 'not-found', title: 'Agent not found', detail: 'agent not found' },
      });
      expect(await dcm.call('GET', '/agents?page_token=%21')).toMatchObject({
        status: 400,
        body: { type: 'validation-error', detail: 'invalid page_token' },
      });
    });
  });

  describe('over HTTP', () => {
    it('answers health with the state of its database and of NATS', async () => {
      expect(await dcm.call('GET', '/health')).toMatchObject({
        status: 200,
        body: { status: 'ok', path: '/api/v1alpha1/health', checks: { database: 'ok', nats: 'ok' } },
      });
      expect((await fetch(`${dcm.controlPlane.url}/health`)).status).toBe(404);
    });

    it('has no API of providers', async () => {
      expect(await dcm.call('POST', '/providers', { name: 'ec2-sp' })).toMatchObject({
        status: 404,
        body: 'no matching operation was found\n',
      });
    });

    it('refuses to create an instance directly, because a request cannot name the agent', async () => {
      await dcm.agent('a-1');

      const response = await dcm.call('POST', '/service-type-instances', { spec: { service_type: 'vm' } });

      expect(response).toMatchObject({
        status: 400,
        type: 'application/problem+json',
        body: { type: 'validation-error', detail: 'agent_name is required and must not be empty' },
      });
    });

    it('answers the get of a malformed id with the validator’s text, and of an unknown one with a problem', async () => {
      expect(await dcm.call('GET', '/service-type-instances/-nope-')).toMatchObject({
        status: 400,
        body: expect.stringMatching(/^parameter "instanceId" in path has an error: .*regular expression/),
      });
      expect(await dcm.call('GET', '/service-type-instances/nope')).toMatchObject({
        status: 404,
        body: { type: 'not-found', title: 'Instance not found', detail: 'instance nope not found' },
      });
    });

    it('answers the first page of instances for an invalid page token, and refuses one of the catalog', async () => {
      expect(await dcm.call('GET', '/service-type-instances?page_token=%21')).toMatchObject({
        status: 200,
        body: { instances: [] },
      });
      expect(await dcm.call('GET', '/catalog-items?page_token=%21')).toMatchObject({
        status: 400,
        body: { type: 'INVALID_ARGUMENT', title: 'Bad Request', status: 400 },
      });
    });
  });

  describe('the catalog', () => {
    it('makes a spec of zero values, the item’s defaults and the user’s values, and publishes it', async () => {
      await dcm.agent('a-1');

      const ordered = await dcm.order(
        [vm('web')],
        [{ resource: 'web', path: 'metadata.name', value: 'web-7' }],
      );

      const [id = ''] = ordered.resource_ids ?? [];
      const [request] = (await dcm.requests('a-1')).slice(-1);
      expect(ordered.status).toBe(201);
      expect(request).toMatchObject({
        type: 'dcm.request.create',
        data: { resource_id: id, service_type: 'vm' },
      });
      expect(request?.data.spec).toEqual({
        ...{ service_type: 'vm', vcpu: { count: 2 }, memory: { size: '4GB' }, metadata: { name: 'web-7' } },
        ...{ storage: { disks: null }, guest_os: { type: '' }, access: {}, ip: [] },
      });
      expect(await dcm.call('GET', `/service-type-instances/${id}`)).toMatchObject({
        status: 200,
        body: { id, path: `service-type-instances/${id}`, agent_name: 'a-1', status: 'pending' },
      });
    });

    it.each([
      {
        what: 'a field that may not be edited',
        value: { path: 'memory.size', value: '8GB' },
        why: 'not editable',
      },
      { what: 'a field that is not there', value: { path: 'gpu.count', value: 1 }, why: 'path not found' },
      {
        what: 'a value that the schema refuses',
        value: { path: 'vcpu.count', value: 99 },
        why: 'validation failed',
      },
    ])('refuses $what', async ({ value, why }) => {
      await dcm.agent('a-1');

      const ordered = await dcm.order([vm('web')], [{ resource: 'web', ...value }]);

      expect(ordered).toMatchObject({ status: 400, body: { type: 'INVALID_ARGUMENT' } });
      expect(Object(ordered.body).detail).toContain(why);
    });

    it.each([
      { what: 'a cycle', resources: [vm('a', ['b']), vm('b', ['a'])], why: 'cycle' },
      { what: 'a need that is not there', resources: [vm('a', ['b'])], why: 'unknown resource' },
      { what: 'the same name twice', resources: [vm('a'), vm('a')], why: 'duplicate' },
    ])('refuses an item with $what', async ({ resources, why }) => {
      const item = { api_version: 'v1alpha1', display_name: 'an item', spec: { resources } };

      const { status, body } = await dcm.call('POST', '/catalog-items', item);

      expect([status, Object(body).detail]).toEqual([400, expect.stringContaining(why)]);
    });

    it('refuses a reference to a resource that is not required first', async () => {
      await dcm.agent('a-1');
      const label = { path: 'metadata.labels.peer', default: referring('web') };

      const ordered = await dcm.order([vm('web'), vm('app', [], [label])]);

      expect(ordered).toMatchObject({ status: 400, body: { type: 'INVALID_ARGUMENT' } });
      expect(Object(ordered.body).detail).toContain('must be listed in requires_resources');
    });

    it('answers 424 where no agent serves the type, and stores nothing', async () => {
      await dcm.agent('a-1', { service_types: ['container'] });

      const ordered = await dcm.order([vm('web')]);

      expect(ordered).toMatchObject({ status: 424, body: { title: 'Policy Dependency' } });
      expect(await dcm.call('GET', '/catalog-item-instances')).toMatchObject({ body: { results: [] } });
    });

    it('assigns a resource to the agent that a policy names as a constant, and answers 406 where a policy rejects', async () => {
      await dcm.agent('a-1');
      await dcm.agent('a-2');
      const policy = (rego: string) =>
        dcm.call('POST', '/policies', {
          ...{ display_name: 'choose', policy_type: 'GLOBAL', rego_code: `package p\n\nmain := ${rego}` },
        });
      await policy('{"selected_agent": "a-2"}');

      const chosen = await dcm.order([vm('web')]);
      await policy('{"rejected": true}');
      const rejected = await dcm.order([vm('web')]);

      expect(await row(chosen.resource_ids?.[0] ?? '')).toMatchObject({ agentName: 'a-2' });
      expect(rejected).toMatchObject({ status: 406, body: { title: 'Policy Rejected' } });
    });

    it('evaluates a policy with a label selector for resources with these labels only', async () => {
      await dcm.agent('laptop');
      await dcm.agent('laptop-prod');
      for (const policy of [policyOf('laptop'), policyOf('laptop-prod', 'prod')])
        await dcm.call('POST', '/policies', policy);
      const inAccount = (alias: string) => [{ path: 'metadata.labels.account', default: alias }];

      const orders = await Promise.all([
        dcm.order([vm('web')]),
        dcm.order([vm('web', [], inAccount('test'))]),
        dcm.order([vm('web', [], inAccount('prod'))]),
      ]);

      const agents = orders.map(async ({ resource_ids: [id = ''] = [] }) => (await row(id))?.agentName);
      expect(await Promise.all(agents)).toEqual(['laptop', 'laptop', 'laptop-prod']);
    });
  });

  describe('a run of three levels', () => {
    const label = (resource: string) => ({ path: 'metadata.labels.peer', default: referring(resource) });
    const levels = [vm('web'), vm('app', ['web'], [label('web')]), vm('lb', ['app', 'web'], [label('app')])];
    const ordered = async () => {
      await dcm.agent('a-1');
      const { uid = '', run_id: runId = '', resource_ids: ids = [] } = await dcm.order(levels);
      const [web = '', app = '', lb = ''] = ids;
      return { uid, runId, web, app, lb };
    };
    const specOf = async (id: string) =>
      (await dcm.requests('a-1')).find(({ data }) => data.resource_id === id)?.data.spec;

    it('is created level by level with the outputs of the level before, and deleted in reverse order', async () => {
      const { uid, runId, web, app, lb } = await ordered();
      expect(await requestsFor(app)).toEqual([]);

      await dcm.running(web, '10.0.0.7');
      await statusOf(app).toBe('pending');
      expect(await specOf(app)).toMatchObject({ metadata: { labels: { peer: '10.0.0.7' } } });
      expect(await requestsFor(lb)).toEqual([]);
      await dcm.running(app, '10.0.0.8');
      await statusOf(lb).toBe('pending');
      expect(await specOf(lb)).toMatchObject({ metadata: { labels: { peer: '10.0.0.8' } } });
      await dcm.running(lb, '10.0.0.9');
      await statusOf(lb).toBe('running');

      expect(await dcm.call('DELETE', `/catalog-item-instances/${uid}`)).toMatchObject({ status: 204 });
      for (const [id, next] of [
        [lb, app],
        [app, web],
      ] as const) {
        await expect.poll(() => requestsFor(id)).toEqual(['dcm.request.create', 'dcm.request.delete']);
        expect(await requestsFor(next)).toEqual(['dcm.request.create']);
        await dcm.answer('deletion-acknowledged', id);
        await expect.poll(() => row(id)).toBeUndefined();
      }
      await dcm.answer('deletion-acknowledged', web);
      await expect.poll(() => dcm.controlPlane.run(runId)).toEqual([]);
      expect(await dcm.controlPlane.rows()).toEqual([]);
    });

    it('does not continue where a referenced output is missing, even when RUNNING with the output follows', async () => {
      const { web, app, runId } = await ordered();

      await dcm.running(web);
      await statusOf(web).toBe('running');
      await dcm.running(web, '10.0.0.7');
      await expect
        .poll(async () => (await row(web))?.outputSpec)
        .toMatchObject({ ip: [{ address: '10.0.0.7' }] });

      expect(await row(app)).toBeUndefined();
      expect(await dcm.controlPlane.run(runId)).toMatchObject([
        { name: 'web' },
        { name: 'app', status: 'PROVISIONING' },
        {},
      ]);
      expect(dcm.lines.join()).toContain('CEL dependency "web" is not ready');
    });

    it('keeps the outputs where an event has none, and replaces them where it has some', async () => {
      const { web } = await ordered();
      await dcm.running(web, '10.0.0.7');

      await dcm.running(web);
      await dcm.provider.report(web, 'STOPPED');
      await statusOf(web).toBe('stopped');
      expect((await row(web))?.outputSpec).toMatchObject({ ip: [{ address: '10.0.0.7' }] });
      await dcm.running(web, '10.0.0.8');

      await expect
        .poll(async () => (await row(web))?.outputSpec)
        .toMatchObject({ ip: [{ address: '10.0.0.8' }] });
    });

    it('continues where RUNNING is published again', async () => {
      const { web, app } = await ordered();
      await dcm.running(web, '10.0.0.7');
      await statusOf(app).toBe('pending');

      await dcm.running(web, '10.0.0.7');
      await dcm.running(app, '10.0.0.8');
      await statusOf(app).toBe('running');

      expect(await requestsFor(app)).toEqual(['dcm.request.create']);
    });

    it('is deleted with every resource when one is FAILED, even after it ran', async () => {
      const { web, app, lb, runId } = await ordered();
      await dcm.running(web, '10.0.0.7');
      await statusOf(app).toBe('pending');

      await dcm.provider.report(web, 'FAILED');

      await expect.poll(() => requestsFor(app)).toContain('dcm.request.delete');
      await dcm.answer('deletion-acknowledged', app);
      await expect.poll(() => requestsFor(web)).toContain('dcm.request.delete');
      await dcm.answer('deletion-acknowledged', web);
      await expect.poll(() => dcm.controlPlane.run(runId)).toEqual([]);
      expect(await requestsFor(lb)).toEqual([]);
    });

    it('keeps the others when one is DELETED unexpectedly', async () => {
      const { web, app, runId } = await ordered();
      await dcm.running(web, '10.0.0.7');
      await statusOf(app).toBe('pending');

      await dcm.provider.report(app, 'DELETED');
      await statusOf(app).toBe('deleted');

      expect(await dcm.controlPlane.run(runId)).toMatchObject([
        { name: 'web', status: 'RUNNING' },
        { name: 'app', status: 'DELETED' },
        { name: 'lb', status: 'PENDING' },
      ]);
      expect(await requestsFor(web)).toEqual(['dcm.request.create']);
    });

    it('is rehydrated as another run with new ids, and the old one is deleted', async () => {
      const { uid, web } = await ordered();

      const { status, body } = await dcm.call('POST', `/catalog-item-instances/${uid}:rehydrate`);

      const ids: string[] = Object(body).resource_ids;
      expect(status).toBe(200);
      expect(ids).toHaveLength(3);
      expect(ids).not.toContain(web);
      expect(await requestsFor(ids[0] ?? '')).toEqual(['dcm.request.create']);
      expect(await requestsFor(web)).toEqual(['dcm.request.create', 'dcm.request.delete']);
    });
  });

  describe('an agent’s answers', () => {
    const created = async () => {
      await dcm.agent('a-1');
      const [id = ''] = (await dcm.order([vm('web')])).resource_ids ?? [];
      return id;
    };

    it("change the row's status, each only from the statuses that allow it", async () => {
      const id = await created();
      await dcm.answer('request-queued', id);
      await statusOf(id).toBe('queued');
      await dcm.answer('creation-acknowledged', id);
      await statusOf(id).toBe('provisioning');

      await dcm.running(id, '10.0.0.7');
      await statusOf(id).toBe('running');
      await dcm.answer('creation-acknowledged', id);
      await dcm.answer('error', id);
      await dcm.provider.report(id, 'STOPPED');

      await statusOf(id).toBe('stopped');
    });

    it('are ignored where they come from another agent', async () => {
      const id = await created();

      await dcm.answer('creation-acknowledged', id, 'a-2');
      await dcm.answer('request-queued', id);

      await statusOf(id).toBe('queued');
    });

    it('with an error set the row to failed, and do not call placement', async () => {
      await dcm.agent('a-1');
      const { resource_ids: [id = ''] = [], run_id: runId = '' } = await dcm.order([vm('web')]);

      await dcm.answer('error', id);
      await statusOf(id).toBe('failed');

      expect(await dcm.controlPlane.run(runId)).toMatchObject([{ status: 'PENDING' }]);
    });

    it('of a deletion are ignored where no deletion was requested', async () => {
      const id = await created();

      await dcm.answer('deletion-acknowledged', id);
      await dcm.answer('creation-acknowledged', id);

      await statusOf(id).toBe('provisioning');
    });

    it('of a deletion leave a deleted row where a status had overwritten `deleting`', async () => {
      const id = await created();
      await dcm.call('DELETE', `/service-type-instances/${id}`);
      await dcm.provider.report(id, 'STOPPING');
      await statusOf(id).toBe('stopping');

      await dcm.answer('deletion-acknowledged', id);

      await expect.poll(async () => (await row(id))?.deletionStatus).toBe('DELETED');
      expect(await dcm.call('GET', `/service-type-instances/${id}`)).toMatchObject({ status: 404 });
      expect(await dcm.call('GET', `/service-type-instances/${id}?show_deleted=true`)).toMatchObject({
        body: { status: 'stopping', deletion_status: 'DELETED' },
      });
    });

    it('that cannot be read are discarded', async () => {
      const id = await created();

      await dcm.answer('creation-acknowledged', '');
      await dcm.answer('creation-acknowledged', id);

      await statusOf(id).toBe('provisioning');
    });
  });

  describe('containers and clusters', () => {
    const types = { service_types: ['vm', 'container', 'cluster'] };

    it.each([
      {
        serviceType: 'container',
        zeroValues: {
          image: { reference: '' },
          resources: { cpu: { max: '', min: '' }, memory: { max: '', min: '' } },
          ...{ process: {}, network: {}, endpoints: [] },
        },
      },
      {
        serviceType: 'cluster',
        zeroValues: { version: '', api_endpoint: '', console_url: '', kubeconfig: '' },
      },
    ])(
      'are ordered with the zero values of their type: $serviceType',
      async ({ serviceType, zeroValues }) => {
        await dcm.agent('a-1', types);

        const { resource_ids: [id = ''] = [] } = await dcm.order([resource(serviceType, 'one')]);

        const request = (await dcm.requests('a-1')).find(({ data }) => data.resource_id === id);
        expect(request?.data).toMatchObject({ service_type: serviceType });
        expect(request?.data.spec).toEqual({ service_type: serviceType, ...zeroValues });
      },
    );

    it.each(['container', 'cluster'])(
      'get the statuses of their own subject: dcm.%s',
      async (serviceType) => {
        await dcm.agent('a-1', types);
        const { resource_ids: [id = ''] = [] } = await dcm.order([resource(serviceType, 'one')]);

        await dcm.report(serviceType, id, 'SUCCEEDED');

        await statusOf(id).toBe('succeeded');
        expect(await dcm.call('GET', `/service-type-instances?service_type=${serviceType}`)).toMatchObject({
          body: { instances: [{ id, status: 'succeeded' }] },
        });
      },
    );

    it('have the next resource of a run created with the endpoints of a container that runs', async () => {
      await dcm.agent('a-1', types);
      const label = { 'metadata.labels.db': `\${db.endpoints[0].address}` };
      const { resource_ids: [db = '', app = ''] = [] } = await dcm.order([
        resource('container', 'db'),
        resource('container', 'app', ['db'], label),
      ]);

      await dcm.report('container', db, 'RUNNING', {
        endpoints: [{ address: '10.0.0.7', port: 5432, scope: 'internal' }],
      });
      await statusOf(app).toBe('pending');

      const request = (await dcm.requests('a-1')).find(({ data }) => data.resource_id === app);
      expect(request?.data.spec).toMatchObject({ metadata: { labels: { db: '10.0.0.7' } } });
    });

    it('do not have the next resource of a run created when a cluster is ACTIVE, which DCM does not know', async () => {
      await dcm.agent('a-1', types);
      const { run_id: runId = '', resource_ids: [cluster = ''] = [] } = await dcm.order([
        resource('cluster', 'kube'),
        resource('container', 'app', ['kube']),
      ]);

      await dcm.report('cluster', cluster, 'ACTIVE', { api_endpoint: 'https://kube' });
      await statusOf(cluster).toBe('active');

      expect(await row(cluster)).toMatchObject({ outputSpec: { api_endpoint: 'https://kube' } });
      expect((await dcm.controlPlane.run(runId)).map(({ status }) => status)).toEqual(['PENDING', 'PENDING']);
    });
  });

  it('drops outputs that are no object, as DCM’s consumer does', async () => {
    await dcm.provider.publish(
      JSON.stringify({
        specversion: '1.0',
        id: 'odd',
        source: 'x',
        type: 'y',
        data: { id: 'vm', status: 'RUNNING', output_spec: [] },
      }),
    );

    await expect
      .poll(() => dcm.controlPlane.history().at(-1))
      .toMatchObject({ outcome: 'dropped', reason: expect.stringContaining('record') });
  });
});

describe('today’s control plane, after timeouts', () => {
  let dcm: TodaysDcm;
  beforeAll(async () => {
    dcm = await startTodaysDcm({ strict: true, times });
  });
  afterAll(() => dcm[Symbol.asyncDispose]());
  beforeEach(() => dcm.controlPlane.forget());

  const row = (id: string) => dcm.controlPlane.row(id);
  const typesFor = async (agent: string, id: string, subject?: string) =>
    (await dcm.requests(agent, subject)).flatMap(({ type, data }) => (data.resource_id === id ? [type] : []));

  it('reassigns a pending create to another agent, without cancelling it at the first', async () => {
    await dcm.agent('a-1');
    const [id = ''] = (await dcm.order([vm('web')])).resource_ids ?? [];
    await dcm.agent('a-2');

    await expect.poll(() => typesFor('a-2', id)).toEqual(['dcm.request.create']);

    expect(await row(id)).toMatchObject({ agentName: 'a-2', status: 'pending' });
    expect(await typesFor('a-1', id)).toEqual(['dcm.request.create']);
    expect(await typesFor('a-1', id, 'dcm.agent.a-1.cancel')).toEqual([]);
    await dcm.answer('creation-acknowledged', id, 'a-1');
    await dcm.answer('creation-acknowledged', id, 'a-2');
    await expect.poll(async () => (await row(id))?.status).toBe('provisioning');
  });

  it('cancels a queued create at its agent, and reassigns it', async () => {
    await dcm.agent('a-1');
    const [id = ''] = (await dcm.order([vm('web')])).resource_ids ?? [];
    await dcm.answer('request-queued', id);
    await dcm.agent('a-2');

    await expect.poll(() => typesFor('a-2', id)).toEqual(['dcm.request.create']);

    expect(await typesFor('a-1', id, 'dcm.agent.a-1.cancel')).toEqual(['dcm.request.cancel']);
  });

  it('publishes a delete to the first agent where that could no longer cancel', async () => {
    await dcm.agent('a-1');
    const [id = ''] = (await dcm.order([vm('web')])).resource_ids ?? [];
    await dcm.answer('request-queued', id);
    await expect.poll(async () => (await row(id))?.status).toBe('queued');

    await dcm.answer('cancel-rejected', id);

    await expect.poll(async () => (await row(id))?.status).toBe('pending_deletion');
    await expect.poll(() => typesFor('a-1', id)).toContain('dcm.request.delete');
  });

  it('fails the row where there is no other agent after three attempts', async () => {
    await dcm.agent('a-1');
    const [id = ''] = (await dcm.order([vm('web')])).resource_ids ?? [];

    await expect.poll(async () => (await row(id))?.status).toBe('failed');

    expect(await row(id)).toMatchObject({ message: 'retries exhausted', retryCount: 4 });
  });

  it('creates a container that is PENDING a second time, and leaves one that is PROVISIONING', async () => {
    const types = { service_types: ['container'] };
    await dcm.agent('a-1', types);
    const [slow = ''] = (await dcm.order([resource('container', 'slow')])).resource_ids ?? [];
    const [told = ''] = (await dcm.order([resource('container', 'told')])).resource_ids ?? [];
    for (const id of [slow, told]) await dcm.answer('creation-acknowledged', id);
    for (const id of [slow, told])
      await expect.poll(async () => (await row(id))?.status).toBe('provisioning');
    await dcm.agent('a-2', types);

    await dcm.report('container', slow, 'PENDING');
    await dcm.report('container', told, 'PROVISIONING');

    await expect.poll(() => typesFor('a-2', slow)).toEqual(['dcm.request.create']);
    expect(await typesFor('a-2', told)).toEqual([]);
    expect(await row(told)).toMatchObject({ agentName: 'a-1', status: 'provisioning' });
  });

  it('publishes a delete again until the agent acknowledges it', async () => {
    await dcm.agent('a-1');
    const [id = ''] = (await dcm.order([vm('web')])).resource_ids ?? [];
    await dcm.answer('creation-acknowledged', id);

    await dcm.call('DELETE', `/service-type-instances/${id}`);
    const deletes = async () =>
      (await typesFor('a-1', id)).filter((type) => type === 'dcm.request.delete').length;
    await expect.poll(deletes).toBeGreaterThanOrEqual(3);
    await dcm.answer('deletion-acknowledged', id);

    await expect.poll(() => row(id)).toBeUndefined();
  });
});
