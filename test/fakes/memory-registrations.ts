import type { Registration, Registrations } from '../../shared/ports/registrations.ts';

/** The Registrations port in memory. */
export const memoryRegistrations = (): Registrations => {
  const held = new Map<string, Registration>();
  return {
    recall: async (rowNames) => new Map([...held].filter(([rowName]) => rowNames.includes(rowName))),
    async record(rowName, registration) {
      held.set(rowName, registration);
    },
    async forget(rowName) {
      held.delete(rowName);
    },
  };
};
