import { v5 } from 'uuid';
import * as z from 'zod/mini';
import { Tags } from '../../core/ownership.ts';
import type { ResourceRecord } from '../../core/record.ts';

/** One try of a launch: instance type, subnet and zone. */
export const Placement = z.object({
  instanceType: z.string(),
  /** Undefined: EC2 chooses a subnet of the default VPC. */
  subnetId: z.optional(z.string()),
  /** Availability Zone; undefined: the subnet's, or EC2's choice. */
  zone: z.optional(z.string()),
});
export type Placement = z.infer<typeof Placement>;

const Disk = z.object({
  /** As in the image, such as `/dev/xvda`. */
  deviceName: z.string(),
  gib: z.int(),
});

/**
 * Everything that RunInstances needs for a VM. It is stored before EC2 is asked, so that the request that takes over after a crash asks for
 * the same instance.
 */
export const LaunchPlan = z.object({
  region: z.string(),
  imageId: z.string(),
  /** One to three, the best first. The next one is tried where EC2 has no capacity. */
  placements: z.tuple([Placement], Placement).check(z.maxLength(3)),
  securityGroupIds: z.array(z.string()),
  /** The boot disk first. gp3, encrypted, deleted with the instance. */
  disks: z.array(Disk),
  /** For cloud-init, in base64. Never answered or logged. */
  userData: z.optional(z.string()),
  /** ARN or name of an IAM instance profile. */
  instanceProfile: z.optional(z.string()),
  spot: z.boolean(),
  publicAddress: z.boolean(),
  kmsKeyId: z.optional(z.string()),
  /** The labels, and the tags that mark the instance as ours. */
  tags: Tags,
  /** The default user of the image, for SSH; undefined where it is not known. */
  sshUser: z.optional(z.string()),
  /** Which rule chose the image and the instance type, in words. */
  chosenBy: z.object({ image: z.string(), instanceType: z.string() }),
});
export type LaunchPlan = z.infer<typeof LaunchPlan>;

/** Of this program, so that other programs generate other tokens. */
const namespace = v5('dcm-ec2-service-provider/vms', v5.URL);

/**
 * The client token of one attempt to launch a VM: requests with the same token get the same instance.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
export const clientToken = (
  provider: string,
  { dcmId, generation, attempt }: Pick<ResourceRecord, 'dcmId' | 'generation' | 'attempt'>,
): string => v5(JSON.stringify([provider, dcmId, generation, attempt]), namespace);

/** How many are tried where no record has the generation: the table was lost, or another VM has the id. */
const generationsTried = 100;
/** A launch plan has at most three placements, an attempt each. */
const attemptsPerGeneration = 3;

/**
 * Whether this provider launched an instance as the VM with this DCM id. EC2 shows the client token of a launch with the instance, and it
 * cannot be changed afterwards, unlike tags.
 *
 * Compares the token with those of the generations 0 to 99, or up to the given one where that is higher, with three attempts each: at most
 * some hundred hashes. An instance of a later generation whose record is lost counts as not launched by us.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
 */
export const isLaunchedByUs = (
  provider: string,
  { dcmId, generation = 0 }: { readonly dcmId: string; readonly generation?: number },
  token: string | undefined,
): boolean => {
  if (!token) return false;
  const newest = Math.max(generation, generationsTried - 1);
  for (let tried = newest; tried >= 0; tried--)
    for (let attempt = 0; attempt < attemptsPerGeneration; attempt++)
      if (clientToken(provider, { dcmId, generation: tried, attempt }) === token) return true;
  return false;
};
