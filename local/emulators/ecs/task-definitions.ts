import * as z from 'zod';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { JsonApiError } from '../json-api.ts';
import { ecsLimits } from './limits.ts';
import { ListPage, pageOf } from './page.ts';
import { TagList, tagList, withinLimit } from './tags.ts';

/** A size that Fargate has: the vCPU units, and the memory in MiB from `minimum` to `maximum` in steps. */
type FargateSize = {
  readonly cpu: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly step: number;
};

/**
 * The sizes of Linux tasks. The smallest one also has 512 MiB.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
 */
const fargateSizes: readonly FargateSize[] = [
  { cpu: 256, minimum: 512, maximum: 512, step: 1 },
  { cpu: 256, minimum: 1024, maximum: 2048, step: 1024 },
  { cpu: 512, minimum: 1024, maximum: 4096, step: 1024 },
  { cpu: 1024, minimum: 2048, maximum: 8192, step: 1024 },
  { cpu: 2048, minimum: 4096, maximum: 16_384, step: 1024 },
  { cpu: 4096, minimum: 8192, maximum: 30_720, step: 1024 },
  { cpu: 8192, minimum: 16_384, maximum: 61_440, step: 4096 },
  { cpu: 16_384, minimum: 32_768, maximum: 122_880, step: 8192 },
];

const isFargateSize = (cpu: number, memory: number): boolean =>
  fargateSizes.some(
    (size) =>
      size.cpu === cpu &&
      memory >= size.minimum &&
      memory <= size.maximum &&
      (memory - size.minimum) % size.step === 0,
  );

const PortMapping = z.object({
  containerPort: z.int().min(1).max(65_535),
  hostPort: z.int().min(0).max(65_535).optional(),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  name: z.string().optional(),
  appProtocol: z.string().optional(),
});

const LogConfiguration = z.looseObject({
  logDriver: z.string(),
  options: z.record(z.string(), z.string()).default({}),
});

const RestartPolicy = z.object({
  enabled: z.boolean(),
  restartAttemptPeriod: z.int().min(60).max(1800).default(300),
  ignoredExitCodes: z.array(z.int()).max(50).default([]),
});

/** Other parameters are stored and have no effect. */
const ContainerDefinition = z.looseObject({
  name: z.string().regex(/^[\w-]{1,255}$/),
  image: z.string().min(1).max(255),
  cpu: z.int().min(0).default(0),
  memory: z.int().min(4).optional(),
  memoryReservation: z.int().min(4).optional(),
  essential: z.boolean().default(true),
  entryPoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.array(z.object({ name: z.string(), value: z.string().default('') })).default([]),
  portMappings: z.array(PortMapping).default([]),
  logConfiguration: LogConfiguration.optional(),
  repositoryCredentials: z.object({ credentialsParameter: z.string() }).optional(),
  secrets: z.array(z.unknown()).optional(),
  restartPolicy: RestartPolicy.optional(),
  stopTimeout: z.int().optional(),
});
export type ContainerDefinition = z.infer<typeof ContainerDefinition>;

/** vCPU units, or vCPUs as text: `1024`, `1 vCPU`, `.5 vcpu`. */
const Cpu = z.string().transform((text, context) => amountIn(text, /^([\d.]+)\s*vcpu$/i, context));
/** MiB, or GiB as text: `2048`, `2GB`, `0.5 GB`. */
const Memory = z.string().transform((text, context) => amountIn(text, /^([\d.]+)\s*gb$/i, context));

/** A whole number, or 1024 times the number of the larger unit. */
const amountIn = (text: string, largerUnit: RegExp, { addIssue }: z.RefinementCtx): number => {
  if (/^\d+$/.test(text)) return Number(text);
  const larger = Number(largerUnit.exec(text)?.[1]) * 1024;
  if (Number.isInteger(larger)) return larger;
  addIssue({ code: 'custom', message: `Invalid value '${text}' specified.` });
  return z.NEVER;
};

const RegisterRequest = z.object({
  family: z.string().regex(/^[\w-]{1,255}$/),
  containerDefinitions: z.array(ContainerDefinition).min(1).max(ecsLimits.containersPerDefinition),
  cpu: Cpu.optional(),
  memory: Memory.optional(),
  networkMode: z.enum(['bridge', 'host', 'awsvpc', 'none']).optional(),
  requiresCompatibilities: z.array(z.string()).default([]),
  executionRoleArn: z.string().optional(),
  taskRoleArn: z.string().optional(),
  ephemeralStorage: z.object({ sizeInGiB: z.int() }).optional(),
  runtimePlatform: z
    .object({ cpuArchitecture: z.string().optional(), operatingSystemFamily: z.string().optional() })
    .optional(),
  volumes: z.array(z.unknown()).default([]),
  tags: TagList,
});
type RegisterRequest = z.infer<typeof RegisterRequest>;

