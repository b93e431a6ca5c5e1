import * as z from 'zod/mini';

/** What the state machine (functions/poller/state-machine.asl.json), a schedule or a person asks of the poller. */
export const PollerRequest = z.discriminatedUnion('do', [
  /** Which regions are due, and when. `execution` is the state machine's execution, of which only one is in charge. */
  z.object({ do: z.literal('plan'), execution: z.string() }),
  /** One page of one region's listing. */
  z.object({ do: z.literal('poll'), region: z.string() }),
  /** Every living VM's status once more, by the region's next listing, which is due at once. */
  z.object({ do: z.literal('republish'), region: z.string() }),
  /** The VMs that the region's breaker holds back are to be judged now. */
  z.object({ do: z.literal('release'), region: z.string() }),
  /** How all regions stand. */
  z.object({ do: z.literal('regions') }),
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

/** How polling stands in one region. Times are ISO 8601; what never happened is left out. */
export type RegionReport = {
  readonly region: string;
  readonly lastListedAt?: string;
  readonly intervalSeconds: number;
  /** Ours, in the last complete listing. */
  readonly instances: number;
  /** Since when so many VMs are missing that none of them is taken for deleted. */
  readonly breakerSince?: string;
  /** Every status is to be told once more, and is not yet asked for. */
  readonly republishWanted: boolean;
};

export type Answer =
  | Plan
  | { readonly wanted: true }
  /** False where no breaker holds back anything. */
  | { readonly released: boolean }
  | { readonly regions: readonly RegionReport[] };
