import type { Log } from '../../shared/ports/log.ts';
import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { Registrations } from '../../shared/ports/registrations.ts';
import { providerIdOf } from './provider-rows.ts';

type Parts = {
  readonly registry: Pick<ProviderRegistry, 'withdraw'>;
  readonly registrations: Pick<Registrations, 'forget'>;
  readonly log: Log;
};

/**
 * Takes rows out of DCM's registry as far as it lets us: a stack that is deleted must not wait for a DCM that is gone, and an environment
 * agent keeps its rows anyway. @throws UnavailableError where the fleet table failed.
 */
export const withdrawRows =
  ({ registry, registrations, log }: Parts) =>
  async (rowNames: readonly string[]): Promise<void> => {
    await Promise.all(
      rowNames.map(async (row) => {
        const { outcome, detail } = await registry.withdraw(providerIdOf(row));
        if (outcome === 'withdrawn') log.info('a row is withdrawn from DCM', { row, detail });
        else log.warn('DCM keeps a row that is no more', { row, detail });
        await registrations.forget(row);
      }),
    );
  };
