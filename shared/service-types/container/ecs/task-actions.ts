import type {
  ContainerDefinition,
  Failure,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommandInput,
} from '@aws-sdk/client-ecs';
import { codeOf } from '../../../adapters/aws/errors.ts';
import {
  CapacityError,
  type ProviderError,
  ResourceExhaustedError,
  ThrottledError,
  UnprocessableError,
  UpstreamError,
} from '../../../core/errors.ts';
import { type Target, targetOfKey } from '../../../core/target.ts';
import { taskIdOf } from '../kind.ts';
import type { LaunchPlan, Placement } from '../launch.ts';
import type { TaskDefinition } from '../plan/task-definition.ts';
import type { Task, TaskActions } from '../ports.ts';
import { containerName, describedTask, type Identity, marksOf } from '../task.ts';
import { type EcsCalls, ecsCalls } from './calls.ts';
import { snapshotOf } from './tasks.ts';

type Parts = Identity & {
  /** Name or ARN of the target's ECS cluster; undefined where the target has no containers. */
  readonly clusterOf: (target: Target) => string | undefined;
  readonly call?: EcsCalls;
};

/** TaskActions by the ECS client of AWS's SDK. */
export const ecsTaskActions = ({ clusterOf, call = ecsCalls(), ...identity }: Parts): TaskActions => {
  const taskOf = (found: Parameters<typeof snapshotOf>[0]): Task[] =>
    snapshotOf(found).map((snapshot) => describedTask(snapshot, identity));

  return {
    define: (target, definition) =>
      call(
        target,
        `register a task definition for ${definition.container.image}`,
        async (ecs, client, options) => {
          const { family } = definition;
          const describe = new ecs.DescribeTaskDefinitionCommand({ taskDefinition: family });
          const register = new ecs.RegisterTaskDefinitionCommand(definitionInput(definition));
          for (let attempt = 0; attempt < concurrentAttempts; attempt++) {
            const { taskDefinition: earlier } = await client.send(describe, options).catch(noneIfUndefined);
            if (earlier?.status === 'ACTIVE' && earlier.taskDefinitionArn) return earlier.taskDefinitionArn;
            const registered = await client.send(register, options).catch(noneIfConcurrent);
            if (registered?.taskDefinition?.taskDefinitionArn)
              return registered.taskDefinition.taskDefinitionArn;
            await new Promise((resolve) => setTimeout(resolve, concurrentPauseMs));
          }
          throw new ThrottledError(
            `ECS in ${target.region} is registering task definition ${family} for other requests; retry the request`,
          );
        },
      ),

    run: (plan, placement, clientToken) =>
      call(targetOfKey(plan.region), 'run a task', async (ecs, client, options): Promise<Task> => {
        const command = new ecs.RunTaskCommand(runInput(plan, placement, { clientToken, ...identity }));
        const conflicting = (error: unknown) => {
          if (!(error instanceof ecs.ConflictException)) throw error;
          const describe = { cluster: plan.ecsCluster, tasks: error.resourceIds ?? [] };
          return client.send(new ecs.DescribeTasksCommand(describe), options);
        };
        const { tasks = [], failures = [] } = await client.send(command, options).catch(conflicting);
        const task = tasks.flatMap(taskOf).find((one) => one.clientToken === clientToken);
        if (task) return task;
        throw refusalOf(failures, plan);
      }),

    stop: (target, resourceId) =>
      call(target, `stop task ${resourceId}`, async (ecs, client, options) => {
        const command = new ecs.StopTaskCommand({
          cluster: clusterOf(target),
          task: taskIdOf(resourceId),
          reason: 'deleted by DCM',
        });
        const { task } = await client.send(command, options).catch(noneIfUnknown);
        return task === undefined ? undefined : taskOf(task)[0];
      }),
  };
};

const saysOf = (error: unknown): string => (error instanceof Error ? error.message : '');

/** ECS has no error code of its own for a family without an active definition. */
const noneIfUndefined = (error: unknown): { readonly taskDefinition?: undefined } => {
  if (codeOf(error) === 'ClientException' && /unable to describe/i.test(saysOf(error))) return {};
  throw error;
};

