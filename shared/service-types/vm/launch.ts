import { v5 } from 'uuid';
import * as z from 'zod/mini';
import { Tags } from '../../core/ownership.ts';
import type { VmRecord } from '../../core/record.ts';

/** Where and as what an instance may be launched. */
export const Placement = z.object({
  instanceType: z.string(),
  /** Undefined: EC2 chooses one of the default VPC. */
  subnetId: z.optional(z.string()),
  /** Availability zone; undefined: the subnet's, or EC2's choice. */
  zone: z.optional(z.string()),
});
export type Placement = z.infer<typeof Placement>;

const Disk = z.object({
  /** As the image names it, such as `/dev/xvda`. */
  deviceName: z.string(),
  gib: z.int(),
});

/**
 * All that was decided of a VM before EC2 is asked for it. It is written down first, so that whoever takes over after a crash asks for
 * the same instance.
 */
export const LaunchPlan = z.object({
  region: z.string(),
  imageId: z.string(),
  /** One to three, the best first: the next is tried where EC2 has no capacity for one. */
  placements: z.tuple([Placement], Placement).check(z.maxLength(3)),
  securityGroupIds: z.array(z.string()),
  /** The boot disk first. gp3, encrypted, deleted with the instance. */
  disks: z.array(Disk),
  /** cloud-init's, in base64; never in an answer or a log. */
  userData: z.optional(z.string()),
  /** ARN or name of an IAM instance profile. */
  instanceProfile: z.optional(z.string()),
  spot: z.boolean(),
  publicAddress: z.boolean(),
  kmsKeyId: z.optional(z.string()),
  /** All of them: labels, and those by which the instance is ours. */
  tags: Tags,
  /** Who logs in by SSH, where the image says so. */
  sshUser: z.optional(z.string()),
  /** Which rule chose what, in words. */
  chosenBy: z.object({ image: z.string(), instanceType: z.string() }),
});
export type LaunchPlan = z.infer<typeof LaunchPlan>;

/** Ours alone, so that nobody else makes the same tokens. */
const namespace = v5('dcm-ec2-service-provider/vms', v5.URL);

/**
 * Whoever asks EC2 for the same attempt at the same VM asks with the same token, and so gets the same instance.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
export const clientToken = (
  provider: string,
  { vmId, generation, attempt }: Pick<VmRecord, 'vmId' | 'generation' | 'attempt'>,
): string => v5(JSON.stringify([provider, vmId, generation, attempt]), namespace);

/** Tried where no record tells the generation: the table was lost, or another VM has had the id since. */
const generationsTried = 100;
/** A launch plan has at most three placements, an attempt each. */
const attemptsPerGeneration = 3;

/**
 * Whether this provider launched an instance as the VM with this DCM id. EC2 keeps the client token of a launch with the instance, and
 * nothing changes it afterwards, so tags that were written by hand make no instance one that we launched.
 *
 * Compares the token with those of the generations 0 to 99, or up to the one given where that is higher, with three attempts each: at
 * most some hundred hashes. An instance of a later generation whose record is lost counts as not launched by us.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
 */
export const isLaunchedByUs = (
  provider: string,
  { vmId, generation = 0 }: { readonly vmId: string; readonly generation?: number },
  token: string | undefined,
): boolean => {
  if (!token) return false;
  const newest = Math.max(generation, generationsTried - 1);
  for (let tried = newest; tried >= 0; tried--)
    for (let attempt = 0; attempt < attemptsPerGeneration; attempt++)
      if (clientToken(provider, { vmId, generation: tried, attempt }) === token) return true;
  return false;
};
