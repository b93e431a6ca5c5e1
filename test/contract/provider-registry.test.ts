import { httpProviderRegistry } from '../../shared/adapters/dcm/provider-registry.ts';
import { memoryProviderRegistry } from '../fakes/memory-provider-registry.ts';
import { controlPlane, environmentAgent, startRegistry } from './dcm-registries.ts';
import { providerRegistryContract } from './provider-registry.ts';

providerRegistryContract('in memory', async (now) => {
  const registry = memoryProviderRegistry(now);
  return { registry, forgetAll: registry.backup(), [Symbol.asyncDispose]: async () => undefined };
});

const overHttp = (flavour: typeof controlPlane) => async (now: () => number) => {
  const { url, forgetAll, ...running } = await startRegistry(flavour, now);
  return { ...running, registry: httpProviderRegistry(`${url}/`), forgetAll };
};

providerRegistryContract("of DCM's control plane, by HTTP", overHttp(controlPlane));
providerRegistryContract('of an environment agent, by HTTP', overHttp(environmentAgent), {
  canWithdraw: false,
});
