import type { InstanceState } from './instance.ts';
import type { Notice } from './signal.ts';

const deadlineMinutes = 15;
const deadlineMs = deadlineMinutes * 60_000;

type Launch = { readonly state: InstanceState; readonly launchedAtMs: number };

/** Still `pending` longer after its launch, or its last start, than EC2 takes for any: DCM should not go on waiting. */
export const isStuck = ({ state, launchedAtMs }: Launch, nowMs: number): boolean =>
  state === 'pending' && nowMs - launchedAtMs >= deadlineMs;

/**
 * The warning about a launch that is stuck. Its time is the deadline, so that however often it is noticed it is the same; but never
 * before `heldAt`, the second since when `pending` is held, or it would seem to be about the state before.
 */
export const stuckNotice = (
  { launchedAtMs }: Pick<Launch, 'launchedAtMs'>,
  heldAt: number,
): Pick<Notice, 'notice' | 'at' | 'text'> => ({
  notice: 'stuck-launch',
  at: Math.max(Math.floor((launchedAtMs + deadlineMs) / 1000), heldAt),
  text: `stuck: it has not come up within ${deadlineMinutes} minutes`,
});
