/** JetStream stream on which DCM's control plane publishes the requests to all environment agents. */
const requestStream = 'dcm-agent-requests';

/**
 * JetStream stream on which an environment agent holds requests while a provider is unhealthy. `topic` is its `AGENT_TOPIC_NAME`, else its
 * `AGENT_NAME`. The agent creates the stream when it starts.
 * @see https://github.com/dcm-project/environment-agent (internal/messaging/topics.go)
 */
const retryStreamOf = (topic: string): string => `${topic}-retry`;

/** The streams on which a request to one of these agents can be. */
export const requestStreams = (topics: readonly string[]): string[] => [
  requestStream,
  ...topics.map(retryStreamOf),
];
