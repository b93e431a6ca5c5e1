import * as z from 'zod/mini';
import { arnPrefixPattern, zonePattern } from '../../adapters/aws/regions.ts';
import { hintsReader } from '../read-spec.ts';

const id = (prefix: string, example: string) =>
  z.string({ error: `expected an id such as ${example}` }).check(
    z.regex(new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`), {
      error: `expected an id such as ${example}`,
    }),
  );

const text = (pattern: RegExp, error: string) => z.string({ error }).check(z.regex(pattern, { error }));

export const imageIdPattern = /^ami-([0-9a-f]{8}|[0-9a-f]{17})$/;
const profileArn = `${arnPrefixPattern}:iam::[0-9]{12}:instance-profile/[\\w+=,.@/-]+`;
const securityGroups = 'expected a list of 1 to 16 ids such as sg-0123456789abcdef0';

/** The fields of `provider_hints.aws`. No other hint reaches EC2. */
export const AwsHint = {
  instance_type: text(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'expected an instance type such as t3.medium').check(
    z.meta({
      description:
        'The instance type: of a family that the operator allows, with at least the vCPUs and memory of `vcpu` and `memory`. Default: the smallest that fits.',
      examples: ['t3.medium'],
    }),
  ),
  image_id: text(imageIdPattern, 'expected an id such as ami-0123456789abcdef0').check(
    z.describe(
      'The image: of an owner that the operator allows, or named in the operator’s settings. Overrides `guest_os.type`.',
    ),
  ),
  subnet_id: id('subnet', 'subnet-0123456789abcdef0').check(
    z.describe(
      'The subnet: one that the operator allows. Default: one of the operator’s subnets of the region; where there are none, EC2 chooses one of the default VPC.',
    ),
  ),
  security_group_ids: z
    .array(id('sg', 'sg-0123456789abcdef0'), { error: securityGroups })
    .check(
      z.minLength(1, { error: securityGroups }),
      z.maxLength(16, { error: securityGroups }),
      z.describe(
        'The security groups: 1 to 16 of the subnet’s VPC that the operator allows. Default: the operator’s; where there are none, the VPC’s default security group.',
      ),
    ),
  availability_zone: text(zonePattern, 'expected an Availability Zone such as us-east-1a').check(
    z.meta({
      description:
        'The Availability Zone: one of the region, with a subnet of the operator. Default: any of them; where one has no capacity, another is tried.',
      examples: ['us-east-1a'],
    }),
  ),
  iam_instance_profile: text(
    new RegExp(`^([\\w+=,.@-]{1,128}|${profileArn})$`),
    'expected the name or the ARN of an IAM instance profile',
  ).check(
    z.describe('The name or ARN of the IAM instance profile: one that the operator allows. Default: none.'),
  ),
  spot: z.boolean({ error: 'expected true or false' }).check(
    z.meta({
      description: 'Whether to launch a spot instance. The operator must allow them.',
      default: false,
    }),
  ),
};
const AwsHints = z.partial(z.object(AwsHint));
export type AwsHints = z.infer<typeof AwsHints>;

/** The hints of a VM's spec. */
export const hintsOf = hintsReader(AwsHints);
