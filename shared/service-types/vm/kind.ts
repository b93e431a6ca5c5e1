import * as z from 'zod/mini';
import type { NoticeKind } from '../../core/message.ts';

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
export const StateReason = z.object({ code: z.optional(z.string()), message: z.optional(z.string()) });
export type StateReason = z.infer<typeof StateReason>;

/** A state's place within one second, used only to break ties: EventBridge times have one-second resolution. */
export const rank = {
  pending: 0,
  running: 1,
  stopping: 2,
  stopped: 3,
  'shutting-down': 4,
  terminated: 5,
} as const satisfies Record<InstanceState, number>;

/**
 * A state by EC2's word for it, in any case. A word we do not know is taken as the nearest active state, `running`:
 * DCM asks providers to do so, and a status that is a little wrong can be corrected, one that was thrown away cannot.
 */
export const instanceStateOf = (word: string): { state: InstanceState; unrecognised?: string } => {
  const known = InstanceState.safeParse(word.trim().toLowerCase());
  return known.success ? { state: known.data } : { state: 'running', unrecognised: word };
};

const youthMs = 120_000;

/**
 * Launched, or started again, within the last two minutes. Until then the absence of tags says nothing, for they can lag behind, and
 * neither does a listing, for events of what it shows may still be on their way.
 */
export const isRecentlyLaunched = (launchedAtMs: number, nowMs: number): boolean =>
  nowMs - launchedAtMs < youthMs;

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

/** What, beside the state itself, decides between DELETED and FAILED. */
export type Circumstances = {
  readonly reason?: StateReason | undefined;
  /** The warning that may explain the state, where EC2 gives no reason (core/resource.ts, noticesBehind). */
  readonly notice?: NoticeKind | undefined;
  /** DCM asked for the deletion, so nothing that EC2 says about it is a failure. */
  readonly deleteRequested?: boolean | undefined;
  /** It is known to have run at some time. */
  readonly hasRun?: boolean | undefined;
  /** How the end of a spot instance that has run is reported. @default 'FAILED' */
  readonly spotEndsAs?: SpotEndsAs | undefined;
};

/** DCM deletes the whole run of a VM that is FAILED, and leaves the other resources of one that is DELETED. */
export type SpotEndsAs = 'FAILED' | 'DELETED';

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
const isSpotEnd = (codes: readonly string[], notice: NoticeKind | undefined): boolean =>
  codes.length === 0
    ? notice === 'spot-interruption'
    : codes.some((code) => code.startsWith('Server.SpotInstance'));

/**
 * EC2 also puts a code before the first colon of the message, and the two can differ: `Server.InternalError` with
 * `Client.VolumeLimitExceeded: …`.
 */
const codesOf = (reason: StateReason | undefined): string[] =>
  [reason?.code, reason?.message?.split(':', 1)[0]?.trim()].flatMap((code) =>
    code !== undefined && /^(Client|Server)\./.test(code) ? [code] : [],
  );
