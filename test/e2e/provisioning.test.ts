import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import type { Transition } from '../../local/demo/check-statuses.ts';
import { controlPlaneClient, dcmUser, olderDcmUser } from '../../local/demo/dcm-user.ts';
import { runDcmVmScenario } from '../../local/demo/dcm-vm-scenario.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import { provider, silentRegion } from '../../local/stack/options.ts';
import { untilNextSecond } from './next-second.ts';
import { type TestStack, testStack } from './stack.ts';
import { instancesOf, newVmId } from './vm-instances.ts';

const soon = 60_000;

const UsageAnswer = z.object({
  rows: z.array(
    z.object({
      ...{ dcm_id: z.string(), start_time: z.string(), end_time: z.string() },
      ...{ used_seconds: z.number(), billed_seconds: z.number() },
    }),
  ),
});

describe('a VM', () => {
  let stack: TestStack;
  let api: ReturnType<typeof providerApiClient>;
  const transitions: Transition[] = [];
  beforeAll(async () => {
    const onTransition = (one: Transition) => void transitions.push(one);
    stack = await testStack({ healthIntervalMs: 500, generation: 'old', onTransition });
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

  it('has its use in the ledger to the second, by EC2’s own history, also where the API has stopped and deleted it', async () => {
    const dcmId = newVmId();
    await api.create(dcmId, vmSpec('used'));
    await status(dcmId).toBe('RUNNING');
    await untilNextSecond();
    await api.change(dcmId, 'stop');
    await status(dcmId).toBe('STOPPED');
    await untilNextSecond();
    await api.change(dcmId, 'start');
    await status(dcmId).toBe('RUNNING');
    await untilNextSecond();
    await api.delete(dcmId);
    await stack.controlPlane.waitFor(dcmId, 'deleted', soon);

    const [instance] = instancesOf(stack, dcmId);
    const history = transitions.filter(({ instanceId }) => instanceId === instance?.instanceId);
    const second = (atMs: number) => Math.floor(atMs / 1000);
    const runs = history.flatMap(({ state, atMs }, index) => {
      const end = history[index + 1];
      return state === 'running' && end ? [[second(atMs), second(end.atMs)] as const] : [];
    });
    expect(runs).toHaveLength(2);
    const time = (at: number) => `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
    const read = async (format: string) => {
      const { providerApiUrl, providerApiToken } = stack.endpoints;
      const query = `from=${time((runs[0]?.[0] ?? 0) - 60)}&granularity=month&format=${format}`;
      const headers = { authorization: `Bearer ${providerApiToken}` };
      const answer = await fetch(`${providerApiUrl}/api/v1alpha1/usage?${query}`, { headers });
      return answer.text();
    };
    const csv = async (format: string) => {
      const [head = '', ...lines] = (await read(format)).trim().split('\r\n');
      const cell = /(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g;
      const rows = lines.map((line) => [...line.matchAll(cell)].map(([, quoted, plain]) => quoted ?? plain));
      return rows
        .map((row) => Object.fromEntries(head.split(',').map((name, index) => [name, row[index]])))
        .filter((row) => [row.dcm_id, row.x_DcmVmId].includes(dcmId));
    };

    const used = async () =>
      UsageAnswer.parse(JSON.parse(await read('json')))
        .rows.filter((row) => row.dcm_id === dcmId)
        .map((row) => [row.start_time, row.end_time, row.used_seconds, row.billed_seconds]);
    await expect
      .poll(used, { timeout: soon })
      .toEqual(runs.map(([from, until]) => [time(from), time(until), until - from, 60]));
    expect(await csv('csv')).toMatchObject(
      runs.map(([from, until]) => ({ start_time: time(from), end_time: time(until), ended: 'true' })),
    );
    expect(await csv('focus')).toMatchObject(
      runs.map(([from, until]) => ({
        ...{ ChargePeriodStart: time(from), ChargePeriodEnd: time(until) },
        ...{ ConsumedQuantity: `${until - from}.0`, PricingQuantity: '0.0166666667', ChargeClass: '' },
        ...{ ResourceId: instance?.instanceId, PricingCategory: 'Standard' },
      })),
    );
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
