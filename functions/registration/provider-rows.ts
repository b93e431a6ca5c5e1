import { v5 as uuid } from 'uuid';
import { providerRowName } from '../../shared/domain/provider-row.ts';
import type { ProviderRegistration } from '../../shared/wire/dcm-provider.ts';

/** One row of DCM's registry: the VMs of one region. */
export type ProviderRow = {
  readonly region: string;
  /** The row's id at DCM. The same name has it in every deployment, so that a new one takes over the row of the last. */
  readonly id: string;
  readonly registration: ProviderRegistration;
};

export type Provider = {
  /** Our name at DCM. */
  readonly name: string;
  /** Region whose row has our bare name, and whose collection has no prefix. */
  readonly homeRegion: string;
  /** Where VMs can be created. */
  readonly regions: readonly string[];
  /** Where the provider-api answers, as DCM reaches it. */
  readonly publicUrl: string;
};

/** DCM's id of a row: the UUIDv5 of its name, as a name of the DNS. */
export const providerIdOf = (rowName: string): string => uuid(rowName, uuid.DNS);

/** The rows to register; `token`, where given, goes into their endpoints as Basic credentials. */
export const providerRows = (provider: Provider, token: string | undefined): ProviderRow[] =>
  provider.regions.map((region) => {
    const name = providerRowName(provider, region);
    const prefix = region === provider.homeRegion ? '' : `/${region}`;
    const endpoint = new URL(`${prefix}/api/v1alpha1/vms`, provider.publicUrl);
    return {
      region,
      id: providerIdOf(name),
      registration: {
        name,
        endpoint: withToken(endpoint, token),
        service_type: 'vm',
        schema_version: 'v1alpha1',
        display_name: `Amazon EC2 in ${region}`,
        operations: ['CREATE', 'DELETE', 'READ'],
        metadata: { region_code: region },
      },
    };
  });

/** DCM's clients send what stands before the `@` as Basic credentials with every call, health included. */
const withToken = ({ protocol, host, pathname }: URL, token: string | undefined): string =>
  `${protocol}//${token === undefined ? '' : `dcm:${encodeURIComponent(token)}@`}${host}${pathname}`;
