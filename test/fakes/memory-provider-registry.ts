import type { HeldRow, ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { ProviderRegistration } from '../../shared/wire/dcm-provider.ts';

type Row = HeldRow & { readonly registration: ProviderRegistration };

/** DCM's registry in memory, which can lose everything, or go back to what it was. */
export const memoryProviderRegistry = (now: () => number = Date.now) => {
  let rows = new Map<string, Row>();
  const second = () => Math.floor(now() / 1000);

  const registry: ProviderRegistry = {
    async find(id) {
      const row = rows.get(id);
      return row && { createdAt: row.createdAt, registeredAt: row.registeredAt };
    },
    async register(id, registration) {
      const held = rows.get(id);
      const { name } = registration;
      const namesake = [...rows].find(([otherId, row]) => otherId !== id && row.registration.name === name);
      if (namesake)
        return {
          ...{ outcome: 'refused', detail: `name '${name}' already exists with a different provider ID` },
          isConflict: true,
        };
      const registeredAt = Date.parse(registration.metadata.registered_at) / 1000;
      const row = { createdAt: held?.createdAt ?? second(), registeredAt };
      rows.set(id, { ...row, registration });
      return { outcome: 'registered', isNew: held === undefined, row };
    },
    async list() {
      return {
        providers: [...rows].map(([id, { registration }]) => ({ id, ...registration })),
      };
    },
    async withdraw(id) {
      return { outcome: 'withdrawn', detail: rows.delete(id) ? 'it is gone' : 'there was none' };
    },
  };
  return {
    ...registry,
    registered: () => [...rows.values()].map(({ registration }) => registration),
    /** @returns what brings it back. */
    backup: () => {
      const kept = new Map(rows);
      return () => {
        rows = new Map(kept);
      };
    },
  };
};
