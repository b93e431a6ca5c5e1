import * as z from 'zod/mini';
import { arnPrefixPattern } from '../../adapters/aws/regions.ts';
import { hintsReader } from '../read-spec.ts';
import { EndpointAccess } from './provisioning.ts';

const principals = 'expected a list of ARNs of IAM roles and users';

/** The fields of `provider_hints.aws`. No other hint reaches EKS. */
export const ClusterHint = {
  instance_type: z.string({ error: 'expected an instance type such as m7i.large' }).check(
    z.regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, { error: 'expected an instance type such as m7i.large' }),
    z.meta({
      description:
        'The instance type of the worker nodes: of a family that the operator allows, with at least their CPU and memory. Only with `nodes.workers`. Default: the smallest that fits.',
      examples: ['m7i.large'],
    }),
  ),
  endpoint: z.enum(EndpointAccess.options, { error: 'expected public or private' }).check(
    z.meta({
      description:
        'From where the Kubernetes API is reached: `public`, from the internet and from the VPC, if the operator allows it; `private`, from the VPC only. Default: as the operator has set.',
      examples: ['private'],
    }),
  ),
  admin_principals: z
    .array(
      z.string({ error: principals }).check(
        z.regex(new RegExp(`^${arnPrefixPattern}:iam::[0-9]{12}:(role|user)/[\\w+=,.@/-]+$`), {
          error: 'expected the ARN of an IAM role or user',
        }),
      ),
      { error: principals },
    )
    .check(
      z.minLength(1, { error: principals }),
      z.describe(
        'ARNs of the IAM roles and users that administer the cluster: some of the operator’s. Default: all of them.',
      ),
    ),
};
const ClusterHints = z.partial(z.object(ClusterHint));
export type ClusterHints = z.infer<typeof ClusterHints>;

/** The hints of a cluster's spec. */
export const hintsOf = hintsReader(ClusterHints);
