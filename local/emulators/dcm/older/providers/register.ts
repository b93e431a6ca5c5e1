import { randomUUID } from 'node:crypto';
import { FailedPreconditionError } from '../../../../../shared/core/errors.ts';
import type { Provider, Registration } from './provider.ts';
import type { Registry } from './registry.ts';

/**
 * Registers a provider, or brings its row up to date: the name says which one it is, its id stays.
 * @throws FailedPreconditionError where the name has another id, or the id another name.
 */
export const registerProvider =
  (registry: Registry) =>
  async (registration: Registration, id?: string): Promise<{ provider: Provider; isNew: boolean }> => {
    const wanted = registration.id ?? id;
    const known = await registry.byName(registration.name);
    if (known !== undefined) {
      if (wanted !== undefined && wanted !== known.id)
        throw new FailedPreconditionError(
          `name '${registration.name}' already exists with a different provider ID`,
        );
      return { provider: await registry.update(known.id, registration), isNew: false };
    }
    if (wanted !== undefined && (await registry.get(wanted)) !== undefined)
      throw new FailedPreconditionError(`provider with ID '${wanted}' already exists`);
    return { provider: await registry.add(wanted ?? randomUUID(), registration), isNew: true };
  };
