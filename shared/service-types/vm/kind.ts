import * as z from 'zod/mini';
import type { Circumstances, Kind, NoticeRule, StateReason as Reason } from '../../core/kind.ts';
import { type Addresses, usualPlatform } from '../../core/outputs.ts';

/**
 * An EC2 instance id: `i-` and 8 or 17 hexadecimal digits (EC2 has issued both lengths).
 * Surrounding blanks are removed: one of EventBridge's own sample events carries a leading space.
 */
export const InstanceId = z
  .string()
  .check(
    z.trim(),
    z.regex(/^i-[0-9a-f]{8}(?:[0-9a-f]{9})?$/, 'expected an EC2 instance id such as i-1234567890abcdef0'),
  );
export type InstanceId = z.infer<typeof InstanceId>;

/**
 * The six states of an EC2 instance, in the order of one launch-to-terminate pass.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
 */
export const InstanceState = z.enum([
  'pending',
  'running',
  'stopping',
  'stopped',
  'shutting-down',
  'terminated',
]);
export type InstanceState = z.infer<typeof InstanceState>;

/** Why EC2 last changed the state. Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html */
export type StateReason = Reason;

/**
 * A state by EC2's word for it, in any case. A word we do not know is taken as the nearest active state, `running`:
 * DCM asks providers to do so, and a status that is a little wrong can be corrected, one that was thrown away cannot.
 */
export const instanceStateOf = (word: string): { state: InstanceState; unrecognised?: string } => {
  const known = InstanceState.safeParse(word.trim().toLowerCase());
  return known.success ? { state: known.data } : { state: 'running', unrecognised: word };
};

/**
 * DCM's VM statuses. PAUSED is in the vocabulary but EC2 has nothing like it, and PENDING must never be sent:
 * a control plane takes a row that stays `pending` for one that nobody picked up, and creates it elsewhere.
 * @see https://github.com/dcm-project/enhancements (state-management/service-provider-status-reporting.md, "VM Status")
 */
export const VmStatus = z.enum([
  'PROVISIONING',
  'RUNNING',
  'STOPPING',
  'STOPPED',
  'PAUSED',
  'DELETING',
  'DELETED',
  'FAILED',
]);
export type VmStatus = z.infer<typeof VmStatus>;

/** What can only come after a state by the next change; two and more steps ahead look the same as a read that is old. */
const nextStates: Record<InstanceState, readonly InstanceState[]> = {
  pending: ['running', 'shutting-down', 'terminated'],
  running: ['stopping', 'shutting-down', 'terminated'],
  stopping: ['stopped', 'shutting-down', 'terminated'],
  stopped: ['pending', 'shutting-down', 'terminated'],
  'shutting-down': ['terminated'],
  terminated: [],
};

const byInstanceState = {
  pending: 'PROVISIONING',
  running: 'RUNNING',
  stopping: 'STOPPING',
  stopped: 'STOPPED',
  'shutting-down': 'DELETING',
  terminated: 'DELETED',
} as const satisfies Record<InstanceState, VmStatus>;

/** EC2's instance state as DCM's VM status. `terminated` is DELETED, or FAILED when its circumstances say so; so is a stuck `pending`. */
export const vmStatus = (state: InstanceState, circumstances: Circumstances = {}): VmStatus => {
  const isStuck = state === 'pending' && circumstances.notice === 'stuck-launch';
  const hasFailed = isStuck || (state === 'terminated' && endedInFailure(circumstances));
  return hasFailed ? 'FAILED' : byInstanceState[state];
};

/** True where EC2 must be asked for the StateReason before a `terminated` can be reported as DELETED or FAILED. */
export const needsReason = (
  state: InstanceState,
  { reason, deleteRequested }: Pick<Circumstances, 'reason' | 'deleteRequested'>,
): boolean => state === 'terminated' && !deleteRequested && reason === undefined;

/** Somebody ended the instance: its owner, or its own operating system. */
const requestedEnds = new Set([
  'Client.UserInitiatedShutdown',
  'Client.UserInitiatedHibernate',
  'Client.InstanceInitiatedShutdown',
  'Client.InstanceTerminated',
]);

/** Failures also of an instance that has run. */
const clientFailures = new Set([
  'Client.InternalError',
  'Client.InvalidSnapshot.NotFound',
  'Client.VolumeLimitExceeded',
]);

/**
 * EC2's reason decides; a spot interruption warning only where EC2 gives none. An end that nobody requested is a failure of the launch
 * where the instance never ran, whatever EC2's code: its documentation lists only some of them.
 */
const endedInFailure = (circumstances: Circumstances): boolean => {
  const { reason, notice, deleteRequested, hasRun, spotEndsAs } = circumstances;
  if (deleteRequested) return false;
  const codes = codesOf(reason);
  if (hasRun && spotEndsAs === 'DELETED' && isSpotEnd(codes, notice)) return false;
  if (codes.length === 0) return notice === 'spot-interruption';
  if (codes.some((code) => code.startsWith('Server.') || clientFailures.has(code))) return true;
  return !hasRun && !codes.every((code) => requestedEnds.has(code));
};

