import * as z from 'zod/mini';

/** What the nats-bridge is invoked with: CloudEvents (wire/cloudevents.ts), at most 6 MB of JSON in all, which is Lambda's limit. */
export const PublicationRequest = z.object({ events: z.array(z.unknown()) });
export type PublicationRequest = z.infer<typeof PublicationRequest>;

/** What the nats-bridge answers: each event's id is in one of the two. */
export const PublicationAnswer = z.object({
  /** The stream has it: newly, or since an earlier attempt (`duplicate`). */
  acknowledged: z.array(
    z.object({
      id: z.string(),
      stream: z.string(),
      seq: z.int(),
      duplicate: z.boolean(),
      /** This request tried more than once, so that a duplicate may be its own. */
      retried: z.optional(z.boolean()),
    }),
  ),
  /** Where `retryable`, the stream may have it all the same; publishing it again is safe and needed. */
  failed: z.array(z.object({ id: z.string(), retryable: z.boolean(), reason: z.string() })),
});
export type PublicationAnswer = z.infer<typeof PublicationAnswer>;

export const asRetried = (
  acknowledged: PublicationAnswer['acknowledged'],
): PublicationAnswer['acknowledged'] => acknowledged.map((one) => ({ ...one, retried: true }));
