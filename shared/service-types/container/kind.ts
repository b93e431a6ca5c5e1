import * as z from 'zod/mini';
import type { Circumstances, Kind, NoticeRule } from '../../core/kind.ts';
import type { Addresses } from '../../core/outputs.ts';

/** How the resource ids of containers begin. */
const prefix = 'task/';

/** The resource id of a container: `task/` and the id of its ECS task, 32 hexadecimal digits. */
const TaskResourceId = z
  .string()
  .check(
    z.regex(/^task\/[0-9a-f]{32}$/, 'expected an ECS task such as task/0123456789abcdef0123456789abcdef'),
  );

/**
 * The resource id of the task with this ARN. Older ARNs lack the name of the ECS cluster, so only the last segment counts.
 * @throws ZodError for any other text.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html
 */
export const resourceIdOfTask = (taskArn: string): string =>
  TaskResourceId.parse(`${prefix}${taskArn.slice(taskArn.lastIndexOf('/') + 1)}`);

/** The task's id, which ECS's calls take instead of its ARN. */
export const taskIdOf = (resourceId: string): string => resourceId.slice(prefix.length);

/**
 * The states of a container's task, in their order: ECS's own words, of which PENDING stands for PROVISIONING and ACTIVATING too, and
 * STOPPING for DEACTIVATING. A task never goes back. DELETED: the container no longer exists for DCM.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
 */
export const TaskState = z.enum(['PENDING', 'RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED']);
export type TaskState = z.infer<typeof TaskState>;

/**
 * DCM's container statuses, with PROVISIONING and DELETING of its other service types. UNKNOWN is for a provider that lost its node, which
 * cannot happen with Fargate.
 * @see https://github.com/dcm-project/enhancements (state-management/service-provider-status-reporting.md)
 */
export const ContainerStatus = z.enum([
  'PROVISIONING',
  'PENDING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'DELETING',
  'DELETED',
]);
export type ContainerStatus = z.infer<typeof ContainerStatus>;

const stateOfWord: ReadonlyMap<string, TaskState> = new Map([
  ['PROVISIONING', 'PENDING'],
  ['PENDING', 'PENDING'],
  ['ACTIVATING', 'PENDING'],
  ['RUNNING', 'RUNNING'],
  ['DEACTIVATING', 'STOPPING'],
  ['STOPPING', 'STOPPING'],
  ['DEPROVISIONING', 'DEPROVISIONING'],
  ['STOPPED', 'STOPPED'],
  ['DELETED', 'DELETED'],
]);

/** The state for a task's `lastStatus`. A word that we do not know is mapped by `desiredStatus` to the nearest state. */
export const taskStateOf = (
  lastStatus: string,
  desiredStatus = 'RUNNING',
): { readonly state: TaskState; readonly unrecognised?: string } => {
  const isStopping = desiredStatus.toUpperCase() === 'STOPPED';
  const state = stateOfWord.get(lastStatus.trim().toUpperCase());
  if (state === 'RUNNING' && isStopping) return { state: 'STOPPING' };
  if (state !== undefined) return { state };
  return { state: isStopping ? 'STOPPING' : 'RUNNING', unrecognised: lastStatus };
};

/** The reason's code for a container that has exited by itself. */
export const exitReason = (exitCode: number): string => `ExitCode:${exitCode}`;

/** The stop codes of a task that somebody ended, and that nothing brings back: the container is deleted, though not through DCM. */
const stoppedByOthers = new Set(['UserInitiated', 'ServiceSchedulerInitiated']);

export const isStoppedByOthers = (stopCode: string | undefined): boolean =>
  stopCode !== undefined && stoppedByOthers.has(stopCode);

