import type { StateReason } from '../../core/kind.ts';
import { managedByDcm, type TagKeys, type Tags } from '../../core/ownership.ts';
import { exitReason, isStoppedByOthers, resourceIdOfTask, type TaskState, taskStateOf } from './kind.ts';
import type { Task } from './ports.ts';

/**
 * A task as an event or an answer of ECS shows it, in one form: events have ISO times and attachments of the type `eni`, the API has dates
 * and the type `ElasticNetworkInterface`. Times are milliseconds since 1970.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
 */
export type TaskSnapshot = {
  readonly taskArn: string;
  readonly lastStatus: string;
  readonly desiredStatus?: string | undefined;
  readonly startedBy?: string | undefined;
  readonly group?: string | undefined;
  readonly taskDefinitionArn?: string | undefined;
  readonly zone?: string | undefined;
  /** CPU units and MiB, as text. */
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly createdAtMs?: number | undefined;
  readonly startedAtMs?: number | undefined;
  readonly stoppingAtMs?: number | undefined;
  readonly executionStoppedAtMs?: number | undefined;
  readonly stoppedAtMs?: number | undefined;
  readonly stopCode?: string | undefined;
  readonly stoppedReason?: string | undefined;
  readonly containers?: readonly TaskContainer[] | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
};

type TaskContainer = {
  readonly name?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly reason?: string | undefined;
  readonly networkInterfaces?: readonly { readonly privateIpv4Address?: string | undefined }[] | undefined;
};

type Attachment = {
  readonly details?:
    | readonly { readonly name?: string | undefined; readonly value?: string | undefined }[]
    | undefined;
};

/** Who this provider is, by whom tasks are found to be ours. */
export type Identity = { readonly provider: string; readonly tagKeys: TagKeys };

/** The name of the only container of a task that we launch. */
export const containerName = 'main';

/** What RunTask gets to mark a task as the container with this DCM id, and as launched by us: in every event, and never changed. */
export const marksOf = (
  provider: string,
  { dcmId, clientToken }: { readonly dcmId: string; readonly clientToken: string },
) => ({ startedBy: startedByOf(provider, dcmId), group: `${startedByOf(provider, dcmId)}/${clientToken}` });

/** The `startedBy` of every task of the container with this DCM id. */
export const startedByOf = (provider: string, dcmId: string): string => `${provider}/${dcmId}`;

/** How the `group` and the `startedBy` of every task of this provider begin. */
export const markPrefix = (provider: string): string => `${provider}/`;

/**
 * The ownership of a task as tags and client token, as EC2 has them: events of ECS have no tags, and StopTask removes them. Other providers'
 * tasks have none of our tags. A task with our marks and without a client token was not launched by us.
 * @see https://github.com/aws/containers-roadmap/issues/2329
 */
export const ownershipOf = (
  { startedBy = '', group = '' }: Pick<TaskSnapshot, 'startedBy' | 'group'>,
  { provider, tagKeys }: Identity,
): { readonly tags: Tags; readonly clientToken: string } => {
  const prefix = markPrefix(provider);
  const mark = [group, startedBy].find((text) => text.startsWith(prefix));
  if (mark === undefined) return { tags: {}, clientToken: '' };
  const [dcmId = '', clientToken = ''] = mark.slice(prefix.length).split('/');
  const tags = {
    [tagKeys.managedBy]: managedByDcm,
    [tagKeys.instanceId]: dcmId,
    [tagKeys.provider]: provider,
    [tagKeys.serviceType]: 'container',
  };
  return { tags, clientToken };
};

/** The account in the task's ARN. */
const accountOf = (taskArn: string): string => taskArn.split(':')[4] ?? '';

/**
 * The task as ECS shows it. `fallbackAt`, in seconds since 1970, is the time of a task without any time of its own.
 * @throws ZodError where the ARN is not one of a task.
 */
export const describedTask = (task: TaskSnapshot, identity: Identity, fallbackAt = 0): Task => {
  const { state, unrecognised } = stateOf(task);
  const stateTimes = stateTimesOf(task, state, fallbackAt);
  return {
    resourceId: resourceIdOfTask(task.taskArn),
    account: accountOf(task.taskArn),
    state,
    unrecognised,
    stateTimes,
    ...ownershipOf(task, identity),
    reason: state === 'STOPPED' || state === 'DELETED' ? reasonOf(task) : undefined,
    launchedAtMs: task.createdAtMs ?? (stateTimes[0]?.at ?? fallbackAt) * 1000,
    privateAddress: privateAddressOf(task),
    taskDefinitionArn: task.taskDefinitionArn,
    zone: task.zone,
    size: task.cpu && task.memory ? `${task.cpu}/${task.memory}` : undefined,
  };
};