export type TaskDefinition = Omit<RegisterRequest, 'tags'> & {
  readonly arn: string;
  readonly revision: number;
  readonly isActive: boolean;
  readonly registeredAtMs: number;
  readonly deregisteredAtMs: number | undefined;
  readonly tags: Tags;
};

const Described = z.object({
  taskDefinition: z.string(),
  include: z.array(z.literal('TAGS')).default([]),
});
const Listed = ListPage.extend({
  familyPrefix: z.string().optional(),
  status: z.enum(['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS']).default('ACTIVE'),
});

export type TaskDefinitions = ReturnType<typeof taskDefinitions>;

type Options = { readonly account: string; readonly region: string; readonly clock: Clock };

/** The task definitions of one region, and ECS's operations on them. */
export const taskDefinitions = ({ account, region, clock }: Options) => {
  const families = new Map<string, TaskDefinition[]>();

  /** The revision named by an ARN, `family:revision` or, for its latest active revision, `family`. */
  const lookUp = (name: string): TaskDefinition | undefined => {
    const [family = '', revision] = (name.split('/').at(-1) ?? '').split(':');
    const revisions = families.get(family) ?? [];
    if (revision === undefined) return revisions.findLast(({ isActive }) => isActive);
    return revisions.find((one) => String(one.revision) === revision);
  };
  const replace = (changed: TaskDefinition): TaskDefinition => {
    const revisions = families.get(changed.family) ?? [];
    families.set(
      changed.family,
      revisions.map((one) => (one.revision === changed.revision ? changed : one)),
    );
    return changed;
  };
  const add = (input: unknown): TaskDefinition => {
    const { tags, ...request } = RegisterRequest.parse(input);
    checkDefinition(request, input);
    const before = families.get(request.family) ?? [];
    const revision = before.length + 1;
    const definition = {
      ...request,
      arn: `arn:aws:ecs:${region}:${account}:task-definition/${request.family}:${revision}`,
      ...{ revision, isActive: true, registeredAtMs: clock(), deregisteredAtMs: undefined },
      tags: withinLimit(tags),
    };
    families.set(request.family, [...before, definition]);
    return definition;
  };

  return {
    lookUp,
    add,
    replace,
    /** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html */
    register: (input: unknown) => {
      const definition = add(input);
      return { taskDefinition: definitionAnswer(definition), tags: tagList(definition.tags) };
    },
    /** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html */
    deregister: (input: unknown) => {
      const { taskDefinition: name } = Described.parse(input);
      if (!/:\d+$/.test(name)) throw clientError('The task definition must have a revision.');
      const definition = lookUp(name);
      if (definition === undefined) throw clientError('The specified task definition does not exist.');
      const { deregisteredAtMs = clock() } = definition;
      return {
        taskDefinition: definitionAnswer(replace({ ...definition, isActive: false, deregisteredAtMs })),
      };
    },
    /** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html */
    describe: (input: unknown) => {
      const { taskDefinition: name, include } = Described.parse(input);
      const definition = lookUp(name);
      if (definition === undefined) throw clientError('Unable to describe task definition.');
      return {
        taskDefinition: definitionAnswer(definition),
        ...(include.includes('TAGS') && { tags: tagList(definition.tags) }),
      };
    },
    /**
     * `familyPrefix` is a whole family name. Sorted in ascending order only.
     * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html
     */
    list: (input: unknown) => {
      const { familyPrefix, status, ...paging } = Listed.parse(input);
      const found = [...families.values()]
        .flat()
        .filter(({ family }) => familyPrefix === undefined || family === familyPrefix)
        .filter(({ isActive }) => status === (isActive ? 'ACTIVE' : 'INACTIVE'))
        .sort((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1));
      const { page, nextToken } = pageOf(found, paging, positionOf);
      return { taskDefinitionArns: page.map(({ arn }) => arn), nextToken };
    },
  };
};

const positionOf = ({ family, revision }: TaskDefinition): string =>
  `${family}:${String(revision).padStart(9, '0')}`;

const clientError = (message: string): JsonApiError => new JsonApiError('ClientException', message);

type Definition = Omit<RegisterRequest, 'tags'>;