const statusOf = (state: TaskState, circumstances: Circumstances): ContainerStatus => {
  const { notice, reason, startingAs = 'PROVISIONING' } = circumstances;
  switch (state) {
    case 'PENDING':
      return notice === 'stuck-launch' ? 'FAILED' : startingAs;
    case 'RUNNING':
      return 'RUNNING';
    case 'STOPPING':
    case 'DEPROVISIONING':
      return 'DELETING';
    case 'STOPPED':
      return reason?.code === exitReason(0) ? 'SUCCEEDED' : 'FAILED';
    case 'DELETED':
      return 'DELETED';
  }
};

/** A deletion that DCM requested is complete when the containers have stopped: then only the network interface is left. */
const ofRequestedDeletion: ReadonlyMap<string, TaskState> = new Map([
  ['DEPROVISIONING', 'DELETED'],
  ['STOPPED', 'DELETED'],
]);

/** Of a task that nobody asked to delete, STOPPING and DEPROVISIONING say nothing: how it ended is known when it is STOPPED. */
const recordedState = (
  state: string,
  { deleteRequested }: Pick<Circumstances, 'deleteRequested'>,
): string | undefined => {
  if (deleteRequested) return ofRequestedDeletion.get(state) ?? state;
  return state === 'STOPPING' || state === 'DEPROVISIONING' ? undefined : state;
};

/**
 * What other resources of a run can refer to, such as `${web.endpoints[0].address}`.
 * @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/servicetypes/container/types.gen.go, ContainerEndpoint)
 */
type ContainerOutputs = {
  readonly endpoints: readonly {
    readonly address: string;
    readonly port: number;
    readonly scope: 'internal' | 'external';
    readonly protocol: 'TCP';
  }[];
};

/**
 * The endpoints of a running container, always complete, for DCM replaces what it held: those at the private address first, for references
 * are by index. Undefined where it keeps what it holds: with all other statuses, and of a container without ports that others may reach.
 */
const outputsOf = (
  { privateAddress, publicAddress, ports = [] }: Addresses,
  status: string,
): ContainerOutputs | undefined => {
  if (status !== 'RUNNING' || privateAddress === undefined || ports.length === 0) return undefined;
  const internal = ports.map(
    ({ port }) => ({ address: privateAddress, port, scope: 'internal', protocol: 'TCP' }) as const,
  );
  const external = ports
    .filter(({ scope }) => scope === 'external')
    .flatMap(({ port }) =>
      publicAddress ? [{ address: publicAddress, port, scope: 'external', protocol: 'TCP' } as const] : [],
    );
  return { endpoints: [...internal, ...external] };
};

const notices: Record<string, NoticeRule> = { 'stuck-launch': {} };

/** Containers on Amazon ECS, each one a Fargate task. */
export const containerKind: Kind = {
  serviceType: 'container',
  collection: 'containers',
  noun: 'task',
  idExtension: 'taskid',
  hasId: (resourceId) => TaskResourceId.safeParse(resourceId).success,
  states: TaskState.options,
  startingState: 'PENDING',
  runningState: 'RUNNING',
  statesAfterRunning: new Set(['RUNNING']),
  stoppedStates: new Set(['STOPPED']),
  billedStates: new Set(['RUNNING', 'STOPPING']),
  transitionalStates: new Set(['PENDING', 'STOPPING']),
  nextStates: {
    PENDING: ['RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED'],
    RUNNING: ['STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED'],
    STOPPING: ['DEPROVISIONING', 'STOPPED', 'DELETED'],
    DEPROVISIONING: ['STOPPED', 'DELETED'],
    STOPPED: ['DELETED'],
    DELETED: [],
  },
  stuckAfterMinutes: 15,
  coalescesWithinSecond: false,
  timedBy: 'service',
  recordedState,
  needsAddress: true,
  nearestState: (word) => taskStateOf(word),
  statuses: ContainerStatus.options,
  statusOf: (state, circumstances = {}) => statusOf(taskStateOf(state).state, circumstances),
  needsReason: () => false,
  outputsOf,
  billedExtensions: ({ size = '' }) => {
    const [taskcpu, taskmemory] = size.split('/');
    return taskcpu && taskmemory ? { taskcpu, taskmemory } : {};
  },
  notices,
};
