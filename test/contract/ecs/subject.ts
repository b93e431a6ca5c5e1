import { randomUUID } from 'node:crypto';
import { EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeTasksCommand,
  ECSClient,
  ECSServiceException,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  RunTaskCommand,
  type RunTaskCommandInput,
  StopTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs';
import { expect, vi } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { startEc2Simulator } from '../../../local/emulators/ec2/start-ec2-simulator.ts';
import type { DwellMs } from '../../../local/emulators/ecs/lifecycle.ts';
import {
  type EcsEmulatorOptions,
  startEcsEmulator,
} from '../../../local/emulators/ecs/start-ecs-emulator.ts';
import type { TaskTransition } from '../../../local/emulators/ecs/task-life.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';

/** Subnets of the default VPC, in the first two zones, and one of the other VPC. */
export const subnets = ['subnet-0a1b2c3d4e5f60718', 'subnet-0a1b2c3d4e5f60719'];
export const group = 'sg-0a1b2c3d4e5f60718';
export const executionRole = 'arn:aws:iam::123456789012:role/dcm-execution';

const quick: DwellMs = {
  ...{ missing: 0, PROVISIONING: 5, PENDING: 10, ACTIVATING: 5, RUNNING: 5, DEACTIVATING: 5 },
  ...{ DEPROVISIONING: 5, failedPull: 10, shortRun: 5, sigterm: 5 },
};

type Process = {
  readonly image?: string;
  readonly entryPoint?: string[];
  readonly command?: string[];
  readonly stopTimeout?: number;
};

export type EcsSubject = Awaited<ReturnType<typeof startSubject>>;

/** Emulators of ECS and EC2 that are quick, the stock clients of both, and the events of the tasks. */
export const startSubject = async (options: Partial<EcsEmulatorOptions> = {}) => {
  const events: EventBridgeEvent[] = [];
  const transitions: TaskTransition[] = [];
  const clock = options.clock === undefined ? {} : { clock: options.clock };
  const ec2 = await startEc2Simulator({ emit: () => undefined, ...clock });
  const emulator = await startEcsEmulator({
    network: ec2.network,
    emit: (event) => void events.push(event),
    onTransition: (transition) => transitions.push(transition),
    dwellMs: quick,
    clusters: ['dcm'],
    ...options,
  });
  const ecs = new ECSClient({ ...clientConfig(emulator.url), maxAttempts: 1 });
  const ec2Client = new EC2Client(clientConfig(ec2.url));

  const register = async (
    { stopTimeout, ...process }: Process = {},
    definition: Partial<RegisterTaskDefinitionCommandInput> = {},
  ): Promise<string> => {
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: `dcm-${randomUUID()}`,
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        ...{ cpu: '256', memory: '512' },
        containerDefinitions: [
          { name: 'main', image: 'nginx:alpine', ...process, ...(stopTimeout && { stopTimeout }) },
        ],
        ...definition,
      }),
    );
    return taskDefinition?.taskDefinitionArn ?? '';
  };
  const runInput = (
    taskDefinition: string,
    input: Partial<RunTaskCommandInput> = {},
  ): RunTaskCommandInput => ({
    cluster: 'dcm',
    taskDefinition,
    ...(input.capacityProviderStrategy === undefined && { launchType: 'FARGATE' }),
    networkConfiguration: { awsvpcConfiguration: { subnets } },
    ...input,
  });
  const runTask = async (taskDefinition: string, input?: Partial<RunTaskCommandInput>): Promise<Task> => {
    const { tasks = [] } = await ecs.send(new RunTaskCommand(runInput(taskDefinition, input)));
    return tasks[0] ?? expect.fail('no task was run');
  };
  const described = async (task: string): Promise<Task | undefined> => {
    const { tasks = [] } = await ecs.send(
      new DescribeTasksCommand({ cluster: 'dcm', tasks: [task], include: ['TAGS'] }),
    );
    return tasks[0];
  };

  return {
    emulator,
    ec2,
    ecs,
    ec2Client,
    events,
    transitions,
    register,
    runInput,
    runTask,
    described,
    /** The ARN of a task of a new definition. */
    run: async (process: Process = {}, input?: Partial<RunTaskCommandInput>): Promise<string> => {
      const { taskArn = '' } = await runTask(await register(process), input);
      return taskArn;
    },
    stop: (task: string, reason?: string) =>
      ecs.send(new StopTaskCommand({ cluster: 'dcm', task, ...(reason && { reason }) })),
    /** The task, once its last status is this one. */
    reaches: (task: string, lastStatus: string): Promise<Task> =>
      vi.waitFor(
        async () => {
          const shown = await described(task);
          expect(shown?.lastStatus).toBe(lastStatus);
          return shown ?? expect.fail();
        },
        { timeout: 20_000, interval: 5 },
      ),
    [Symbol.asyncDispose]: async () => {
      ecs.destroy();
      ec2Client.destroy();
      await emulator[Symbol.asyncDispose]();
      await ec2[Symbol.asyncDispose]();
    },
  };
};

/** The error that a call ends in. */
export const refusal = (call: Promise<unknown>): Promise<ECSServiceException> =>
  call.then(
    () => expect.fail('the call succeeded'),
    (error) => (error instanceof ECSServiceException ? error : expect.fail(String(error))),
  );