/** Checks a definition as ECS does. @throws JsonApiError */
const checkDefinition = (definition: Definition, input: unknown): void => {
  const { containerDefinitions: containers } = definition;
  if (JSON.stringify(input).length > ecsLimits.definitionBytes) {
    throw clientError('Actual length of the task definition exceeds the maximum of 64 KiB.');
  }
  if (new Set(containers.map(({ name }) => name)).size < containers.length) {
    throw clientError('Container names must be unique.');
  }
  if (!containers.some(({ essential }) => essential)) {
    throw clientError('A task definition must have at least one essential container.');
  }
  for (const { name, portMappings } of containers) {
    const isMoved = portMappings.some(
      ({ containerPort, hostPort = containerPort }) => hostPort !== containerPort,
    );
    if (definition.networkMode === 'awsvpc' && isMoved) {
      throw clientError(
        `When networkMode=awsvpc, the host ports and container ports in port mappings must match (container ${name}).`,
      );
    }
  }
  for (const role of [definition.executionRoleArn, definition.taskRoleArn]) {
    if (role !== undefined && !/^arn:[a-z-]+:iam::\d{12}:role\/.+/.test(role)) {
      throw clientError('Role is not valid');
    }
  }
  if (definition.requiresCompatibilities.includes('FARGATE')) checkForFargate(definition);
};

const checkForFargate = (definition: Definition): void => {
  const { cpu, memory, networkMode, ephemeralStorage, containerDefinitions: containers } = definition;
  if (networkMode !== 'awsvpc') throw clientError("Fargate only supports network mode 'awsvpc'.");
  if (cpu === undefined) throw clientError("Fargate requires that 'cpu' be defined at the task level.");
  if (memory === undefined) throw clientError("Fargate requires that 'memory' be defined at the task level.");
  if (!isFargateSize(cpu, memory)) {
    throw clientError(`No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`);
  }
  if (sumOf(containers, ({ cpu: share }) => share) > cpu) {
    throw clientError("The total of the containers' CPU units is larger than the CPU units of the task.");
  }
  if (sumOf(containers, ({ memoryReservation = 0 }) => memoryReservation) > memory) {
    throw clientError("The total of the containers' memory is larger than the memory of the task.");
  }
  const { minimum, maximum } = ecsLimits.ephemeralStorageGib;
  const gib = ephemeralStorage?.sizeInGiB ?? minimum;
  if (gib < minimum || gib > maximum) {
    throw clientError(`Ephemeral storage must be from ${minimum} to ${maximum} GiB.`);
  }
  for (const container of containers) checkContainer(container, definition);
};

const sumOf = (
  containers: readonly ContainerDefinition[],
  amount: (container: ContainerDefinition) => number,
): number => containers.reduce((sum, container) => sum + amount(container), 0);

const checkContainer = (
  container: ContainerDefinition,
  { memory = 0, executionRoleArn }: Definition,
): void => {
  const { name, logConfiguration: log, stopTimeout } = container;
  if ((container.memory ?? 0) > memory) {
    throw clientError(`The memory of the container ${name} is larger than the memory of the task.`);
  }
  const { minimum, maximum } = ecsLimits.stopTimeoutSeconds;
  if (stopTimeout !== undefined && (stopTimeout < minimum || stopTimeout > maximum)) {
    throw clientError(`The stop timeout must be from ${minimum} to ${maximum} seconds.`);
  }
  const needing = needsExecutionRole(container);
  if (executionRoleArn === undefined && needing !== undefined) {
    throw clientError(`Fargate requires task definition to have execution role ARN to support ${needing}.`);
  }
  for (const option of log?.logDriver === 'awslogs' ? ['group', 'region', 'stream-prefix'] : []) {
    if (log?.options[`awslogs-${option}`] === undefined) {
      throw clientError(`Log driver awslogs requires options: awslogs-${option}`);
    }
  }
};

/** What of a container needs the execution role. */
const needsExecutionRole = (container: ContainerDefinition): string | undefined => {
  if (container.logConfiguration?.logDriver === 'awslogs') return 'log driver awslogs';
  if (container.secrets?.length) return 'secrets';
  return container.repositoryCredentials && 'repository credentials';
};

const definitionAnswer = (definition: TaskDefinition) => {
  const { arn, isActive, registeredAtMs, deregisteredAtMs, tags, cpu, memory, ...shown } = definition;
  return {
    ...shown,
    taskDefinitionArn: arn,
    status: isActive ? 'ACTIVE' : 'INACTIVE',
    cpu: cpu?.toString(),
    memory: memory?.toString(),
    compatibilities: definition.networkMode === 'awsvpc' ? ['EC2', 'FARGATE'] : ['EC2'],
    placementConstraints: [],
    requiresAttributes: [],
    registeredAt: registeredAtMs / 1000,
    deregisteredAt: deregisteredAtMs && deregisteredAtMs / 1000,
    registeredBy: 'arn:aws:sts::123456789012:assumed-role/local/local',
  };
};