/** EC2 took a spot instance back, as its reason says, or a warning where it gives none. */
const isSpotEnd = (codes: readonly string[], notice: string | undefined): boolean =>
  codes.length === 0
    ? notice === 'spot-interruption'
    : codes.some((code) => code.startsWith('Server.SpotInstance'));

/**
 * EC2 also puts a code before the first colon of the message, and the two can differ: `Server.InternalError` with
 * `Client.VolumeLimitExceeded: …`.
 */
const codesOf = (reason: Circumstances['reason']): string[] =>
  [reason?.code, reason?.message?.split(':', 1)[0]?.trim()].flatMap((code) =>
    code !== undefined && /^(Client|Server)\./.test(code) ? [code] : [],
  );

/**
 * What other resources of a run can refer to, such as `${web.ip[0].address}`: the internal address first, for references are by index.
 * @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/servicetypes/vm/spec.yaml, VmEndpoint)
 */
type VmOutputs = {
  readonly ip: readonly {
    readonly address: string;
    readonly port: number;
    readonly scope: 'internal' | 'external';
  }[];
};

const sshPort = 22;
const remoteDesktopPort = 3389;

/**
 * The outputs that a status is published with, always complete, for DCM replaces what it held. Undefined where it keeps what it holds: with
 * all statuses but RUNNING and STOPPED, and while the private address is not known. A stopped VM has the internal address alone.
 */
const outputsOf = (
  { privateAddress, publicAddress, isWindows }: Addresses,
  status: string,
): VmOutputs | undefined => {
  if (privateAddress === undefined || (status !== 'RUNNING' && status !== 'STOPPED')) return undefined;
  const port = isWindows ? remoteDesktopPort : sshPort;
  return {
    ip: [
      { address: privateAddress, port, scope: 'internal' },
      ...(status === 'RUNNING' && publicAddress
        ? [{ address: publicAddress, port, scope: 'external' } as const]
        : []),
    ],
  };
};

/** What EC2 warns of, or shows to be wrong with an instance, beside its state; in the order in which messages name it. */
export const NoticeKind = z.enum([
  'spot-interruption',
  'spot-stop',
  'spot-hibernate',
  'rebalance-recommendation',
  'scheduled-change',
  'scheduled-change-closed',
  'stuck-launch',
  'impaired',
  'recovered',
]);
export type NoticeKind = z.infer<typeof NoticeKind>;

const notices: Record<NoticeKind, NoticeRule> = {
  /** EC2 will terminate a spot instance: two minutes later, and shutting down takes up to some minutes more. It does so once. */
  'spot-interruption': { isOnce: true, explainsForSeconds: 300, decidesEnd: true },
  /** EC2 will stop a spot instance, or hibernate it. */
  'spot-stop': { explainsForSeconds: 300 },
  'spot-hibernate': { explainsForSeconds: 300 },
  'rebalance-recommendation': {},
  /** AWS Health sends reminders, and copies from a backup region. */
  'scheduled-change': { endedBy: 'scheduled-change-closed', isKnownByText: true },
  'scheduled-change-closed': { isNewAtSameSecond: true },
  'stuck-launch': {},
  /** A status check fails. EC2 checks what runs. */
  impaired: { endedBy: 'recovered', onlyIn: 'running' },
  recovered: { onlyIn: 'running' },
};

/** VMs on Amazon EC2. */
export const vmKind: Kind = {
  serviceType: 'vm',
  collection: 'vms',
  noun: 'instance',
  idExtension: 'instanceid',
  hasId: (resourceId) => InstanceId.safeParse(resourceId).success,
  states: InstanceState.options,
  startingState: 'pending',
  runningState: 'running',
  statesAfterRunning: new Set(['running', 'stopping', 'stopped']),
  stoppedStates: new Set(['stopping', 'stopped']),
  billedStates: new Set(['running']),
  billedWhileHibernating: 'stopping',
  transitionalStates: new Set(['pending', 'stopping', 'shutting-down']),
  nextStates,
  stuckAfterMinutes: 15,
  coalescesWithinSecond: true,
  timedBy: 'sight',
  needsAddress: true,
  nearestState: instanceStateOf,
  statuses: VmStatus.options,
  statusOf: (state, circumstances) => vmStatus(instanceStateOf(state).state, circumstances),
  needsReason: (state, circumstances) => needsReason(instanceStateOf(state).state, circumstances),
  outputsOf,
  billedExtensions: ({ size, platform = usualPlatform, market }) => ({
    ...(size !== undefined && { instancetype: size, platform }),
    ...(market !== undefined && { market }),
  }),
  notices,
};
