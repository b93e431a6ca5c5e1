import type { Target } from '../../core/target.ts';
import type { DescribedResource, DescribedResources } from '../../ports/described-resources.ts';
import type { TaskState } from './kind.ts';
import type { LaunchPlan, Placement } from './launch.ts';
import type { TaskDefinition } from './plan/task-definition.ts';

/** A task as ECS shows it. */
export type Task = DescribedResource<TaskState> & {
  /** ECS's own word for the state, where it is not known. */
  readonly unrecognised?: string | undefined;
  readonly taskDefinitionArn?: string | undefined;
  /** Availability Zone. */
  readonly zone?: string | undefined;
};

export type Tasks = DescribedResources<Task>;

/** The actions on ECS tasks. Rejects with the error of core/errors.ts that belongs to ECS's error code. */
export type TaskActions = {
  /**
   * The ARN of an active task definition with exactly this content: an earlier one, or a new one.
   * @throws ProviderError
   */
  define(target: Target, definition: TaskDefinition): Promise<string>;
  /**
   * Launches exactly one task. Idempotent by `clientToken` for 24 hours, also where the plan differs from that of the earlier call.
   * @throws CapacityError where Fargate has no capacity for this placement, but may have some for another; ResourceExhaustedError where a
   * quota is used up; other ProviderErrors.
   */
  run(plan: LaunchPlan, placement: Placement, clientToken: string): Promise<Task>;
  /**
   * Stops a task. Resolves also where it has stopped already.
   * @returns the task after the call; undefined where ECS does not know it, or does not know it yet.
   */
  stop(target: Target, resourceId: string): Promise<Task | undefined>;
};
