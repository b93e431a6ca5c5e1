import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { controlPlaneClient, dcmUser, olderDcmUser } from '../../local/demo/dcm-user.ts';
import { runDcmVmScenario } from '../../local/demo/dcm-vm-scenario.ts';
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

  const status = (dcmId: string) => expect.poll(async () => (await api.get(dcmId)).status, { timeout: soon });

  it('is created, read, stopped, started and deleted with the token', async () => {
    const dcmId = newVmId();
    const created = await api.create(dcmId, vmSpec('direct'));
    expect(created).toMatchObject({ id: dcmId, path: `vms/${dcmId}`, status: 'PROVISIONING' });
    await status(dcmId).toBe('RUNNING');
    expect((await api.list()).results.map(({ id }) => id)).toContain(dcmId);

    await untilNextSecond();
    await api.change(dcmId, 'stop');
    await status(dcmId).toBe('STOPPED');
    await untilNextSecond();
    await api.change(dcmId, 'start');
    await status(dcmId).toBe('RUNNING');
    await api.delete(dcmId);

    await expect
      .poll(() => instancesOf(stack, dcmId).map(({ state }) => state), { timeout: soon })
      .toEqual(['terminated']);
    await api.delete(dcmId);
  });

  it('is deleted without another request after the function was killed in the middle of the delete (CC 33)', async () => {
    const dcmId = newVmId();
    await api.create(dcmId, vmSpec('killed'));
    await status(dcmId).toBe('RUNNING');
    stack.ec2?.faults({ throttle: 1 });
    try {
      const deletion = api.delete(dcmId).catch(() => undefined);
      await status(dcmId).toBe('DELETING');
      stack.lambda.kill(`${provider}-provider-api`);
      await deletion;
    } finally {
      stack.ec2?.faults({ throttle: 0 });
    }
    expect(instancesOf(stack, dcmId)).toMatchObject([{ state: 'running' }]);

    await stack.controlPlane.waitFor(dcmId, 'deleted', 90_000);

    expect(instancesOf(stack, dcmId)).toMatchObject([{ state: 'terminated' }]);
  }, 120_000);

  it('cannot be read or changed without the token', async () => {
    const url = `${stack.endpoints.providerApiUrl}/api/v1alpha1/vms`;

    const answers = await Promise.all([
      fetch(url),
      fetch(`${url}?id=vm-1`, { method: 'POST' }),
      fetch(`${url}/health`),
    ]);

    expect(answers.map(({ status: code }) => code)).toEqual([401, 401, 200]);
  });

  it('is one instance, however many concurrent creates DCM sends', async () => {
    const dcmId = newVmId();

    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.create(dcmId, vmSpec('parallel'))),
    );

    expect(instancesOf(stack, dcmId)).toHaveLength(1);
    expect(new Set(answers.map(({ id, instance_id }) => `${id} ${instance_id}`)).size).toBe(1);
  });

  it('is created though EC2 throttles half of its calls', async () => {
    const dcmId = newVmId();
    stack.ec2?.faults({ throttle: 0.5 });
    try {
      await api.create(dcmId, vmSpec('throttled'));
    } finally {
      stack.ec2?.faults({ throttle: 0 });
    }

    expect(instancesOf(stack, dcmId)).toHaveLength(1);
    await status(dcmId).toBe('RUNNING');
  });

  it('goes through its life in an older DCM', async () => {
    const controlPlane = controlPlaneClient(stack.endpoints.controlPlaneUrl);

    await runDcmVmScenario({
      dcm: olderDcmUser(controlPlane, provider),
      providerApi: api,
      print: () => undefined,
    });
  });

  it('of another region is created in the region of its provider', async () => {
    const controlPlane = controlPlaneClient(stack.endpoints.controlPlaneUrl);
    const name = `${provider}-${silentRegion}`;
    await controlPlane.isReady(name, soon);

    const { id } = await controlPlane.create({ provider: name, spec: vmSpec('elsewhere') });

    expect(instancesOf(stack, id)).toMatchObject([{ region: silentRegion }]);
    await controlPlane.reaches(id, 'running', 60_000);
  });

  it('can be created again after DCM has lost its database and the provider has registered again', async () => {
    const controlPlane = controlPlaneClient(stack.endpoints.controlPlaneUrl);
    await stack.controlPlane.forget();
    expect(await controlPlane.providers()).toEqual([]);

    await stack.lambda.invoke(`${provider}-registration`, { do: 'keep-registered' });

    const vms = (await controlPlane.providers()).filter((one) => one.service_type === 'vm');
    const names = vms.map((one) => one.name);
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

  it('goes through its life in DCM', async () => {
    const { controlPlaneUrl, agentUrl = '' } = stack.endpoints;

    await runDcmVmScenario({
      dcm: dcmUser({ controlPlaneUrl, agentUrl, provider }),
      providerApi: providerApiClient(stack.endpoints),
      print: () => undefined,
    });
  });
});
