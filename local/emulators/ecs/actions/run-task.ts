import * as z from 'zod';
import type { Tags } from '../../../../shared/core/ownership.ts';
import { Ec2Error } from '../../ec2/query-protocol.ts';
import { JsonApiError } from '../../json-api.ts';
import { ecsLimits } from '../limits.ts';
import type { Region } from '../region.ts';
import { TagList, withinLimit } from '../tags.ts';
import { type Cluster, type Run, type SimulatedTask, taskAnswer } from '../task.ts';
import type { TaskDefinition } from '../task-definitions.ts';
import { clusterOf } from './clusters.ts';

const Network = z.object({
  subnets: z.array(z.string()).min(1).max(ecsLimits.subnets),
  securityGroups: z.array(z.string()).max(ecsLimits.securityGroups).default([]),
  assignPublicIp: z.enum(['ENABLED', 'DISABLED']).default('DISABLED'),
});

const Override = z.looseObject({ name: z.string(), command: z.array(z.string()).optional() });

const Strategy = z.object({
  capacityProvider: z.string(),
  weight: z.int().min(0).max(1000).default(0),
  base: z.int().min(0).max(100_000).default(0),
});

/** The parameters of RunTask; others are ignored. */
const RunRequest = z.object({
  cluster: z.string().optional(),
  taskDefinition: z.string(),
  count: z.int().min(1).max(ecsLimits.tasksPerRunTask).default(1),
  clientToken: z
    .string()
    .max(ecsLimits.clientTokenCharacters)
    .regex(/^[!-~]+$/)
    .optional(),
  launchType: z.enum(['EC2', 'FARGATE', 'EXTERNAL', 'MANAGED_INSTANCES']).optional(),
  capacityProviderStrategy: z.array(Strategy).max(ecsLimits.capacityProviders).default([]),
  platformVersion: z.string().default('LATEST'),
  networkConfiguration: z.object({ awsvpcConfiguration: Network }).optional(),
  startedBy: z
    .string()
    .max(ecsLimits.startedByCharacters)
    .regex(/^[A-Za-z0-9/_-]+$/)
    .optional(),
  group: z.string().max(ecsLimits.groupCharacters).optional(),
  overrides: z
    .object({ containerOverrides: z.array(Override).default([]) })
    .default({ containerOverrides: [] }),
  tags: TagList,
  propagateTags: z.enum(['TASK_DEFINITION', 'SERVICE', 'NONE']).optional(),
  enableECSManagedTags: z.boolean().default(false),
});
type RunRequest = z.infer<typeof RunRequest>;

type Remembered = { readonly parameters: string; readonly taskIds: readonly string[]; readonly atMs: number };

/**
 * Runs tasks. What ECS has no capacity for is answered with 200 and `failures`.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
 */
export const runTaskOperation = () => {
  /** By region, cluster and client token. */
  const remembered = new Map<string, Remembered>();

  return (input: unknown, region: Region) => {
    const { clientToken, ...request } = RunRequest.parse(input);
    const cluster = clusterOf(request.cluster, region);
    const tags = withinLimit(request.tags);
    const key = clientToken && `${cluster.arn} ${clientToken}`;
    const parameters = JSON.stringify(request);
    const { clock } = region.account;
    const repeated = key ? remembered.get(key) : undefined;
    if (repeated && clock() - repeated.atMs < ecsLimits.clientTokenMs) {
      return { tasks: tasksOfToken(repeated, parameters, region).map(answer), failures: [] };
    }
    const run = checkRun(request, { cluster, definition: definitionOf(request, region) }, region);
    if (run === undefined) return { tasks: [], failures: [noCapacity] };
    const tasks = runWithinLimit(request.count, run, { ...tags, ...moreTags(request, run) }, region);
    if (key && tasks.length > 0) {
      remembered.set(key, { parameters, taskIds: tasks.map(({ id }) => id), atMs: clock() });
    }
    const failures = Array.from({ length: request.count - tasks.length }, () => vcpuLimit);
    return { tasks: tasks.map(answer), failures };
  };
};

/** Runs as many tasks as the vCPU limit allows. */
const runWithinLimit = (count: number, run: Run, tags: Tags, region: Region): readonly SimulatedTask[] => {
  const tasks: SimulatedTask[] = [];
  while (tasks.length < count && hasVcpus(run, region)) tasks.push(region.run(run, tags));
  return tasks;
};

const answer = (task: SimulatedTask) => taskAnswer(task, true);

const invalid = (message: string): JsonApiError => new JsonApiError('InvalidParameterException', message);

/** The tasks that an earlier call with the same client token ran. */
const tasksOfToken = (
  { taskIds, parameters }: Remembered,
  asked: string,
  region: Region,
): readonly SimulatedTask[] => {
  const tasks = taskIds.flatMap((id) => region.remembered(id) ?? []);
  if (parameters === asked) return tasks;
  throw new JsonApiError(
    'ConflictException',
    'The client token was used before by a request with other parameters.',
    { fields: { resourceIds: tasks.map(({ arn }) => arn) } },
  );
};

const moreTags = (
  { enableECSManagedTags, propagateTags }: RunRequest,
  { cluster, definition }: Run,
): Tags => ({
  ...(propagateTags === 'TASK_DEFINITION' && definition.tags),
  ...(enableECSManagedTags && { 'aws:ecs:clusterName': cluster.name }),
});

const definitionOf = ({ taskDefinition }: RunRequest, { definitions }: Region): TaskDefinition => {
  const definition = definitions.lookUp(taskDefinition);
  if (definition === undefined) throw invalid('TaskDefinition not found.');
  if (!definition.isActive) throw invalid('TaskDefinition is inactive');
  if (definition.requiresCompatibilities.includes('FARGATE')) return definition;
  throw invalid('Task definition does not support launch_type FARGATE.');
};

