import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { vmLifecycle } from '../../../functions/provider-api/service-types/vm.ts';
import { startEnvironmentAgent } from '../../../local/emulators/dcm/environment-agent/start.ts';
import { serve } from '../../../local/processes/loopback.ts';
import { natsAgentRequests } from '../../../shared/adapters/nats/agent-requests.ts';
import { natsLink } from '../../../shared/adapters/nats/connection.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { memoryEc2 } from '../../fakes/memory-ec2.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { launchPlan } from '../../fixtures/launches.ts';
import { health, servedApi } from '../../unit/provider-api/http/served-api.ts';
import { providerParts } from '../../unit/provider-api/provider.ts';
import { startTodaysDcm } from './control-plane.ts';
import { type AgentAlone, describeEachAgent, startAgentAlone } from './environment-agents.ts';

/** The provider's API with its own look-up among the requests on JetStream; EC2 and the table are in memory, on the real clock. */
const startProvider = async (natsUrl: string) => {
  const now = Date.now;
  const ec2 = memoryEc2(now);
  const parts = {
    ...providerParts().parts,
    ...{
      records: memoryVmRecords(now),
      resourceStore: memoryResourceStore(now),
      actions: ec2,
      instances: ec2,
      now,
    },
    plan: async (_: unknown, { dcmId }: { readonly dcmId: string }) => {
      const { tags } = launchPlan();
      return launchPlan({ tags: { ...tags, 'dcm-instance-id': dcmId } });
    },
    pause: (ms: number) => pause(ms),
  };
  const link = natsLink([natsUrl], async () => ({}));
  const { find } = natsAgentRequests(link, ['dcm-agent-requests', 'a-1-retry']);
  const state = { isHealthy: true, outages: 0 };
  const answers: { readonly key: string | null; readonly status: number }[] = [];
  const { create, delete: remove } = vmLifecycle(parts);
  const { ask } = servedApi({
    useCases: {
      vm: { create, delete: remove },
      checkHealth: async () => ({ ...health, status: state.isHealthy ? 'healthy' : 'unhealthy' }),
      findRequest: async (key) => {
        state.outages -= 1;
        if (state.outages >= 0) throw new UnavailableError('NATS is away');
        return find(key);
      },
    },
  });
  const server = await serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = Object.fromEntries(request.headers);
    const body = await request.text();
    const response = await ask(request.method, `${pathname}${search}`, {
      headers: { ...headers, authorization: 'Bearer open-sesame' },
      ...(body !== '' && { body }),
    });
    answers.push({ key: request.headers.get('idempotency-key'), status: response.status });
    return response;
  });
  return {
    ...{ state, endpoint: `${server.url}/api/v1alpha1/vms` },
    answersTo: (key: string) => answers.filter((one) => one.key === key).map((one) => one.status),
    instancesOf: (dcmId: string) =>
      [...ec2.instances.values()].filter(({ tags }) => tags['dcm-instance-id'] === dcmId),
    /** As the agent sends a create. */
    create: (key: string, dcmId: string) =>
      fetch(`${server.url}/api/v1alpha1/vms`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ service_type: 'vm', metadata: { name: dcmId } }),
      }),
    remove: (dcmId: string) => fetch(`${server.url}/api/v1alpha1/vms/${dcmId}`, { method: 'DELETE' }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      link.abandon();
    },
  };
};

