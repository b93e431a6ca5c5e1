import * as z from 'zod/mini';
import { Tags } from './tags.ts';

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
