import { randomBytes, randomUUID } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import type { NetworkInterface } from '../ec2/network-interfaces.ts';
import { type Behaviour, behaviourOf, type TaskStatus } from './lifecycle.ts';
import { tagList } from './tags.ts';
import type { ContainerDefinition, TaskDefinition } from './task-definitions.ts';

/** A cluster of one region. */
export type Cluster = {
  readonly name: string;
  readonly arn: string;
  readonly capacityProviders: readonly string[];
  readonly tags: Tags;
};

/** How the processes of one container differ from its definition. */
export type ContainerOverride = {
  readonly name: string;
  readonly command?: readonly string[] | undefined;
};

/** The properties that all tasks of one RunTask call share. They do not change. */
export type Run = {
  readonly cluster: Cluster;
  readonly definition: TaskDefinition;
  readonly capacityProvider: 'FARGATE' | 'FARGATE_SPOT';
  /** The request named a capacity provider and no launch type. */
  readonly hasStrategy: boolean;
  readonly platformVersion: string;
  readonly subnetId: string;
  readonly zone: string;
  readonly securityGroupIds: readonly string[];
  readonly publicAddress: boolean;
  readonly startedBy: string | undefined;
  readonly group: string;
  readonly overrides: { readonly containerOverrides: readonly ContainerOverride[] };
};

/** Why a task stopped. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html */
export type Stop = {
  readonly code:
    | 'EssentialContainerExited'
    | 'ServiceSchedulerInitiated'
    | 'SpotInterruption'
    | 'TaskFailedToStart'
    | 'TerminationNotice'
    | 'UserInitiated';
  readonly reason: string;
};

type TimeName =
  | 'createdAt'
  | 'connectivityAt'
  | 'pullStartedAt'
  | 'pullStoppedAt'
  | 'startedAt'
  | 'stoppingAt'
  | 'executionStoppedAt'
  | 'stoppedAt';

export type Container = {
  readonly definition: ContainerDefinition;
  readonly behaviour: Behaviour;
  readonly arn: string;
  readonly lastStatus: 'PENDING' | 'RUNNING' | 'STOPPED';
  readonly exitCode?: number | undefined;
  readonly reason?: string | undefined;
  readonly startedAtMs?: number;
};

export type SimulatedTask = {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly arn: string;
  readonly region: string;
  /** Number of the task in its region, from 1. */
  readonly number: number;
  readonly run: Run;
  readonly lastStatus: TaskStatus;
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
  /** Counts the events of the task, from 1. */
  readonly version: number;
  /** In milliseconds. */
  readonly times: Readonly<Partial<Record<TimeName, number>>>;
  readonly stop: Stop | undefined;
  readonly containers: readonly Container[];
  readonly attachmentId: string;
  readonly networkInterface: NetworkInterface | undefined;
  readonly tags: Tags;
  /** Before this time ECS's read operations do not find the task. */
  readonly visibleAtMs: number;
};

export type TaskOrigin = {
  readonly account: string;
  readonly region: string;
  readonly number: number;
  readonly atMs: number;
  readonly visibleAtMs: number;
};

/** A new task, which is PROVISIONING. */
export const newTask = (run: Run, tags: Tags, origin: TaskOrigin): SimulatedTask => {
  const { account, region, number, atMs, visibleAtMs } = origin;
  const id = randomBytes(16).toString('hex');
  const prefix = `arn:aws:ecs:${region}:${account}`;
  return {
    ...{ id, region, number, run, tags, visibleAtMs },
    arn: `${prefix}:task/${run.cluster.name}/${id}`,
    ...{ lastStatus: 'PROVISIONING', desiredStatus: 'RUNNING', version: 1, stop: undefined },
    times: { createdAt: atMs },
    containers: run.definition.containerDefinitions.map((definition) => ({
      definition,
      behaviour: behaviourOf(definition.image, processOf(definition, run)),
      arn: `${prefix}:container/${run.cluster.name}/${id}/${randomUUID()}`,
      lastStatus: 'PENDING',
    })),
    attachmentId: randomUUID(),
    networkInterface: undefined,
  };
};

/** An override replaces the command and leaves the entry point. */
const processOf = ({ name, entryPoint = [], command = [] }: ContainerDefinition, { overrides }: Run) => {
  const override = overrides.containerOverrides.find((one) => one.name === name);
  return [...entryPoint, ...(override?.command ?? command)];
};

/** The container as it starts now, for the first time or again. */
export const runningSince = (startedAtMs: number, container: Container): Container => ({
  ...container,
  ...{ lastStatus: 'RUNNING', exitCode: undefined, reason: undefined, startedAtMs },
});

