import * as z from 'zod/mini';
import type { InstanceState, StateReason } from './instance.ts';
import type { NoticeKind } from './signal.ts';

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
  readonly notice?: NoticeKind | undefined;
  /** DCM asked for the deletion, so nothing that EC2 says about it is a failure. */
  readonly deleteRequested?: boolean | undefined;
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

/** True where `terminated` can only be told apart as DELETED or FAILED by asking EC2 for the StateReason. */
export const needsReason = (
  state: InstanceState,
  { reason, notice, deleteRequested }: Circumstances,
): boolean =>
  state === 'terminated' && !deleteRequested && reason === undefined && notice !== 'spot-interruption';

const launchFailures = new Set([
  'Client.InternalError',
  'Client.InvalidSnapshot.NotFound',
  'Client.VolumeLimitExceeded',
]);

const endedInFailure = ({ reason, notice, deleteRequested }: Circumstances): boolean => {
  if (deleteRequested) return false;
  const codes = [reason?.code, messageCode(reason)].filter((code) => code !== undefined);
  if (codes.length === 0) return notice === 'spot-interruption';
  return codes.some((code) => code.startsWith('Server.') || launchFailures.has(code));
};

/** EC2 also puts a code before the first colon of the message, and the two can differ: `Server.InternalError` with `Client.VolumeLimitExceeded: …`. */
const messageCode = (reason: StateReason | undefined): string | undefined =>
  reason?.message?.split(':', 1)[0]?.trim();
