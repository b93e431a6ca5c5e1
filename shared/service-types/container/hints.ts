import * as z from 'zod/mini';
import { arnPrefixPattern } from '../../adapters/aws/regions.ts';
import { hintsReader } from '../read-spec.ts';

const role = 'expected the ARN of an IAM role';
const storage = 'expected a whole number from 21 to 200';
const seconds = 'expected a whole number from 2 to 120';

/** How long a container has to end after SIGTERM, unless a hint says otherwise: DCM waits 30 s for the end of a deletion. */
export const defaultStopTimeoutSeconds = 10;

/** The fields of `provider_hints.aws` of a container. No other hint reaches ECS. */
export const ContainerHint = {
  cpu_architecture: z.enum(['x86_64', 'arm64'], { error: 'expected x86_64 or arm64' }).check(
    z.meta({
      description: 'The CPU architecture of the image.',
      default: 'x86_64',
    }),
  ),
  launch: z.enum(['fargate', 'fargate_spot'], { error: 'expected fargate or fargate_spot' }).check(
    z.meta({
      description:
        'Where the container runs. `fargate_spot` is cheaper, and AWS can end the container with a warning of two minutes; without spot capacity it runs on Fargate. The operator must allow it.',
      default: 'fargate',
    }),
  ),
  restart: z.enum(['never', 'in-place'], { error: 'expected never or in-place' }).check(
    z.meta({
      description:
        'What happens when the process ends. `never`: the container is SUCCEEDED or FAILED. `in-place`: ECS starts the process again in the same task, which stays RUNNING, if it has run for at least a minute.',
      default: 'never',
    }),
  ),
  ephemeral_storage: z.int({ error: storage }).check(
    z.minimum(21, { error: storage }),
    z.maximum(200, { error: storage }),
    z.meta({
      description: 'The size of the container’s disk in GiB, from 21 to 200. Default: 20.',
      examples: [50],
    }),
  ),
  task_role: z
    .string({ error: role })
    .check(
      z.regex(new RegExp(`^${arnPrefixPattern}:iam::[0-9]{12}:role/[\\w+=,.@/-]+$`), { error: role }),
      z.describe(
        'The ARN of the IAM role that the process has: one that the operator allows. Default: none.',
      ),
    ),
  stop_timeout: z.int({ error: seconds }).check(
    z.minimum(2, { error: seconds }), // Fargate takes no less,
    z.maximum(120, { error: seconds }),
    z.meta({
      description: 'Seconds between SIGTERM and SIGKILL, from 2 to 120.',
      default: defaultStopTimeoutSeconds,
    }),
  ),
};

const ContainerHints = z.partial(z.object(ContainerHint));
export type ContainerHints = z.infer<typeof ContainerHints>;

/** The hints of a container's spec. */
export const containerHintsOf = hintsReader(ContainerHints);
