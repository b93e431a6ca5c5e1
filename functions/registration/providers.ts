import { v5 as uuid } from 'uuid';
import type { Kind, ServiceType } from '../../shared/core/kind.ts';
import { isHome, providerName } from '../../shared/core/provider-name.ts';
import { type NamedTarget, namedTargetOfKey, targetName } from '../../shared/core/target.ts';
import type { ProviderRegistration } from '../../shared/wire/dcm-provider.ts';
import type { ProviderSettings, Registry } from './env.ts';

/** What is registered at DCM for one service type in one target. */
export type Provider = {
  readonly serviceType: ServiceType;
  readonly target: NamedTarget;
  readonly registry: Registry;
  /** Follows from the name, so that a new deployment replaces the registration of the last one. */
  readonly id: string;
  readonly registration: Omit<ProviderRegistration, 'metadata'>;
};

/** The collection of the API, and the AWS service. */
const offered = {
  vm: { collection: 'vms', service: 'EC2' },
  container: { collection: 'containers', service: 'ECS' },
  cluster: { collection: 'clusters', service: 'EKS' },
} as const satisfies Record<
  ServiceType,
  { readonly collection: Kind['collection']; readonly service: string }
>;

const vmsAlone: readonly ServiceType[] = ['vm'];

/** The id of a provider at DCM: UUIDv5 of its name in the namespace of DNS names. */
export const providerIdOf = (name: string): string => uuid(name, uuid.DNS);

/**
 * The providers to register, the home region's first: where two registries turn out to be the same one, the home region gets the service
 * types. Where the registry's settings say so, a token goes into the endpoints as Basic credentials: that of the registry's secret in
 * `tokens`, which are by secret; undefined: that of the deployment. Providers whose secret is not among them are left out. Without `tokens`,
 * all providers, and none with a token.
 */
export const providersOf = (
  settings: ProviderSettings,
  tokens?: ReadonlyMap<string | undefined, string | undefined>,
): Provider[] =>
  Object.entries(settings.registries)
    .filter(
      ([, { endpointCredentials, endpointTokenSecret }]) =>
        !endpointCredentials || tokens === undefined || tokens.has(endpointTokenSecret),
    )
    .map(([key, registry]) => ({ target: namedTargetOfKey(key, registry.alias), registry }))
    .toSorted((a, b) => Number(isHome(settings, b.target)) - Number(isHome(settings, a.target)))
    .flatMap((one) => (one.registry.serviceTypes ?? vmsAlone).map((serviceType) => ({ ...one, serviceType })))
    .map(({ target, registry, serviceType }) => {
      const name = providerName(settings, target, serviceType);
      const prefix = isHome(settings, target) ? '' : `/${targetName(target)}`;
      const { collection, service } = offered[serviceType];
      const token = registry.endpointCredentials ? tokens?.get(registry.endpointTokenSecret) : undefined;
      const endpoint = new URL(
        `${prefix}/api/v1alpha1/${collection}`,
        registry.publicUrl ?? settings.publicUrl,
      );
      return {
        serviceType,
        target,
        registry,
        id: providerIdOf(name),
        registration: {
          name,
          endpoint: withToken(endpoint, token),
          service_type: serviceType,
          schema_version: 'v1alpha1',
          display_name: `Amazon ${service} in ${displayed(target)}`,
          operations: ['CREATE', 'DELETE', 'READ'],
        },
      };
    });

const displayed = ({ region, alias }: NamedTarget): string =>
  alias === undefined ? region : `${region} (${alias})`;

/** DCM's clients send the user information of the URL as Basic credentials with every call, health checks included. */
const withToken = ({ protocol, host, pathname }: URL, token: string | undefined): string =>
  `${protocol}//${token === undefined ? '' : `dcm:${encodeURIComponent(token)}@`}${host}${pathname}`;
