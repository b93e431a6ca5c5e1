import type { Log } from '../../shared/ports/log.ts';
import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { Registrations } from '../../shared/ports/registrations.ts';
import { providerIdOf } from './provider-rows.ts';

type Parts = {
  /** A control plane of the older generation; undefined where the rows are at environment agents, which cannot remove them. */
  readonly controlPlane: Pick<ProviderRegistry, 'withdraw'> | undefined;
  readonly registrations: Pick<Registrations, 'forget'>;
  readonly log: Log;
};

/**
 * Takes rows out of DCM's registry as far as it lets us: a stack that is deleted must not wait for a DCM that is gone.
 * @throws UnavailableError where the fleet table failed.
 */
export const withdrawRows =
  ({ controlPlane, registrations, log }: Parts) =>
  async (rowNames: readonly string[]): Promise<void> => {
    await Promise.all(
      rowNames.map(async (row) => {
        const { outcome, detail } = (await controlPlane?.withdraw(providerIdOf(row))) ?? keptByAgent;
        if (outcome === 'withdrawn') log.info('a row is withdrawn from DCM', { row, detail });
        else log.warn('DCM keeps a row that is no more', { row, detail });
        await registrations.forget(row);
      }),
    );
  };

const keptByAgent = {
  ...{
    outcome: 'refused',
    detail: 'an environment agent keeps it until its AGENT_SP_PERSISTENCE_PATH is cleared',
  },
} as const;
