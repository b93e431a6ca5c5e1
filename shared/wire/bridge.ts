import * as z from 'zod/mini';

/** The request to publish CloudEvents (wire/cloudevents.ts): at most 6 MB of JSON in all, which is Lambda's limit. */
export const PublicationRequest = z.object({ events: z.array(z.unknown()) });
export type PublicationRequest = z.infer<typeof PublicationRequest>;

/** The answer to a PublicationRequest: each event's id is in one of the two lists. */
export const PublicationAnswer = z.object({
  /** The stream has stored the event: now, or at an earlier attempt (`duplicate`). */
  acknowledged: z.array(
    z.object({
      id: z.string(),
      stream: z.string(),
      seq: z.int(),
      duplicate: z.boolean(),
      /** This request published the event more than once, so `duplicate` may be due to its own first attempt. */
      retried: z.optional(z.boolean()),
    }),
  ),
  /** Where `retryable`, the stream may have stored the event; it is safe, and needed, to publish it again. */
  failed: z.array(z.object({ id: z.string(), retryable: z.boolean(), reason: z.string() })),
});
export type PublicationAnswer = z.infer<typeof PublicationAnswer>;

export const asRetried = (
  acknowledged: PublicationAnswer['acknowledged'],
): PublicationAnswer['acknowledged'] => acknowledged.map((one) => ({ ...one, retried: true }));

/** Whether statuses can be published now. Answered with a ProbeAnswer, also when they cannot. */
const ProbeRequest = z.object({ do: z.literal('probe') });

/** Which resource an environment agent's create is for. Answered with a FoundRequest. */
const FindRequest = z.object({
  do: z.literal('find-request'),
  idempotencyKey: z.string().check(z.minLength(1)),
});

/** The streams, which of them have requests to agents, which take statuses, and the subjects of these. Answered with Streams. */
const StreamsRequest = z.object({ do: z.literal('list-streams') });

/** All requests to the nats-bridge. */
export const BridgeRequest = z.union([
  PublicationRequest,
  z.discriminatedUnion('do', [ProbeRequest, FindRequest, StreamsRequest]),
]);
export type BridgeRequest = z.infer<typeof BridgeRequest>;

export const ProbeAnswer = z.discriminatedUnion('connected', [
  /** `unreadableRequests`: why requests to environment agents cannot be read; absent where they can, or where the look-up is not configured. */
  z.object({ connected: z.literal(true), unreadableRequests: z.optional(z.string()) }),
  z.object({ connected: z.literal(false), reason: z.string() }),
]);
export type ProbeAnswer = z.infer<typeof ProbeAnswer>;

/** As AgentRequest (ports/agent-requests.ts); `resourceId` is null where there is no such request. Earlier versions send only `resourceId`. */
export const FoundRequest = z.object({
  resourceId: z.nullable(z.string()),
  serviceType: z.optional(z.string()),
});
export type FoundRequest = z.infer<typeof FoundRequest>;

const StatusStream = z.object({
  name: z.string(),
  /** For how long the stream drops a message whose id it has had. Absent: the NATS user may not ask for it. */
  duplicateWindowMs: z.optional(z.number()),
});
export type StatusStream = z.infer<typeof StatusStream>;

export const Streams = z.object({
  names: z.array(z.string()),
  /** The streams that take messages on `statusSubjects`. Earlier versions do not answer it. */
  statusStreams: z._default(z.array(StatusStream), []),
  requestStreams: z.array(z.string()),
  /** On which statuses are published; the probe checks that a stream has each. Absent: dcm.vm, as earlier versions answer. */
  statusSubjects: z._default(z.array(z.string()), ['dcm.vm']),
});
export type Streams = z.infer<typeof Streams>;

/** Of Streams, what NATS says. */
export type NatsStreams = Pick<Streams, 'names' | 'statusStreams'>;
