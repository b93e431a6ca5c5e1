import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vmSpec } from '../../local/demo/dcm-vm.ts';
import { createRequest, deleteRequest } from '../../local/parts/environment-agent/requests.ts';
import { type EnvironmentAgent, startEnvironmentAgent } from '../../local/parts/environment-agent/start.ts';
import { type TestStack, testStack } from './stack.ts';
import { instancesOf, newVmId } from './vm-instances.ts';

const soon = 60_000;

describe('an environment agent, whose creates carry no id', () => {
  let stack: TestStack;
  let agent: EnvironmentAgent;
  beforeAll(async () => {
    stack = await testStack();
    const { natsUrl, providerApiUrl, providerApiToken } = stack.endpoints;
    const endpoint = `${providerApiUrl.replace('//', `//dcm:${providerApiToken}@`)}/api/v1alpha1/vms`;
    agent = await startEnvironmentAgent({
      natsUrl,
      endpoint,
      log: (line) => stack.said.push(`agent: ${line}`),
    });
  });
  afterAll(async () => {
    await agent[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  const asked = (resourceId: string) =>
    createRequest({ resourceId, serviceType: 'vm', spec: vmSpec('from-agent') });
  const answered = (requests: readonly { readonly id: string }[]) => {
    const ids = new Set(requests.map(({ id }) => id));
    const answers = () => agent.forwarded().filter(({ requestId }) => ids.has(requestId));
    return expect
      .poll(() => answers().length, { timeout: soon })
      .toBe(requests.length)
      .then(answers);
  };

  it('has fifty VMs created at once, each under its own id', async () => {
    const vmIds = Array.from({ length: 50 }, newVmId);
    const requests = vmIds.map(asked);
    await agent.publish(requests);

    const answers = await answered(requests);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(answers.map(({ body, resourceId }) => [JSON.parse(body).id, resourceId])).toEqual(
      answers.map(({ resourceId }) => [resourceId, resourceId]),
    );
    expect(vmIds.map((vmId) => instancesOf(stack, vmId).length)).toEqual(vmIds.map(() => 1));
    await expect.poll(() => agent.waiting()).toBe(0);
  });

  it('has a VM deleted by its id, and again', async () => {
    const vmId = newVmId();
    const requests = [
      asked(vmId),
      deleteRequest({ resourceId: vmId, serviceType: 'vm' }),
      deleteRequest({ resourceId: vmId, serviceType: 'vm' }),
    ];
    const statuses: number[] = [];
    for (const request of requests) {
      await agent.publish([request]);
      statuses.push(...(await answered([request])).map(({ status }) => status));
    }

    expect(statuses).toEqual([201, 204, 204]);
    await expect
      .poll(() => instancesOf(stack, vmId).map(({ state }) => state), { timeout: soon })
      .toEqual(['terminated']);
  });

  it('has one VM of two requests for it, as DCM’s sweeps send them', async () => {
    const vmId = newVmId();
    const requests = [asked(vmId), asked(vmId)];
    await agent.publish(requests);

    const answers = await answered(requests);

    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(instancesOf(stack, vmId)).toHaveLength(1);
  });

  it('is told precisely what is wrong where its request is not there any more', async () => {
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
});
