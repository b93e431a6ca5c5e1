import type { Target } from './target.ts';

type ProviderNaming = {
  /** Our name at DCM. */
  readonly name: string;
  /** In this region of the home account the provider has the name without a suffix. */
  readonly homeRegion: string;
};

export const isHome = ({ homeRegion }: Pick<ProviderNaming, 'homeRegion'>, target: Target): boolean =>
  target.account === undefined && target.region === homeRegion;

/** The name under which the VMs of a target are registered at DCM. */
export const providerName = (naming: ProviderNaming, target: Target): string => {
  if (isHome(naming, target)) return naming.name;
  return [naming.name, target.account, target.region].filter((part) => part !== undefined).join('-');
};
