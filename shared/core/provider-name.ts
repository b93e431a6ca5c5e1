type Provider = {
  /** Our name at DCM. */
  readonly name: string;
  /** Region whose row has our bare name. */
  readonly homeRegion: string;
};

/** The name of the row by which DCM knows our VMs of a region. */
export const providerRowName = ({ name, homeRegion }: Provider, region: string): string =>
  region === homeRegion ? name : `${name}-${region}`;
