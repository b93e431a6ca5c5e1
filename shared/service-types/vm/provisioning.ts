import * as z from 'zod/mini';

const nonEmpty = z.string().check(z.minLength(1));

/** Where an image comes from: a public SSM parameter, the newest image of an owner whose name matches a pattern, or an image id. */
export const ImageSource = z.union([
  z.object({ ssmParameter: nonEmpty, sshUser: z.optional(nonEmpty) }),
  z.object({ owner: nonEmpty, name: nonEmpty, sshUser: z.optional(nonEmpty) }),
  z.object({ imageId: nonEmpty, sshUser: z.optional(nonEmpty) }),
]);
export type ImageSource = z.infer<typeof ImageSource>;

/** The network of the VMs of one region. */
export const RegionNetwork = z.object({
  /** Empty: EC2 chooses a subnet of the default VPC. */
  subnets: z._default(z.array(z.object({ id: nonEmpty, zone: nonEmpty })), []),
  /** Empty: the VPC's default security group. */
  securityGroupIds: z._default(z.array(nonEmpty), []),
  /** Subnets that a hint may name besides `subnets`. */
  allowedSubnetIds: z._default(z.array(nonEmpty), []),
  /** Security groups that a hint may name besides `securityGroupIds`. */
  allowedSecurityGroupIds: z._default(z.array(nonEmpty), []),
  /** The key that encrypts the disks; undefined: the account's default key for EBS. */
  kmsKeyId: z.optional(nonEmpty),
});
export type RegionNetwork = z.infer<typeof RegionNetwork>;

type Allowed = Pick<
  RegionNetwork,
  'subnets' | 'securityGroupIds' | 'allowedSubnetIds' | 'allowedSecurityGroupIds'
>;

/** Every subnet that a launch in the region may name. */
export const subnetIdsOf = ({ subnets, allowedSubnetIds }: Allowed): readonly string[] => [
  ...new Set([...subnets.map(({ id }) => id), ...allowedSubnetIds]),
];

/** Every security group that a launch in the region may name. */
export const securityGroupIdsOf = ({
  securityGroupIds,
  allowedSecurityGroupIds,
}: Allowed): readonly string[] => [...new Set([...securityGroupIds, ...allowedSecurityGroupIds])];

/** The operator's settings of which VMs may be created, and how. */
export const Provisioning = z.object({
  /** By region; VMs are created in no other. */
  regions: z.record(nonEmpty, RegionNetwork),
  /** By `guest_os.type`. They take precedence over the built-in catalogue. */
  images: z._default(z.record(nonEmpty, ImageSource), {}),
  /** Account ids or EC2's owner aliases whose images a hint may name by id, besides those of the catalogue and of `images`. */
  allowedImageOwners: z._default(z.array(nonEmpty), []),
  /** The allowed instance families, the preferred first. */
  families: z._default(z.array(nonEmpty).check(z.minLength(1)), ['t3', 'm7i', 'c7i', 'r7i']),
  /** Of all regions together. */
  maximumVms: z._default(z.int().check(z.nonnegative()), 100),
  maximumVcpus: z._default(z.int().check(z.positive()), 16),
  maximumMemoryGib: z._default(z.int().check(z.positive()), 64),
  /** All disks of one VM together. */
  maximumDiskGib: z._default(z.int().check(z.positive()), 1024),
  /** Whether VMs get a public IPv4 address. */
  publicAddresses: z._default(z.boolean(), false),
  /** Names or ARNs of IAM instance profiles that a hint may ask for. */
  instanceProfiles: z._default(z.array(nonEmpty), []),
  /** Whether a hint may ask for a spot instance. */
  spot: z._default(z.boolean(), false),
  /** Whether instances that have our tags, but that we did not launch, may be deleted, stopped, started and rebooted. */
  changeAdopted: z._default(z.boolean(), false),
});
export type Provisioning = z.infer<typeof Provisioning>;

/**
 * Whether the instance type counts towards the account's quota of standard instances. Other families have quotas of their own.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-quotas.html
 */
export const isStandard = (instanceType: string): boolean =>
  /^(a|c|d|h|i|im|is|m|r|t|z)[0-9]/.test(instanceType);
