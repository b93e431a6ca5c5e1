import { partition } from '@aws-sdk/core/client';

/** A partition of AWS: regions with accounts, ARNs and domain names of their own, such as `aws-cn`. */
export type Partition = {
  readonly name: string;
  /** What the host names of its services end in, such as `amazonaws.com.cn`. */
  readonly dnsSuffix: string;
};

const regionName = '[a-z]+(-[a-z]+)+-[0-9]+';

/** The form of a region's name, such as `eu-west-1`, `us-gov-east-1`, `eusc-de-east-1`. */
export const regionPattern = new RegExp(`^${regionName}$`);

/**
 * The form of a zone's name: an Availability Zone (`us-west-2a`), a Local Zone (`us-west-2-lax-1a`) or a Wavelength Zone
 * (`us-east-1-wl1-bos-wlz-1`).
 * @see https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
 */
export const zonePattern = new RegExp(`^${regionName}([a-z]|(-[a-z0-9]+)+-[0-9]+[a-z]?)$`);

/** How the ARNs of every partition begin, for use in a larger pattern. */
export const arnPrefixPattern = 'arn:aws(-[a-z]+)*';

/** By the SDK's partition data. A region that the data does not list belongs to the partition whose naming scheme it follows. */
export const partitionOf = (region: string): Partition => {
  const { name, dnsSuffix } = partition(region);
  return { name, dnsSuffix };
};

/** Whether the SDK's partition data lists the region. It also lists pseudo-regions such as `aws-global`, which are none. */
export const isKnownRegion = (region: string): boolean =>
  regionPattern.test(region) && 'description' in partition(region);

/** The region that a zone belongs to; undefined where the name is not the name of a zone. */
export const regionOfZone = (zone: string): string | undefined =>
  zonePattern.test(zone) ? new RegExp(`^${regionName}`).exec(zone)?.[0] : undefined;