describeEachAgent(
  (title) => `creates by an environment agent, ${title}`,
  (subject) => {
    let agent: AgentAlone;
    let provider: Awaited<ReturnType<typeof startProvider>>;
    beforeAll(async () => {
      agent = await startAgentAlone(subject);
      provider = await startProvider(agent.natsUrl);
      await agent.call('POST', '/providers', {
        ...{ name: 'ec2-sp', endpoint: provider.endpoint, service_type: 'vm', schema_version: 'v1alpha1' },
      });
    });
    afterAll(async () => {
      await agent[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    });
    const status = () =>
      expect.poll(async () => Object((await agent.call('GET', '/providers')).body).results[0].status, {
        timeout: 10_000,
      });
    const outcomes = (id: string) => expect.poll(() => agent.outcomesOf(id), { timeout: 20_000 });
    beforeEach(async () => {
      Object.assign(provider.state, { isHealthy: true, outages: 0 });
      await status().toBe('Ready');
    });

    it('are one VM each, under the id of its resource, fifty of them at once', async () => {
      const dcmIds = Array.from({ length: 50 }, (_, n) => `vm-fifty-${n}`);
      await Promise.all(dcmIds.map((dcmId) => agent.publish('create', dcmId)));

      for (const dcmId of dcmIds) await outcomes(dcmId).toEqual(['creation-acknowledged']);

      expect(dcmIds.map((dcmId) => provider.instancesOf(dcmId).length)).toEqual(dcmIds.map(() => 1));
    });

    it('are retried where the request cannot be looked up, and are then one VM', async () => {
      provider.state.outages = 2;
      await agent.publish('create', 'vm-line');

      await outcomes('vm-line').toEqual(['creation-acknowledged']);

      expect(provider.instancesOf('vm-line')).toHaveLength(1);
    });

    it('are found after they waited on the retry stream, and after the agent was started again', async () => {
      provider.state.isHealthy = false;
      await status().toBe('Unhealthy');
      await agent.publish('create', 'vm-waited');
      await outcomes('vm-waited').toEqual(['request-queued']);
      await agent.stop();
      provider.state.isHealthy = true;

      await agent.start();

      await outcomes('vm-waited').toEqual(['request-queued', 'creation-acknowledged']);
      expect(provider.instancesOf('vm-waited')).toHaveLength(1);
    });

    it('are the same VM where the request is delivered again after its answer was lost', async () => {
      await agent.stop();
      await agent.publish('create', 'vm-again', { id: 'request-again' });
      const first = await provider.create('request-again', 'vm-again');

      await agent.start();

      await outcomes('vm-again').toEqual(['creation-acknowledged']);
      expect(first.status).toBe(201);
      expect(provider.instancesOf('vm-again')).toHaveLength(1);
    });

    it('are no VM where the delete overtakes the create that is delivered again', async () => {
      await agent.stop();
      await agent.publish('create', 'vm-overtaken', { id: 'request-overtaken' });
      const removed = await provider.remove('vm-overtaken');

      await agent.start();

      await expect.poll(() => provider.answersTo('request-overtaken'), { timeout: 20_000 }).toContain(409);
      expect(removed.status).toBe(204);
      expect(provider.instancesOf('vm-overtaken')).toEqual([]);
    });

    it('are no VM where create and delete wait together', async () => {
      provider.state.isHealthy = false;
      await status().toBe('Unhealthy');
      await agent.publish('create', 'vm-pair');
      await agent.publish('delete', 'vm-pair');
      await outcomes('vm-pair').toEqual(['request-queued', 'request-queued']);
      provider.state.isHealthy = true;

      await outcomes('vm-pair').toEqual(['request-queued', 'request-queued', 'deletion-acknowledged']);

      expect(provider.instancesOf('vm-pair')).toEqual([]);
    });

    it('are no VM where the create is cancelled while it waits', async () => {
      provider.state.isHealthy = false;
      await status().toBe('Unhealthy');
      await agent.publish('create', 'vm-cancelled');
      await outcomes('vm-cancelled').toEqual(['request-queued']);
      await agent.publish('cancel', 'vm-cancelled');
      await outcomes('vm-cancelled').toEqual(['request-queued', 'cancel-acknowledged']);
      provider.state.isHealthy = true;

      await status().toBe('Ready');

      expect(provider.instancesOf('vm-cancelled')).toEqual([]);
    });

    it('leave no second VM where the request is delivered again after the delete', async () => {
      await agent.publish('create', 'vm-gone', { id: 'request-gone' });
      await agent.publish('delete', 'vm-gone');
      await outcomes('vm-gone').toEqual(['creation-acknowledged', 'deletion-acknowledged']);
      await agent.stop();
      await agent.publish('create', 'vm-gone', { id: 'request-gone' });

      const again = await provider.create('request-gone', 'vm-gone');
      await agent.start();

      expect(again.status).toBe(409);
      expect(provider.instancesOf('vm-gone')).toHaveLength(1);
    });
  },
);

describe('a create that DCM has published', () => {
  it('leaves pending within seconds, so that the sweep gives it to no other agent', async () => {
    await using dcm = await startTodaysDcm({ times: { pendingMs: 4_000, sweepMs: 200 } });
    await using provider = await startProvider(dcm.nats.url);
    await using agent = await startEnvironmentAgent({
      ...{ name: 'a-1', natsUrl: dcm.nats.url, controlPlaneUrl: dcm.controlPlane.url, log: () => undefined },
    });
    await fetch(`${agent.url}/api/v1alpha1/providers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ name: 'ec2-sp', endpoint: provider.endpoint, service_type: 'vm', schema_version: 'v1alpha1' },
      }),
    });
    await expect.poll(async () => (await dcm.controlPlane.agents()).length, { timeout: 10_000 }).toBe(1);
    const fields = [{ path: 'vcpu.count', display_name: 'CPUs', editable: true, default: 2 }];
    const { resource_ids: [dcmId = ''] = [] } = await dcm.order([
      { name: 'web', service_type: 'vm', fields },
    ]);

    await expect
      .poll(async () => (await dcm.controlPlane.row(dcmId))?.status, { timeout: 4_000 })
      .toBe('provisioning');
    await pause(5_000); // longer than the sweep leaves a pending create alone

    expect(await dcm.controlPlane.row(dcmId)).toMatchObject({ status: 'provisioning', retryCount: 0 });
    expect(provider.instancesOf(dcmId)).toHaveLength(1);
  });
});