type Named = { readonly cluster: Cluster; readonly definition: TaskDefinition };

/** The run of a request; undefined where no requested subnet has capacity. @throws JsonApiError where ECS refuses the request. */
const checkRun = (request: RunRequest, { cluster, definition }: Named, region: Region): Run | undefined => {
  const { overrides, startedBy, platformVersion, capacityProviderStrategy: strategy } = request;
  const capacityProvider = capacityProviderOf(request, cluster);
  const network = networkOf(request, region);
  if (!/^(LATEST|1\.[34]\.0)$/.test(platformVersion)) {
    throw new JsonApiError('PlatformUnknownException', 'The specified platform version does not exist.');
  }
  if (request.propagateTags === 'SERVICE') throw invalid('SERVICE is not a valid value of propagateTags.');
  checkOverrides(overrides, definition);
  const placed = network.subnets.find(({ zone }) => hasCapacity({ capacityProvider, zone }, region));
  return (
    placed && {
      ...{ cluster, definition, capacityProvider, overrides, startedBy },
      hasStrategy: strategy.length > 0,
      platformVersion: platformVersion === 'LATEST' ? '1.4.0' : platformVersion,
      ...{ subnetId: placed.id, zone: placed.zone, securityGroupIds: network.securityGroups },
      publicAddress: network.assignPublicIp === 'ENABLED',
      group: groupOf(request, definition),
    }
  );
};

const capacityProviderOf = (
  { launchType, capacityProviderStrategy: strategy }: RunRequest,
  { capacityProviders }: Cluster,
): Run['capacityProvider'] => {
  if (launchType !== undefined && strategy.length > 0) {
    throw invalid('Specifying both a launch type and capacity provider strategy is not supported.');
  }
  if (launchType === 'FARGATE') return 'FARGATE';
  if (strategy.length === 0) throw invalid('No Container Instances were found in your cluster.');
  const unknown = strategy.find(({ capacityProvider }) => !capacityProviders.includes(capacityProvider));
  if (unknown) {
    throw invalid(`The specified capacity provider '${unknown.capacityProvider}' was not found.`);
  }
  if (strategy.length > 1 && strategy.every(({ weight }) => weight === 0)) {
    throw invalid('At least one capacity provider must have a weight greater than 0.');
  }
  const [preferred] = [...strategy].sort((a, b) => b.base - a.base || b.weight - a.weight);
  return preferred?.capacityProvider === 'FARGATE_SPOT' ? 'FARGATE_SPOT' : 'FARGATE';
};

const networkOf = ({ networkConfiguration }: RunRequest, { network }: Region) => {
  if (networkConfiguration === undefined) {
    throw invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  const { subnets, securityGroups, assignPublicIp } = networkConfiguration.awsvpcConfiguration;
  const known = subnets.map((id) => retrieved('subnet', id, network.subnet));
  const groups = securityGroups.map((id) => retrieved('security group', id, network.securityGroup));
  const foreign = groups.find(({ vpcId }) => known.some((subnet) => subnet.vpcId !== vpcId));
  if (foreign) throw invalid(`The security group ${foreign.id} is in another VPC than the subnets.`);
  return { subnets: known, securityGroups, assignPublicIp };
};

const retrieved = <Found>(what: string, id: string, lookUp: (id: string) => Found): Found => {
  try {
    return lookUp(id);
  } catch (error) {
    if (!(error instanceof Ec2Error)) throw error;
    throw invalid(
      `Error retrieving ${what} information for [${id}]: ${error.message} (ErrorCode: ${error.code})`,
    );
  }
};

const checkOverrides = (
  overrides: RunRequest['overrides'],
  { containerDefinitions }: TaskDefinition,
): void => {
  if (JSON.stringify(overrides).length > ecsLimits.overridesCharacters) {
    throw invalid(`Container Overrides length must be at most ${ecsLimits.overridesCharacters}`);
  }
  const names = containerDefinitions.map(({ name }) => name);
  const unknown = overrides.containerOverrides.find(({ name }) => !names.includes(name));
  if (unknown) {
    throw invalid(`Override for container named ${unknown.name} is not a container in the TaskDefinition.`);
  }
};

const groupOf = ({ group }: RunRequest, { family }: TaskDefinition): string => {
  if (group !== undefined && /^(family|service):/.test(group)) throw invalid('Invalid namespace for group.');
  return group ?? `family:${family}`;
};

type Wanted = Pick<Run, 'capacityProvider' | 'zone'>;

const hasCapacity = ({ capacityProvider, zone }: Wanted, { account }: Region): boolean =>
  !account
    .faults()
    .noCapacity.some(
      (lack) =>
        (lack.capacityProvider ?? capacityProvider) === capacityProvider && (lack.zone ?? zone) === zone,
    );

/** On-demand tasks count from RunTask until they have stopped. */
const hasVcpus = ({ capacityProvider, definition }: Run, region: Region): boolean => {
  const limit = region.account.faults().vcpuLimit;
  if (limit === Number.POSITIVE_INFINITY || capacityProvider === 'FARGATE_SPOT') return true;
  const inUse = [...region.tasks()].filter(
    ({ run, lastStatus }) => run.capacityProvider === 'FARGATE' && lastStatus !== 'STOPPED',
  );
  const units = inUse.reduce((sum, { run }) => sum + (run.definition.cpu ?? 0), definition.cpu ?? 0);
  return units / 1024 <= limit;
};

const noCapacity = {
  reason: 'Capacity is unavailable at this time. Please try again later or in a different availability zone',
} as const;

const vcpuLimit = {
  reason: "You've reached the limit on the number of vCPUs you can run concurrently",
} as const;
