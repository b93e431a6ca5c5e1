import * as z from 'zod/mini';
import type { Target } from '../../core/target.ts';

/** What EC2 checks every minute of a running instance, in the order of our questions. */
export const statusChecks = ['instance', 'system', 'attached-ebs'] as const;
export type StatusCheck = (typeof statusChecks)[number];

/** The names of the checks in EC2's documentation. */
export const checkNames = {
  instance: 'instance',
  system: 'system',
  'attached-ebs': 'attached EBS',
} as const satisfies Record<StatusCheck, string>;

const ids = z._default(z.array(z.string()), []);

/** The last answers of EC2 about the status checks of a target's VMs; stored with the target's listing. */
const StatusChecks = z.object({
  /** Milliseconds since 1970; 0: never. */
  askedAtMs: z.int(),
  /** The check that EC2 was asked about then. */
  asked: z.enum(statusChecks),
  /** Our VMs that fail a check. */
  failing: z.object({ instance: ids, system: ids, 'attached-ebs': ids }),
  /** All instances that fail it, at most `mostEverywhere`, for the inventory. */
  everywhere: z._default(z.object({ instance: ids, system: ids, 'attached-ebs': ids }), {
    ...{ instance: [], system: [], 'attached-ebs': [] },
  }),
});
export type StatusChecks = z.infer<typeof StatusChecks>;

const noStatusChecks: StatusChecks = {
  askedAtMs: 0,
  asked: 'attached-ebs',
  failing: { instance: [], system: [], 'attached-ebs': [] },
  everywhere: { instance: [], system: [], 'attached-ebs': [] },
};

/** So that the item of a listing has room for them. */
export const mostEverywhere = 500;

/** The status checks as a listing stores them; undefined: EC2 was not asked yet. @throws ZodError for anything else. */
export const statusChecksOf = (stored: unknown): StatusChecks =>
  stored === undefined ? noStatusChecks : StatusChecks.parse(stored);

/** EC2's own view of the status checks. */
export type ImpairedInstances = {
  /**
   * All running instances of the target, ours or not, that fail this status check, with the time since when in milliseconds since 1970,
   * where EC2 has it.
   * @throws UnavailableError where EC2 throttled the call or did not answer in `timeoutMs`.
   */
  impaired(
    target: Target,
    check: StatusCheck,
    timeoutMs: number,
  ): Promise<ReadonlyMap<string, number | undefined>>;
};

const minimumMs = 60_000;

/**
 * The check to ask about next; undefined where the last question is less than a minute old. One check a question, one after the other:
 * EC2 combines all filters of a question by AND.
 */
export const nextCheck = ({ askedAtMs, asked }: StatusChecks, nowMs: number): StatusCheck | undefined => {
  if (nowMs - askedAtMs < minimumMs) return undefined;
  return statusChecks[(statusChecks.indexOf(asked) + 1) % statusChecks.length];
};
