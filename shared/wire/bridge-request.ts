import * as z from 'zod/mini';
import { PublicationRequest } from './publication.ts';

/** Whether statuses can be published just now. Answered with a ProbeAnswer, also when they cannot. */
const ProbeRequest = z.object({ do: z.literal('probe') });

/** Which resource an environment agent's create is for. Answered with a FoundRequest. */
const FindRequest = z.object({
  do: z.literal('find-request'),
  idempotencyKey: z.string().check(z.minLength(1)),
});

/** Which streams there are at NATS, and which of them requests to agents are looked up on. Answered with Streams. */
const StreamsRequest = z.object({ do: z.literal('list-streams') });

/** Everything that the nats-bridge can be invoked with. */
export const BridgeRequest = z.union([
  PublicationRequest,
  z.discriminatedUnion('do', [ProbeRequest, FindRequest, StreamsRequest]),
]);
export type BridgeRequest = z.infer<typeof BridgeRequest>;

export const ProbeAnswer = z.discriminatedUnion('connected', [
  /** `unreadableRequests`: why requests to environment agents cannot be read; absent where they can, or where nobody asks for them. */
  z.object({ connected: z.literal(true), unreadableRequests: z.optional(z.string()) }),
  z.object({ connected: z.literal(false), reason: z.string() }),
]);
export type ProbeAnswer = z.infer<typeof ProbeAnswer>;

/** As AgentRequest (ports/agent-requests.ts); `resourceId` is null where there is no such request. Earlier versions answer that alone. */
export const FoundRequest = z.object({
  resourceId: z.nullable(z.string()),
  serviceType: z.optional(z.string()),
});
export type FoundRequest = z.infer<typeof FoundRequest>;

export const Streams = z.object({ names: z.array(z.string()), requestStreams: z.array(z.string()) });
export type Streams = z.infer<typeof Streams>;
