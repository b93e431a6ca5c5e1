import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Skipped } from './outcome.ts';
import type { Spec } from './session.ts';

/** The control plane publishes to `requests`; an agent moves requests that it cannot forward yet to `retry`. */
export type RequestStream = 'requests' | 'retry';

export type AgentRequest = {
  /** The CloudEvent's id, which the agent sends to the provider as Idempotency-Key. */
  readonly key: string;
  readonly resourceId: string;
  readonly spec: Spec;
  readonly on: RequestStream;
};

export type AgentRequests = AsyncDisposable & {
  /** Publishes a create as DCM does. @throws Skipped where there is no such stream. */
  publish(request: AgentRequest): Promise<void>;
};

/** A topic that no agent consumes. */
const conformanceTopic = 'conformance';

/**
 * Publishes requests as the control plane and the agent do, and deletes them when disposed of. `topic` is the agent's AGENT_TOPIC_NAME, or
 * else its AGENT_NAME; it is only needed for the retry stream.
 * @see https://github.com/dcm-project/environment-agent (internal/messaging/topics.go)
 */
export const agentRequests = async (
  nc: NatsConnection,
  topic: string | undefined,
): Promise<AgentRequests> => {
  const js = jetstream(nc);
  const { streams } = await js.jetstreamManager();
  const places = {
    requests: { stream: 'dcm-agent-requests', subject: `dcm.agent.${conformanceTopic}` },
    retry: topic === undefined ? undefined : { stream: `${topic}-retry`, subject: `${topic}.retry` },
  };
  const published: { readonly stream: string; readonly seq: number }[] = [];
  return {
    async publish({ key, resourceId, spec, on }) {
      const place = places[on];
      if (place === undefined) throw new Skipped('needs --agent-topic TOPIC');
      const { stream, subject } = place;
      const exists = await streams.info(stream).then(
        () => true,
        () => false,
      );
      if (!exists) throw new Skipped(`needs a stream ${stream} in NATS, which the run may read about`);
      const event = {
        specversion: '1.0',
        id: key,
        source: 'dcm/control-plane',
        type: 'dcm.request.create',
        subject: `dcm.agent.${on === 'retry' ? topic : conformanceTopic}`,
        datacontenttype: 'application/json',
        data: { resource_id: resourceId, service_type: spec.service_type, spec },
      };
      const { seq } = await js.publish(subject, JSON.stringify(event), { msgID: key });
      published.push({ stream, seq });
    },
    async [Symbol.asyncDispose]() {
      // An agent may have acknowledged the message, which removes it from the work queue.
      for (const { stream, seq } of published) await streams.deleteMessage(stream, seq).catch(() => false);
    },
  };
};
