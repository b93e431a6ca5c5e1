import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { controlPlaneClient, dcmUser, olderDcmUser } from '../../local/demo/dcm-user.ts';
import { dcmStory } from '../../local/demo/dcm-vm-scenario.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import { provider, silentRegion } from '../../local/stack/options.ts';
import { untilNextSecond } from './next-second.ts';
import { type TestStack, testStack } from './stack.ts';
import { instancesOf, newVmId } from './vm-instances.ts';

const soon = 60_000;

describe('a VM', () => {
  let stack: TestStack;
  let api: ReturnType<typeof providerApiClient>;
  beforeAll(async () => {
    stack = await testStack({ healthIntervalMs: 500, generation: 'old' });
    api = providerApiClient(stack.endpoints);
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  const status = (vmId: string) => expect.poll(async () => (await api.get(vmId)).status, { timeout: soon });

  it('is created, read, stopped, started and deleted with the token', async () => {
    const vmId = newVmId();
    const created = await api.create(vmId, vmSpec('direct'));
    expect(created).toMatchObject({ id: vmId, path: `vms/${vmId}`, status: 'PROVISIONING' });
    await status(vmId).toBe('RUNNING');
    expect((await api.list()).results.map(({ id }) => id)).toContain(vmId);

    await untilNextSecond();
    await api.change(vmId, 'stop');
    await status(vmId).toBe('STOPPED');
    await untilNextSecond();
    await api.change(vmId, 'start');
    await status(vmId).toBe('RUNNING');
    await api.delete(vmId);

    await expect
      .poll(() => instancesOf(stack, vmId).map(({ state }) => state), { timeout: soon })
      .toEqual(['terminated']);
    await api.delete(vmId);
  });

  it('is nobody’s to touch without the token', async () => {
    const url = `${stack.endpoints.providerApiUrl}/api/v1alpha1/vms`;

    const answers = await Promise.all([
      fetch(url),
      fetch(`${url}?id=vm-1`, { method: 'POST' }),
      fetch(`${url}/health`),
    ]);

    expect(answers.map(({ status: code }) => code)).toEqual([401, 401, 200]);
  });

  it('is one instance, however often and at once DCM asks for it', async () => {
    const vmId = newVmId();

    const answers = await Promise.all(Array.from({ length: 50 }, () => api.create(vmId, vmSpec('parallel'))));

    expect(instancesOf(stack, vmId)).toHaveLength(1);
    expect(new Set(answers.map(({ id, instance_id }) => `${id} ${instance_id}`)).size).toBe(1);
  });

  it('is created though EC2 throttles half of its calls', async () => {
    const vmId = newVmId();
    stack.ec2?.faults({ throttle: 0.5 });
    try {
      await api.create(vmId, vmSpec('throttled'));
    } finally {
      stack.ec2?.faults({ throttle: 0 });
    }

    expect(instancesOf(stack, vmId)).toHaveLength(1);
    await status(vmId).toBe('RUNNING');
  });

  it('lives through an older DCM as its user sees it', async () => {
    const controlPlane = controlPlaneClient(stack.endpoints.controlPlaneUrl);

    await dcmStory({ dcm: olderDcmUser(controlPlane, provider), providerApi: api, say: () => undefined });
  });

  it('of another region is created where its provider’s row says', async () => {
    const controlPlane = controlPlaneClient(stack.endpoints.controlPlaneUrl);
    const name = `${provider}-${silentRegion}`;
    await controlPlane.isReady(name, soon);

    const { id } = await controlPlane.create({ provider: name, spec: vmSpec('elsewhere') });

    expect(instancesOf(stack, id)).toMatchObject([{ region: silentRegion }]);
    await controlPlane.reaches(id, 'running', 60_000);
  });

  it('can be created again once DCM has lost all that it knew and the provider has registered anew', async () => {
    const controlPlane = controlPlaneClient(stack.endpoints.controlPlaneUrl);
    await stack.controlPlane.forget();
    expect(await controlPlane.providers()).toEqual([]);

    await stack.lambda.invoke(`${provider}-registration`, { do: 'keep-registered' });

    const names = (await controlPlane.providers()).map((one) => one.name);
    expect(names.toSorted()).toEqual([provider, `${provider}-${silentRegion}`]);
    await controlPlane.isReady(provider, soon);
    const { id } = await controlPlane.create({ provider, spec: vmSpec('after-restore') });
    await controlPlane.reaches(id, 'running', soon);
  });
});

describe('a VM, where DCM skips what it has no row for and EC2 is faster than any answer', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await testStack({ strict: true, dwellMs: { pending: 0, stopping: 100, 'shutting-down': 100 } });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('lives through DCM all the same', async () => {
    const { controlPlaneUrl, agentUrl = '' } = stack.endpoints;

    await dcmStory({
      dcm: dcmUser({ controlPlaneUrl, agentUrl, provider }),
      providerApi: providerApiClient(stack.endpoints),
      say: () => undefined,
    });
  });
});
