import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDcm } from './dcm.ts';
import { scriptedProvider } from './provider.ts';

const timeouts = { dispatchMs: 10_000, healthMs: 5_000, retryMs: 10, maximumRetryMs: 20 };

describe('control plane, watching the health of providers', () => {
  let dcm: Awaited<ReturnType<typeof startDcm>>;
  let provider: Awaited<ReturnType<typeof scriptedProvider>>;
  beforeAll(async () => {
    dcm = await startDcm({ timeouts, healthIntervalMs: 20 });
  });
  afterAll(() => dcm[Symbol.asyncDispose]());
  beforeEach(async () => {
    provider = await scriptedProvider();
    await dcm.controlPlane.forget();
    await register();
  });
  afterEach(() => provider[Symbol.asyncDispose]());

  const post = (path: string, body: unknown) =>
    fetch(`${dcm.controlPlane.url}/api/v1alpha1/${path}`, { method: 'POST', body: JSON.stringify(body) });
  const register = () =>
    post('providers', {
      name: 'ec2-sp',
      endpoint: `${provider.endpoint}/`,
      service_type: 'vm',
      schema_version: 'v1alpha1',
    });
  const becomes = (status: string) =>
    expect.poll(async () => (await dcm.controlPlane.providers())[0]?.status).toBe(status);

  it('requests health below the endpoint, with or without a trailing slash', async () => {
    await expect.poll(() => provider.healthChecks().length).toBeGreaterThan(1);

    expect(provider.healthChecks()[0]).toMatchObject({ method: 'GET', url: '/api/v1alpha1/vms/health' });
  });

  it.each([
    { what: 'says so', answer: { status: 200, body: { status: 'unhealthy' } }, becomes: 'unhealthy' },
    { what: 'says "ok"', answer: { status: 200, body: { status: 'ok' } }, becomes: 'unavailable' },
    { what: 'says "Healthy"', answer: { status: 200, body: { status: 'Healthy' } }, becomes: 'unavailable' },
    { what: 'answers 503', answer: { status: 503, body: { status: 'healthy' } }, becomes: 'unavailable' },
    { what: 'answers no JSON', answer: { status: 200, body: 'fine' }, becomes: 'unavailable' },
    { what: 'does not answer', answer: 'nothing' as const, becomes: 'unavailable' },
  ])('finds a provider that $what $becomes, has it create nothing, and ready again', async (row) => {
    provider.isHealthy(row.answer);
    await becomes(row.becomes);

    const refused = await post('service-type-instances', {
      provider_name: 'ec2-sp',
      spec: { service_type: 'vm' },
    });
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      detail: `provider 'ec2-sp' is not in ready state (current status: ${row.becomes})`,
    });
    expect(provider.asked('POST')).toEqual([]);

    provider.isHealthy({ status: 200, body: { status: 'healthy' } });
    await register(); // has it checked at once, and not when the back-off is over
    await becomes('ready');
  });
});
