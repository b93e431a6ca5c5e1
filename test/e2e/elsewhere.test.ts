import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conformance } from '../../conformance/conformance.ts';
import { controlPlaneClient, olderDcmUser } from '../../local/demo/dcm-user.ts';
import { runDcmVmScenario } from '../../local/demo/dcm-vm-scenario.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import { startControlPlane } from '../../local/emulators/dcm/older-control-plane/start.ts';
import { disposables, type Use } from '../../local/processes/disposables.ts';
import { serve } from '../../local/processes/loopback.ts';
import { provider, silentRegion } from '../../local/stack/options.ts';
import { startTestNats } from '../contract/nats.ts';
import { checksOfOlderDcm, watchedStack } from './stack.ts';

/** Where DCM answers, before anything does: what answers there can change, the address cannot. */
const startAddress = async () => {
  let behind: string | undefined;
  const { url, ...server } = await serve(async (request) => {
    if (behind === undefined) return new Response('nobody is here yet', { status: 503 });
    const { method, headers } = request;
    const { pathname, search } = new URL(request.url);
    const body = method === 'POST' ? await request.text() : undefined;
    return fetch(`${behind}${pathname}${search}`, { method, headers, ...(body !== undefined && { body }) });
  });
  const leadTo = (origin: string) => {
    behind = origin;
  };
  return { url, leadTo, ...server };
};

const startElsewhere = async (use: Use) => {
  const nats = await use(startTestNats());
  const natsUrl = nats.server.url;
  const controlPlane = await use(startControlPlane({ natsUrl, healthIntervalMs: 500, log: () => undefined }));
  const dcm = await use(startAddress());
  dcm.leadTo(controlPlane.url);
  const stack = await use(watchedStack({ natsUrl, controlPlaneUrl: `${dcm.url}/` }));
  return { nats, controlPlane, dcm, stack };
};

describe('a provider of an older DCM that runs elsewhere', () => {
  const { use, stop } = disposables();
  let parts: Awaited<ReturnType<typeof startElsewhere>>;
  beforeAll(async () => {
    parts = await startElsewhere(use);
  });
  afterAll(() => {
    clearInterval(schedule);
    return stop();
  });

  it('registers each of its regions, and starts no DCM itself', async () => {
    const { controlPlane, stack } = parts;

    expect([stack.nats, stack.controlPlane]).toEqual([undefined, undefined]);
    const rows = await controlPlane.providers();
    const paths = rows.map(({ name, endpoint }) => [name, new URL(endpoint).pathname]);
    expect(Object.fromEntries(paths)).toEqual({
      [provider]: '/api/v1alpha1/vms',
      [`${provider}-${silentRegion}`]: `/${silentRegion}/api/v1alpha1/vms`,
      [`${provider}-container`]: '/api/v1alpha1/containers',
      [`${provider}-container-${silentRegion}`]: `/${silentRegion}/api/v1alpha1/containers`,
      [`${provider}-cluster`]: '/api/v1alpha1/clusters',
      [`${provider}-cluster-${silentRegion}`]: `/${silentRegion}/api/v1alpha1/clusters`,
    });
  });

  it("runs a VM's life through that DCM", async () => {
    const controlPlane = controlPlaneClient(parts.controlPlane.url);

    const dcm = olderDcmUser(controlPlane, provider);

    await runDcmVmScenario({ dcm, providerApi: providerApiClient(parts.stack.endpoints), print: say });
  });

  it('conforms to everything that DCM relies on', async () => {
    const { natsUrl, providerApiUrl, providerApiToken: token } = parts.stack.endpoints;
    const registry = { registryPort: 0, serviceType: 'vm', timeout: 70 };
    const options = { provider: providerApiUrl, token, nats: natsUrl, ...registry };

    const results = await conformance(options, checksOfOlderDcm('vm'), {
      cancel,
      onResult: say,
      say: registerAt,
    });
    clearInterval(schedule);

    const others = results.flatMap((one) =>
      one.verdict === 'pass' ? [] : [`${one.id} ${one.verdict}: ${one.reason}`],
    );
    expect(others).toEqual([
      'R9 skip: needs --registry-token', // this registry, of the older DCM, asks for none
    ]);
    expect(new Set(results.map(({ id }) => id.charAt(0)))).toEqual(new Set('RHCFGDIBAEO'));
    expect(failures).toEqual([]);
  });

  const say = () => undefined;
  const { signal: cancel } = new AbortController();

  let schedule: NodeJS.Timeout | undefined;
  const failures: unknown[] = [];

  /** The suite says where its registry is. It refuses the provider several times, and the schedule tries again once a minute only. */
  const registerAt = (line: string) => {
    const [origin] = /http:\/\/[^/]+/.exec(line) ?? [];
    if (origin === undefined) return;
    parts.dcm.leadTo(origin);
    const register = () => parts.stack.lambda.invoke(`${provider}-registration`, { do: 'keep-registered' });
    schedule = setInterval(() => void register().catch((error) => failures.push(error)), 2_000);
  };
});
