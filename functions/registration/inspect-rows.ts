import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { Inspection } from '../../shared/wire/inspection.ts';
import type { ProviderRow } from './provider-rows.ts';

type Parts = { readonly registryOf: (row: ProviderRow) => Pick<ProviderRegistry, 'list'> };

/** What DCM has where each of these rows is registered; changes nothing. The rows must carry no credentials. */
export const inspectRows = async (
  { registryOf }: Parts,
  rows: readonly ProviderRow[],
): Promise<Inspection> => ({
  regions: await Promise.all(
    rows.map(async (row) => {
      const { region, registry, registration } = row;
      const { providers = [], failure } = await registryOf(row).list();
      return {
        ...{ region, row: registration.name, kind: registry.kind, url: registry.url },
        endpoint: registration.endpoint,
        ...(failure !== undefined && { failure }),
        providers: providers.map((listed) => ({ ...listed, endpoint: withoutCredentials(listed.endpoint) })),
      };
    }),
  ),
});

const withoutCredentials = (endpoint: string | undefined): string | undefined =>
  endpoint?.replace(/^(https?:\/\/)[^/]*@/, '$1');