/** ECS shows a task in two forms, with other texts for the same thing. */
type Form = {
  readonly time: (atMs: number) => number | string;
  readonly attachmentType: 'ElasticNetworkInterface' | 'eni';
};
const answerForm: Form = { time: (atMs) => atMs / 1000, attachmentType: 'ElasticNetworkInterface' };
const eventForm: Form = { time: (atMs) => new Date(atMs).toISOString(), attachmentType: 'eni' };

/** A task as ECS's operations answer it, with times in seconds. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html */
export const taskAnswer = (task: SimulatedTask, withTags: boolean) => ({
  ...shown(task, answerForm),
  healthStatus: 'UNKNOWN',
  tags: withTags ? tagList(task.tags) : [],
});

/**
 * The event of a task's change. It has no tags.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
 */
export const taskStateChange = (task: SimulatedTask, account: string, atMs: number): EventBridgeEvent => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'ECS Task State Change',
  source: 'aws.ecs',
  account,
  time: `${new Date(atMs).toISOString().slice(0, 19)}Z`,
  region: task.region,
  resources: [task.arn],
  detail: { ...shown(task, eventForm), updatedAt: eventForm.time(atMs) },
});

const shown = (task: SimulatedTask, form: Form) => {
  const { run, times, stop } = task;
  const { definition } = run;
  const time = (name: TimeName) => {
    const atMs = times[name];
    return atMs === undefined ? {} : { [name]: form.time(atMs) };
  };
  return {
    taskArn: task.arn,
    clusterArn: run.cluster.arn,
    taskDefinitionArn: definition.arn,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    version: task.version,
    launchType: 'FARGATE',
    ...(run.hasStrategy && { capacityProviderName: run.capacityProvider }),
    platformVersion: run.platformVersion,
    platformFamily: 'Linux',
    availabilityZone: run.zone,
    cpu: String(definition.cpu),
    memory: String(definition.memory),
    ephemeralStorage: definition.ephemeralStorage ?? { sizeInGiB: 20 },
    group: run.group,
    ...(run.startedBy !== undefined && { startedBy: run.startedBy }),
    enableExecuteCommand: false,
    ...time('createdAt'),
    ...(times.connectivityAt !== undefined && { connectivity: 'CONNECTED' }),
    ...time('connectivityAt'),
    ...time('pullStartedAt'),
    ...time('pullStoppedAt'),
    ...time('startedAt'),
    ...time('stoppingAt'),
    ...time('executionStoppedAt'),
    ...time('stoppedAt'),
    ...(stop && { stopCode: stop.code, stoppedReason: stop.reason }),
    attributes: [
      { name: 'ecs.cpu-architecture', value: definition.runtimePlatform?.cpuArchitecture ?? 'X86_64' },
    ],
    attachments: [attachment(task, form)],
    containers: task.containers.map((container) => containerOf(container, task)),
    overrides: { ...run.overrides, inferenceAcceleratorOverrides: [] },
  };
};

const attachment = ({ attachmentId, networkInterface, run, lastStatus }: SimulatedTask, form: Form) => {
  const details = { subnetId: run.subnetId, ...(networkInterface && addressDetails(networkInterface)) };
  return {
    id: attachmentId,
    type: form.attachmentType,
    status: attachmentStatus(lastStatus),
    details: Object.entries(details).map(([name, value]) => ({ name, value })),
  };
};

const addressDetails = ({ id, macAddress, privateIp }: NetworkInterface) => ({
  networkInterfaceId: id,
  macAddress,
  privateDnsName: `ip-${privateIp.replaceAll('.', '-')}.ec2.internal`,
  privateIPv4Address: privateIp,
});

const attachmentStatus = (lastStatus: TaskStatus): string => {
  if (lastStatus === 'PROVISIONING') return 'PRECREATED';
  if (lastStatus === 'PENDING') return 'ATTACHING';
  return lastStatus === 'STOPPED' ? 'DELETED' : 'ATTACHED';
};

/** A container gets its address when the network interface is attached. */
const containerOf = (container: Container, task: SimulatedTask) => {
  const { definition, arn, lastStatus, exitCode, reason } = container;
  const { networkInterface, attachmentId, times } = task;
  const isAttached = networkInterface !== undefined && times.pullStoppedAt !== undefined;
  return {
    containerArn: arn,
    taskArn: task.arn,
    name: definition.name,
    image: definition.image,
    ...(container.startedAtMs !== undefined && { runtimeId: `${task.id}-0000000000` }),
    lastStatus,
    ...(exitCode !== undefined && { exitCode }),
    ...(reason !== undefined && { reason }),
    networkBindings: [],
    networkInterfaces: isAttached ? [{ attachmentId, privateIpv4Address: networkInterface.privateIp }] : [],
    cpu: String(definition.cpu),
    ...(definition.memory !== undefined && { memory: String(definition.memory) }),
    ...(definition.memoryReservation !== undefined && {
      memoryReservation: String(definition.memoryReservation),
    }),
  };
};