/** A task that somebody else has ended does not come back, so the container is deleted. */
const stateOf = (task: TaskSnapshot): ReturnType<typeof taskStateOf> => {
  const found = taskStateOf(task.lastStatus, task.desiredStatus);
  return found.state === 'STOPPED' && isStoppedByOthers(task.stopCode) ? { state: 'DELETED' } : found;
};

/**
 * Every state that the task proves that it was in, the current one last. ECS gives each its own time, so that an event and a listing give
 * the same second; where it does not, the state has the second of the one before.
 */
const stateTimesOf = (
  task: TaskSnapshot,
  current: TaskState,
  fallbackAt: number,
): NonNullable<Task['stateTimes']> => {
  const times: readonly (readonly [TaskState, number | undefined])[] = [
    ['PENDING', task.createdAtMs],
    ['RUNNING', task.startedAtMs],
    ['STOPPING', task.stoppingAtMs],
    ['DEPROVISIONING', task.executionStoppedAtMs],
    [current === 'DELETED' ? 'DELETED' : 'STOPPED', task.stoppedAtMs],
  ];
  const proven: { state: TaskState; at: number }[] = [];
  for (const [state, atMs] of times) {
    if (atMs === undefined && state !== current) continue;
    const before = proven.at(-1)?.at;
    const at = atMs === undefined ? (before ?? fallbackAt) : Math.floor(atMs / 1000);
    proven.push({ state, at: Math.max(at, before ?? at) });
    if (state === current) break;
  }
  return proven;
};

/** Why a task has stopped, from its container where that says more than the task, whose text is nearly always the same sentence. */
const reasonOf = (task: TaskSnapshot): StateReason => {
  const { stopCode, stoppedReason } = task;
  const essential = essentialContainers(task);
  const containerReason = essential.map(({ reason }) => reason).find(Boolean);
  const exitCode = exitCodeOf(essential);
  const hasExited = stopCode === undefined || !infrastructureCodes.has(stopCode);
  if (hasExited && !isStoppedByOthers(stopCode) && exitCode !== undefined)
    return { code: exitReason(exitCode), message: exitMessage(exitCode, containerReason) };
  return { code: stopCode, message: containerReason ?? stoppedReason ?? stopCode };
};

/** With one of these, ECS has ended the task; an exit code is then only that of the signal. */
const infrastructureCodes = new Set([
  'TaskFailedToStart',
  'SpotInterruption',
  'TerminationNotice',
  'InfrastructureHealth',
]);

/** Ours is the only one; of an adopted task, ECS does not say which containers are essential. */
const essentialContainers = ({ containers = [] }: TaskSnapshot): readonly TaskContainer[] => {
  const ours = containers.filter(({ name }) => name === containerName);
  return ours.length > 0 ? ours : containers;
};

/** The first exit code that is not 0, else 0; undefined where a container has none. */
const exitCodeOf = (containers: readonly TaskContainer[]): number | undefined => {
  const codes = containers.flatMap(({ exitCode }) => (exitCode === undefined ? [] : [exitCode]));
  return codes.find((code) => code !== 0) ?? (codes.length === containers.length ? codes[0] : undefined);
};

const exitMessage = (exitCode: number, reason: string | undefined): string => {
  const outOfMemory = reason?.includes('OutOfMemory') ? 'out of memory, ' : '';
  return `${outOfMemory}exit code ${exitCode}${reason ? `: ${reason}` : ''}`;
};

const privateAddressOf = ({ containers = [], attachments = [] }: TaskSnapshot): string | undefined =>
  containers
    .flatMap(({ networkInterfaces = [] }) => networkInterfaces)
    .map(({ privateIpv4Address }) => privateIpv4Address)
    .find(Boolean) ?? detailOf(attachments, 'privateIPv4Address');

/** The id of the task's network interface, by which EC2 is asked for its public address. */
export const networkInterfaceOf = ({ attachments = [] }: TaskSnapshot): string | undefined =>
  detailOf(attachments, 'networkInterfaceId');

const detailOf = (attachments: readonly Attachment[], detail: string): string | undefined =>
  attachments.flatMap(({ details = [] }) => details).find(({ name, value }) => name === detail && value)
    ?.value;
