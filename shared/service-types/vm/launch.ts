import * as z from 'zod/mini';
import { Tags } from '../../core/ownership.ts';
import { attemptsPerGeneration } from '../client-token.ts';

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
  /** The key of its target. */
  region: z.string(),
  imageId: z.string(),
  /** One to three, the best first. The next one is tried where EC2 has no capacity. */
  placements: z.tuple([Placement], Placement).check(z.maxLength(attemptsPerGeneration)),
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
  /** As in Facts (core/record.ts). */
  labels: z.optional(Tags),
  /** The default user of the image, for SSH; undefined where it is not known. */
  sshUser: z.optional(z.string()),
  /** Which rule chose the image and the instance type, in words. */
  chosenBy: z.object({ image: z.string(), instanceType: z.string() }),
});
export type LaunchPlan = z.infer<typeof LaunchPlan>;
