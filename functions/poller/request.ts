import * as z from 'zod/mini';

/**
 * Every living VM's status once more. An operator gives the region alone; the rest goes on where an answer's `next` says. Requests with
 * one `at`, in seconds since 1970 and now unless given, are one.
 */
const RepublishRequest = z.object({
  do: z.literal('republish'),
  region: z.string(),
  at: z.optional(z.int()),
  page: z.optional(z.int().check(z.nonnegative())),
  queued: z.optional(z.int().check(z.nonnegative())),
});
export type RepublishRequest = z.infer<typeof RepublishRequest>;

/** How many VMs were asked for so far, and what to ask next where that are not all. */
export type Republished = { readonly queued: number; readonly next?: RepublishRequest };

/** What the state machine (functions/poller/state-machine.asl.json), a schedule or a person asks of the poller. */
export const PollerRequest = z.discriminatedUnion('do', [
  /** Which regions are due, and when. `execution` is the state machine's execution, of which only one is in charge. */
  z.object({ do: z.literal('plan'), execution: z.string() }),
  /** One page of one region's listing. */
  z.object({ do: z.literal('poll'), region: z.string() }),
  RepublishRequest,
]);
export type PollerRequest = z.infer<typeof PollerRequest>;

export const Plan = z.object({
  /**
   * poll: wait, then poll `regions`. handover: the history grows too long, so a new execution takes over.
   * stop: another execution is in charge.
   */
  next: z.enum(['poll', 'handover', 'stop']),
  /** Due once `waitSeconds` have passed. */
  regions: z.array(z.object({ region: z.string() })),
  /** 0 to 300. */
  waitSeconds: z.int(),
});
export type Plan = z.infer<typeof Plan>;
