import * as z from 'zod/mini';

const text = z.string().check(z.minLength(1));
const serviceType = z.optional(text);
const Create = { id: text, type: z.literal('dcm.request.create') };

/** A create that DCM's control plane requests of an environment agent: only the fields that identify the resource. */
const AgentRequest = z.union([
  z.object({ ...Create, data: z.object({ resource_id: text, service_type: serviceType }) }),
  /** Of DCM versions that write data in camel case. */
  z.object({ ...Create, data: z.object({ resourceId: text, serviceType }) }),
]);

export type CreateRequest = {
  readonly id: string;
  readonly resourceId: string;
  readonly serviceType: string | undefined;
};

/** The create in a message's bytes; undefined for any other message. */
export const createRequest = (bytes: Uint8Array): CreateRequest | undefined => {
  const { data: request } = AgentRequest.safeParse(jsonOf(bytes));
  if (request === undefined) return undefined;
  const { id, data } = request;
  return 'resource_id' in data
    ? { id, resourceId: data.resource_id, serviceType: data.service_type }
    : { id, resourceId: data.resourceId, serviceType: data.serviceType };
};

const jsonOf = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
};

/** JetStream stream on which DCM's control plane publishes the requests to all environment agents. */
const requestStream = 'dcm-agent-requests';

/**
 * JetStream stream on which an environment agent holds requests while a provider is unhealthy. `topic` is its `AGENT_TOPIC_NAME`, else its
 * `AGENT_NAME`. The agent creates the stream when it starts.
 * @see https://github.com/dcm-project/environment-agent (internal/messaging/topics.go)
 */
const retryStreamOf = (topic: string): string => `${topic}-retry`;

/** The streams that can hold a request to one of these agents. */
export const requestStreams = (topics: readonly string[]): string[] => [
  requestStream,
  ...topics.map(retryStreamOf),
];
