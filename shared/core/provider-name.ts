import type { ServiceType } from './kind.ts';
import type { NamedTarget, Target } from './target.ts';

type ProviderNaming = {
  /** Our name at DCM. */
  readonly name: string;
  /** In this region of the home account the provider has the name without the target. */
  readonly homeRegion: string;
};

export const isHome = ({ homeRegion }: Pick<ProviderNaming, 'homeRegion'>, target: Target): boolean =>
  target.account === undefined && target.region === homeRegion;

/** The name under which the resources of a service type in a target are registered at DCM. VMs have it without the service type. */
export const providerName = (
  naming: ProviderNaming,
  target: NamedTarget,
  serviceType: ServiceType = 'vm',
): string => {
  const name = serviceType === 'vm' ? naming.name : `${naming.name}-${serviceType}`;
  if (isHome(naming, target)) return name;
  return [name, target.alias, target.region].filter((part) => part !== undefined).join('-');
};