/** Requests that register the same family at once get this error; the next attempt finds the definition of the other one. */
const noneIfConcurrent = (error: unknown): undefined => {
  if (codeOf(error) === 'ClientException' && /too many concurrent/i.test(saysOf(error))) return undefined;
  throw error;
};

const concurrentAttempts = 5;
const concurrentPauseMs = 200;

const noneIfUnknown = (error: unknown): { readonly task?: undefined } => {
  if (codeOf(error) === 'InvalidParameterException' && /not found/i.test(saysOf(error))) return {};
  throw error;
};

/**
 * Why RunTask, answering 200, has launched nothing.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
 */
const refusalOf = ([failure]: readonly Failure[], { region }: LaunchPlan): ProviderError => {
  const { reason = 'no reason', detail } = failure ?? {};
  const why = `ECS in ${region} did not run a task: ${reason}${detail ? ` (${detail})` : ''}`;
  if (/\blimit\b/i.test(reason)) return new ResourceExhaustedError(why);
  if (/capacity|^(RESOURCE|AGENT|LOCATION|ATTRIBUTE)\b/i.test(reason)) return new CapacityError(why);
  return failure === undefined ? new UpstreamError(why) : new UnprocessableError(why);
};

/** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html */
const runInput = (
  plan: LaunchPlan,
  { launch, subnets }: Placement,
  { clientToken, provider }: { readonly clientToken: string; readonly provider: string },
): RunTaskCommandInput => ({
  cluster: plan.ecsCluster,
  taskDefinition: plan.taskDefinitionArn,
  count: 1,
  clientToken,
  ...marksOf(provider, { dcmId: plan.dcmId, clientToken }),
  ...(launch === 'fargate'
    ? { launchType: 'FARGATE' }
    : { capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }] }),
  enableECSManagedTags: true,
  networkConfiguration: {
    awsvpcConfiguration: {
      subnets,
      ...(plan.securityGroupIds.length > 0 && { securityGroups: plan.securityGroupIds }),
      assignPublicIp: plan.publicAddress ? 'ENABLED' : 'DISABLED',
    },
  },
  tags: Object.entries(plan.tags).map(([key, value]) => ({ key, value })),
});

/** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html */
const definitionInput = (definition: TaskDefinition): RegisterTaskDefinitionCommandInput => {
  const { family, size, architecture, executionRoleArn, taskRoleArn, storageGib } = definition;
  return {
    family,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: String(size.cpuUnits),
    memory: String(size.memoryMib),
    runtimePlatform: { cpuArchitecture: architecture, operatingSystemFamily: 'LINUX' },
    executionRoleArn,
    ...(taskRoleArn !== undefined && { taskRoleArn }),
    ...(storageGib !== undefined && { ephemeralStorage: { sizeInGiB: storageGib } }),
    containerDefinitions: [containerInput(definition)],
  };
};

const containerInput = ({ container, logs }: TaskDefinition): ContainerDefinition => ({
  name: containerName,
  image: container.image,
  essential: true,
  cpu: container.cpuUnits,
  memory: container.memoryMib,
  memoryReservation: container.memoryReservationMib,
  ...(container.entryPoint.length > 0 && { entryPoint: [...container.entryPoint] }),
  ...(container.command.length > 0 && { command: [...container.command] }),
  environment: container.environment.map(({ name, value }) => ({ name, value })),
  portMappings: container.ports.map((port) => ({ containerPort: port, hostPort: port, protocol: 'tcp' })),
  stopTimeout: container.stopTimeoutSeconds,
  ...(container.restartAfterSeconds !== undefined && {
    restartPolicy: { enabled: true, restartAttemptPeriod: container.restartAfterSeconds },
  }),
  logConfiguration: {
    logDriver: 'awslogs',
    options: {
      'awslogs-group': logs.group,
      'awslogs-region': logs.region,
      'awslogs-stream-prefix': logs.streamPrefix,
    },
  },
});
