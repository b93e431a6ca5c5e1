type ProviderNaming = {
  /** Our name at DCM. */
  readonly name: string;
  /** Region whose provider has the bare name. */
  readonly homeRegion: string;
};

/** The name under which the VMs of a region are registered at DCM. */
export const providerName = ({ name, homeRegion }: ProviderNaming, region: string): string =>
  region === homeRegion ? name : `${name}-${region}`;
