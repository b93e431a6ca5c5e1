import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Given } from './session.ts';

const stream = 'dcm-agent-requests';
/** No agent listens here. */
const topic = 'dcm.agent.conformance';

export type AgentRequests = AsyncDisposable & {
  /** undefined where DCM has no stream for agents here. */
  readonly ask: Given['askAgent'];
};

/** Publishes requests as the control plane does for agents, and takes them back when disposed of. */
export const agentRequests = async (nc: NatsConnection): Promise<AgentRequests> => {
  const js = jetstream(nc);
  const { streams } = await js.jetstreamManager();
  const exists = await streams.info(stream).then(
    () => true,
    () => false,
  );
  const published: number[] = [];
  return {
    ask: exists
      ? async (id, resourceId, spec) => {
          const event = {
            specversion: '1.0',
            id,
            source: 'dcm/control-plane',
            type: 'dcm.request.create',
            subject: topic,
            datacontenttype: 'application/json',
            data: { resource_id: resourceId, service_type: spec.service_type, spec },
          };
          published.push((await js.publish(topic, JSON.stringify(event), { msgID: id })).seq);
        }
      : undefined,
    async [Symbol.asyncDispose]() {
      for (const seq of published) await streams.deleteMessage(stream, seq);
    },
  };
};
