import * as z from 'zod/mini';

/** How polling stands for one listing: the poller's answer to `{ "do": "regions" }`. Times are ISO 8601; absent where the thing never happened. */
const PolledRegion = z.object({
  /** Name of the listing (shared/core/target.ts): `eu-west-1`, `container#prod/eu-west-1`. */
  region: z.string(),
  lastListedAt: z.optional(z.string()),
  intervalSeconds: z.int(),
  /** Ours, in the last complete listing. */
  instances: z.int(),
  /** When the breaker tripped; absent: it has not. */
  breakerSince: z.optional(z.string()),
  /** A republication was requested, and no listing has completed it. */
  republishWanted: z.boolean(),
});
export type PolledRegion = z.infer<typeof PolledRegion>;

export const PollingReport = z.object({ regions: z.array(PolledRegion) });
export type PollingReport = z.infer<typeof PollingReport>;
