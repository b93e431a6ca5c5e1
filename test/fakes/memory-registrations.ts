import type { Registration, Registrations } from '../../shared/ports/registrations.ts';

/** The Registrations port in memory. */
export const memoryRegistrations = (): Registrations => {
  const held = new Map<string, Registration>();
  return {
    read: async (names) => new Map([...held].filter(([name]) => names.includes(name))),
    async record(name, registration) {
      held.set(name, registration);
    },
    async forget(name) {
      held.delete(name);
    },
  };
};
