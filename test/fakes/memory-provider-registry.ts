import type { HeldProvider, ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { ProviderRegistration } from '../../shared/wire/dcm-provider.ts';

type Provider = HeldProvider & { readonly registration: ProviderRegistration };

/** DCM's registry in memory; a test can make it lose its providers, or restore it from a backup. */
export const memoryProviderRegistry = (now: () => number = Date.now) => {
  let providers = new Map<string, Provider>();
  const second = () => Math.floor(now() / 1000);

  const registry: ProviderRegistry = {
    async find(id) {
      const found = providers.get(id);
      return found && { createdAt: found.createdAt, registeredAt: found.registeredAt };
    },
    async register(id, registration) {
      const before = providers.get(id);
      const { name } = registration;
      const namesake = [...providers].find(([other, one]) => other !== id && one.registration.name === name);
      if (namesake)
        return {
          ...{ outcome: 'refused', detail: `name '${name}' already exists with a different provider ID` },
          isConflict: true,
        };
      const registeredAt = Date.parse(registration.metadata.registered_at) / 1000;
      const held = { createdAt: before?.createdAt ?? second(), registeredAt };
      providers.set(id, { ...held, registration });
      return { outcome: 'registered', isNew: before === undefined, held };
    },
    async list() {
      return {
        providers: [...providers].map(([id, { registration }]) => ({ id, ...registration })),
      };
    },
    async withdraw(id) {
      return {
        outcome: 'withdrawn',
        detail: providers.delete(id) ? 'DCM removed it' : 'DCM did not have it',
      };
    },
  };
  return {
    ...registry,
    registered: () => [...providers.values()].map(({ registration }) => registration),
    /** @returns a function that restores the registry as it is now. */
    backup: () => {
      const kept = new Map(providers);
      return () => {
        providers = new Map(kept);
      };
    },
  };
};
