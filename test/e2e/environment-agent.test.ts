import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { dcmUser } from '../../local/demo/dcm-user.ts';
import { runDcmVmScenario } from '../../local/demo/dcm-vm-scenario.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import { agentRequest, requestStream } from '../../local/emulators/dcm/control-plane/requests.ts';
import {
  type EnvironmentAgent,
  startEnvironmentAgent,
} from '../../local/emulators/dcm/environment-agent/start.ts';
import { agentName, provider } from '../../local/stack/options.ts';
import { startTestNats } from '../contract/nats.ts';
import { type TestStack, testStack, watchedStack } from './stack.ts';
import { instancesOf, newVmId } from './vm-instances.ts';

const soon = 60_000;
const topic = `dcm.agent.${agentName}`;

describe('an environment agent, whose creates carry no id', () => {
  let stack: TestStack;
  let agent: EnvironmentAgent;
  let nats: NatsConnection;
  beforeAll(async () => {
    stack = await testStack({ agentConcurrency: 50, healthIntervalMs: 500 });
    if (stack.agent === undefined) throw new Error('these tests need the emulated agent');
    agent = stack.agent;
    nats = await connect({ servers: stack.endpoints.natsUrl });
  });
  afterAll(async () => {
    await nats.close();
    await stack[Symbol.asyncDispose]();
  });

  const asked = (resourceId: string) =>
    agentRequest('create', topic, { resourceId, serviceType: 'vm', spec: vmSpec('from-agent') });
  const unasked = (resourceId: string) => agentRequest('delete', topic, { resourceId, serviceType: 'vm' });
  const publish = (requests: readonly ReturnType<typeof asked>[]) =>
    Promise.all(
      requests.map((one) => jetstream(nats).publish(topic, JSON.stringify(one), { msgID: one.id })),
    );
  const waiting = async () =>
    (await (await jetstreamManager(nats)).streams.info(requestStream)).state.messages;
  /** The last answer to each request, once each has one that the agent does not retry: 50 cold starts at once can time out. */
  const answered = async (requests: readonly { readonly id: string }[]) => {
    const answers = () =>
      requests.flatMap(({ id }) => agent.forwarded().findLast(({ requestId }) => requestId === id) ?? []);
    await expect
      .poll(() => answers().filter(({ status }) => status < 500).length, { timeout: soon })
      .toBe(requests.length);
    return answers();
  };

  it("runs the life of a VM that was ordered in DCM's catalog", async () => {
    const { controlPlaneUrl, agentUrl = '' } = stack.endpoints;

    await runDcmVmScenario({
      dcm: dcmUser({ controlPlaneUrl, agentUrl, provider }),
      providerApi: providerApiClient(stack.endpoints),
      print: () => undefined,
    });
  });

  it('creates fifty VMs at the same time, each under its own id', async () => {
    const dcmIds = Array.from({ length: 50 }, newVmId);
    const requests = dcmIds.map(asked);
    await publish(requests);

    const answers = await answered(requests);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(answers.map(({ body, resourceId }) => [JSON.parse(body).id, resourceId])).toEqual(
      answers.map(({ resourceId }) => [resourceId, resourceId]),
    );
    expect(dcmIds.map((dcmId) => instancesOf(stack, dcmId).length)).toEqual(dcmIds.map(() => 1));
    await expect.poll(() => waiting()).toBe(0);
  });

  it('deletes a VM by its id, twice', async () => {
    await providerStatus(stack.endpoints.agentUrl).toBe('Ready'); // fifty cold starts can delay the health checks until the agent refuses requests
    const dcmId = newVmId();
    const requests = [asked(dcmId), unasked(dcmId), unasked(dcmId)];
    const statuses: number[] = [];
    for (const request of requests) {
      await publish([request]);
      statuses.push(...(await answered([request])).map(({ status }) => status));
    }

    expect(statuses).toEqual([201, 204, 204]);
    await expect
      .poll(() => instancesOf(stack, dcmId).map(({ state }) => state), { timeout: soon })
      .toEqual(['terminated']);
  });

  it('creates one VM for two requests, as DCM’s sweeps send them', async () => {
    const dcmId = newVmId();
    const requests = [asked(dcmId), asked(dcmId)];
    await publish(requests);

    const answers = await answered(requests);

    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(instancesOf(stack, dcmId)).toHaveLength(1);
  });

  it('gets a precise error where its request no longer exists', async () => {
    const { providerApiUrl, providerApiToken } = stack.endpoints;
    const before = stack.ec2?.calls().RunInstances;

    const response = await fetch(`${providerApiUrl}/api/v1alpha1/vms`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${providerApiToken}`,
        'content-type': 'application/json',
        'idempotency-key': 'no-such-request',
      },
      body: JSON.stringify(vmSpec('lost')),
    });

    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('Idempotency-Key') });
    expect(stack.ec2?.calls().RunInstances).toBe(before);
  });

  it('creates a VM that was ordered while the provider was unhealthy, and the same VM for a repeated create with the same key', async () => {
    const { controlPlaneUrl, agentUrl = '' } = stack.endpoints;
    const dcm = dcmUser({ controlPlaneUrl, agentUrl, provider });
    stack.ec2?.faults({ refuse: { DescribeInstances: 'UnauthorizedOperation' } });
    await providerStatus(agentUrl).toBe('Unhealthy');

    const dcmId = await dcm.create(vmSpec('held'), newVmId());
    await dcm.reaches(dcmId, 'queued', soon);
    stack.ec2?.faults({ refuse: {} });

    await dcm.reaches(dcmId, 'running', soon);
    expect(agent.forwarded().filter(({ resourceId }) => resourceId === dcmId)).toMatchObject([
      { status: 201 },
    ]);
    expect(instancesOf(stack, dcmId)).toHaveLength(1);
  });
});

const Providers = z.object({ results: z.array(z.object({ status: z.string() })) });

const providerStatus = (agentUrl = '') =>
  expect.poll(
    async () => {
      const response = await fetch(`${agentUrl}/api/v1alpha1/providers`);
      return Providers.parse(await response.json()).results[0]?.status;
    },
    { timeout: soon },
  );

describe('npm start, where the provider cannot be registered', () => {
  it('prints once which provider has the service type at the agent', async () => {
    await using nats = await startTestNats();
    const { url: natsUrl } = nats.server;
    const log = () => undefined;
    await using other = await startEnvironmentAgent({
      ...{ name: 'other', natsUrl, controlPlaneUrl: 'http://127.0.0.1:9', embedded: ['vm'], log },
    });
    await using stack = await watchedStack({ natsUrl, agentUrl: `${other.url}/`, agentTopic: 'other' });

    expect(stack.said.filter((line) => line.startsWith('registration: ec2-sp'))).toEqual([
      "registration: ec2-sp is not registered (refused): HTTP 409: service type 'vm' is already served by provider 'vm'; that one is embedded in the agent: take vm out of its AGENT_EMBEDDED_SPS and restart it",
    ]);
    expect(stack.endpoints).toMatchObject({ agentUrl: other.url, controlPlaneUrl: '' });
  });
});
