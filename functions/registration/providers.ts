import { v5 as uuid } from 'uuid';
import { providerRowName } from '../../shared/core/provider-name.ts';
import type { ProviderRegistration } from '../../shared/wire/dcm-provider.ts';
import type { Registries, Registry } from './env.ts';

/** One row of a registry of DCM's: the VMs of one region. */
export type ProviderRow = {
  readonly region: string;
  readonly registry: Registry;
  /** The row's id at DCM. The same name has it in every deployment, so that a new one takes over the row of the last. */
  readonly id: string;
  readonly registration: Omit<ProviderRegistration, 'metadata'>;
};

export type Provider = {
  /** Our name at DCM. */
  readonly name: string;
  /** Region whose row has our bare name, and whose collection has no prefix. */
  readonly homeRegion: string;
  /** Where the provider-api answers, as DCM reaches it where a registry does not say otherwise. */
  readonly publicUrl: string;
  readonly registries: Registries;
};

/** DCM's id of a row: the UUIDv5 of its name, as a name of the DNS. */
export const providerIdOf = (rowName: string): string => uuid(rowName, uuid.DNS);

/**
 * The rows to register, the home region's first: where two registries are the same one under two names, it gets the service type. `token`
 * goes into the endpoints as Basic credentials where the registry's settings say so.
 */
export const providerRows = (provider: Provider, token: string | undefined): ProviderRow[] =>
  Object.entries(provider.registries)
    .toSorted(([one], [other]) => Number(other === provider.homeRegion) - Number(one === provider.homeRegion))
    .map(([region, registry]) => {
      const name = providerRowName(provider, region);
      const prefix = region === provider.homeRegion ? '' : `/${region}`;
      const endpoint = new URL(`${prefix}/api/v1alpha1/vms`, registry.publicUrl ?? provider.publicUrl);
      return {
        region,
        registry,
        id: providerIdOf(name),
        registration: {
          name,
          endpoint: withToken(endpoint, registry.endpointCredentials ? token : undefined),
          service_type: 'vm',
          schema_version: 'v1alpha1',
          display_name: `Amazon EC2 in ${region}`,
          operations: ['CREATE', 'DELETE', 'READ'],
        },
      };
    });

/** DCM's clients send what stands before the `@` as Basic credentials with every call, health included. */
const withToken = ({ protocol, host, pathname }: URL, token: string | undefined): string =>
  `${protocol}//${token === undefined ? '' : `dcm:${encodeURIComponent(token)}@`}${host}${pathname}`;
