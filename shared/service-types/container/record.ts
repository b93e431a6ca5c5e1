import * as z from 'zod/mini';
import { Tags } from '../../core/ownership.ts';
import type { LaunchedRecord, ResourceRecord } from '../../core/record.ts';
import type { RecordFormat, Records } from '../../ports/records.ts';
import { containerKind } from './kind.ts';
import { LaunchPlan, Placement, Port } from './launch.ts';

/** What is known of a container's task from its launch on. */
export const ContainerFacts = z.object({
  taskDefinitionArn: z.optional(z.string()),
  /** Undefined of a task that was not launched by us. */
  ecsCluster: z.optional(z.string()),
  launch: z.optional(Placement.shape.launch),
  zone: z.optional(z.string()),
  privateAddress: z.optional(z.string()),
  /** Whether its launch asked for a public address. */
  getsPublicAddress: z.optional(z.boolean()),
  ports: z.optional(z.array(Port)),
  size: z.optional(LaunchPlan.shape.size),
  logs: z.optional(LaunchPlan.shape.logs),
  labels: z.optional(Tags),
  /** Milliseconds since 1970, on ECS's clock. */
  launchedAtMs: z.int(),
});
export type ContainerFacts = z.infer<typeof ContainerFacts>;

export type ContainerRecord = ResourceRecord<LaunchPlan, ContainerFacts>;
export type LaunchedContainerRecord = LaunchedRecord<LaunchPlan, ContainerFacts>;
export type ContainerRecords = Records<LaunchPlan, ContainerFacts>;

/** What a task itself shows. */
export const factsSeen = (task: Omit<ContainerFacts, 'size'>): ContainerFacts => {
  const { taskDefinitionArn, zone, privateAddress, launchedAtMs } = task;
  return { taskDefinitionArn, zone, privateAddress, launchedAtMs };
};

/** What is seen of a task, and what the plan that it was launched for says of it. */
const factsOf = (
  record: Pick<ContainerRecord, 'launch' | 'attempt'> | undefined,
  seen: ContainerFacts,
): ContainerFacts => {
  if (!record?.launch) return seen;
  const { ecsCluster, taskDefinitionArn, placements, publicAddress, ports, size, logs, labels } =
    record.launch;
  return {
    ...seen,
    taskDefinitionArn: seen.taskDefinitionArn ?? taskDefinitionArn,
    launch: placements[record.attempt]?.launch,
    getsPublicAddress: publicAddress,
    ...{ ecsCluster, ports, size, logs },
    ...(labels !== undefined && { labels }),
  };
};

/** How the records of containers are stored. */
export const containerRecords: RecordFormat<LaunchPlan, ContainerFacts> = {
  kind: containerKind,
  launch: LaunchPlan,
  facts: ContainerFacts,
  factsOf,
};
