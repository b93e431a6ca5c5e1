import * as z from 'zod/mini';
import { Tags } from '../../core/ownership.ts';
import { attemptsPerGeneration } from '../client-token.ts';

/** One try of a launch. */
export const Placement = z.object({
  launch: z.enum(['fargate', 'fargate_spot']),
  /** ECS chooses one of these subnets. */
  subnets: z.array(z.string()),
});
export type Placement = z.infer<typeof Placement>;

/** A port that others may reach. */
export const Port = z.object({ port: z.int(), scope: z.enum(['internal', 'external']) });

/**
 * Everything that RunTask needs for a container. It is stored before ECS is asked, so that the request that takes over after a crash asks
 * for the same task. It has no environment variables, which may be secrets: those are in the task definition alone.
 */
export const LaunchPlan = z.object({
  /** The key of its target. */
  region: z.string(),
  /** The DCM id, for `startedBy` and `group`. */
  dcmId: z.string(),
  ecsCluster: z.string(),
  taskDefinitionArn: z.string(),
  /** One to three, the best first. The next one is tried where Fargate has no capacity. */
  placements: z.tuple([Placement], Placement).check(z.maxLength(attemptsPerGeneration)),
  securityGroupIds: z.array(z.string()),
  publicAddress: z.boolean(),
  /** The labels, and the tags that mark the task as ours for people; StopTask removes them. */
  tags: Tags,
  /** As in Facts (core/record.ts). */
  labels: z.optional(Tags),
  ports: z.array(Port),
  /** vCPUs and MiB of the task, and which rule chose them, in words. */
  size: z.object({ vcpus: z.number(), memoryMib: z.int(), chosenBy: z.string() }),
  /** The log group and the beginning of the name of the log stream. */
  logs: z.object({ group: z.string(), streamPrefix: z.string() }),
});
export type LaunchPlan = z.infer<typeof LaunchPlan>;
