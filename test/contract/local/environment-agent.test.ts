import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRequest, deleteRequest } from '../../../local/parts/environment-agent/requests.ts';
import {
  type EnvironmentAgent,
  startEnvironmentAgent,
} from '../../../local/parts/environment-agent/start.ts';
import { type NatsServer, startNatsServer } from '../../../local/parts/nats-server/start-nats-server.ts';
import { scriptedProvider } from '../control-plane/provider.ts';

const spec = { service_type: 'vm', vcpu: { count: 2 } };

describe('environment agent', () => {
  let folder: string;
  let nats: NatsServer;
  let provider: Awaited<ReturnType<typeof scriptedProvider>>;
  let agent: EnvironmentAgent;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agent-'));
    nats = await startNatsServer({ storeDir: folder });
    provider = await scriptedProvider();
    const { endpoint } = provider;
    agent = await startEnvironmentAgent({ natsUrl: nats.url, endpoint, log: () => undefined });
  });
  afterAll(async () => {
    for (const part of [agent, provider, nats]) await part[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('hands a create on as the bare spec, known only by its Idempotency-Key', async () => {
    await agent.publish([createRequest({ resourceId: 'vm-1', serviceType: 'vm', spec }, 'request-1')]);

    await expect
      .poll(() => agent.forwarded())
      .toMatchObject([{ requestId: 'request-1', resourceId: 'vm-1', status: 201 }]);
    expect(provider.asked('POST')).toMatchObject([
      {
        url: '/api/v1alpha1/vms',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'request-1' },
        body: JSON.stringify(spec),
      },
    ]);
  });

  it('hands a delete on by the id of the resource', async () => {
    await agent.publish([deleteRequest({ resourceId: 'vm-1', serviceType: 'vm' }, 'request-2')]);

    await expect
      .poll(() => provider.asked('DELETE'))
      .toMatchObject([
        { url: '/api/v1alpha1/vms/vm-1', headers: { 'idempotency-key': 'request-2' }, body: '' },
      ]);
  });

  it('acknowledges a request, which removes it, only when the provider has answered', async () => {
    let waitingMeanwhile: number | undefined;
    provider.answers(async () => {
      waitingMeanwhile = await agent.waiting();
      return { status: 201 };
    });
    await expect.poll(() => agent.waiting()).toBe(0);

    await agent.publish([createRequest({ resourceId: 'vm-3', serviceType: 'vm', spec })]);

    await expect.poll(() => waitingMeanwhile).toBe(1);
    await expect.poll(() => agent.waiting()).toBe(0);
  });
});
