import { NotFoundError } from '../../../../../shared/core/errors.ts';
import type { DispatchParts } from './create.ts';

/**
 * Has the provider delete an instance, and then forgets it: what is told of it afterwards meets no row. A row that no create made is
 * only forgotten.
 * @throws NotFoundError where there is no row, or no provider any more; else what the provider's client throws, and the row stays
 */
export const deleteInstance =
  ({ rows, registry, client }: DispatchParts) =>
  async (id: string): Promise<void> => {
    const row = await rows.get(id);
    if (row === undefined) throw new NotFoundError(`instance ${id} not found`);
    if (row.providerName !== null) {
      const provider = await registry.byName(row.providerName);
      if (provider === undefined)
        throw new Error(`failed to delete instance (${id}): provider '${row.providerName}' not found`);
      await client.delete(provider.endpoint, id);
    }
    await rows.remove(id);
  };
