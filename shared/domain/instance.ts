import * as z from 'zod/mini';

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
export const isYoung = (launchedAtMs: number, nowMs: number): boolean => nowMs - launchedAtMs < youthMs;
