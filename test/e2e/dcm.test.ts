import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { controlPlaneClient, olderDcmUser } from '../../local/demo/dcm-user.ts';
import { runDcmVmScenario } from '../../local/demo/dcm-vm-scenario.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import {
  findServiceProviderManager,
  whyNoDcm,
} from '../../local/emulators/dcm/service-provider-manager/start.ts';
import { provider, silentRegion } from '../../local/stack/options.ts';
import { type Stack, startStack } from '../../local/stack/start-stack.ts';
import { skippedBecause } from '../retried-and-skipped.ts';

describe("DCM's own service provider manager", skippedBecause(await whyNoDcm()), () => {
  let folder: string;
  let stack: Stack;
  beforeAll(async () => {
    await findServiceProviderManager({ log: () => undefined });
    folder = await mkdtemp(join(tmpdir(), 'ec2-sp-'));
    stack = await startStack({
      folder,
      controlPlane: 'dcm',
      dwellMs: { pending: 0, stopping: 100, 'shutting-down': 100 },
      visibilityTimeoutSeconds: 3,
      log: () => undefined,
      progress: () => undefined,
    });
  }, 300_000); // it may have to be built
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const dcm = () => controlPlaneClient(stack.endpoints.controlPlaneUrl);

  it('has a provider for each service type and region, and finds those of VMs ready', async () => {
    for (const name of [provider, `${provider}-${silentRegion}`]) await dcm().isReady(name, 60_000);

    const types = (await dcm().providers()).map(({ service_type: type }) => type);
    expect(types.toSorted()).toEqual(['cluster', 'cluster', 'container', 'container', 'vm', 'vm']);
  });

  it('creates a VM, and updates its row until its end', async () => {
    const providerApi = providerApiClient(stack.endpoints);

    await runDcmVmScenario({ dcm: olderDcmUser(dcm(), provider), providerApi, print: () => undefined });
  });

  it('adds its row after our answer, and has the right status even where EC2 was faster', async () => {
    const { id } = await dcm().create({ provider, spec: vmSpec('faster') });

    await dcm().reaches(id, 'running', 60_000);
  });

  it('removes the row where the spec is refused', async () => {
    const spec = { ...vmSpec('refused'), guest_os: { type: 'no-such-system' } };

    await expect(dcm().create({ id: 'refused-vm', provider, spec })).rejects.toThrow('422');

    expect(await dcm().instance('refused-vm')).toBeUndefined();
  });
});
