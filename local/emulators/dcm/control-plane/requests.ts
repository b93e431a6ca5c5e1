import { randomUUID } from 'node:crypto';
import { jetstream, RetentionPolicy } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Spec } from '../api-conventions.ts';
import { ensureStream } from '../jetstream.ts';

/** DCM's streams between the control plane and its environment agents. */
export const requestStream = 'dcm-agent-requests';
export const responseStream = 'dcm-agent-responses';
export const responseSubject = 'dcm.agents.responses';

export type About = { readonly resourceId: string; readonly serviceType: string };

/**
 * A request as the control plane sends it, without a time and without a content type.
 * @see https://github.com/dcm-project/control-plane (internal/sp/messaging/publisher.go, types.go)
 */
export const agentRequest = (
  kind: 'create' | 'delete' | 'cancel',
  subject: string,
  { resourceId, serviceType, spec }: About & { readonly spec?: Spec | undefined },
  id: string = randomUUID(),
) => ({
  specversion: '1.0',
  type: `dcm.request.${kind}`,
  source: 'dcm/control-plane',
  subject,
  id,
  data: { resource_id: resourceId, service_type: serviceType, ...(spec && { spec }) },
});

/** Publishes requests to agents. Every method rejects where JetStream does not acknowledge the message. */
export type Requests = {
  create(topic: string, about: About & { readonly spec: Spec }): Promise<void>;
  delete(topic: string, about: About): Promise<void>;
  cancel(topic: string, about: About): Promise<void>;
};

/** Creates the stream of requests, which is a work queue, and publishes to it. Each CloudEvent's id is its `Nats-Msg-Id`. */
export const openRequests = async (nats: NatsConnection): Promise<Requests> => {
  await ensureWorkQueue(nats, requestStream, 'dcm.agent.>');
  const publish = async (request: ReturnType<typeof agentRequest>) =>
    void (await jetstream(nats).publish(request.subject, JSON.stringify(request), { msgID: request.id }));
  return {
    create: (topic, about) => publish(agentRequest('create', topic, about)),
    delete: (topic, about) => publish(agentRequest('delete', topic, about)),
    cancel: (topic, about) => publish(agentRequest('cancel', `${topic}.cancel`, about)),
  };
};

/** Creates a stream whose messages are removed once they are acknowledged. One that exists is left as it is. */
export const ensureWorkQueue = (nats: NatsConnection, name: string, subject: string): Promise<void> =>
  ensureStream(nats, { name, subjects: [subject], retention: RetentionPolicy.Workqueue });
