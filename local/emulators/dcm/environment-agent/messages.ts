import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import * as z from 'zod';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { responseSubject } from '../control-plane/requests.ts';
import { ensureStream } from '../jetstream.ts';

/**
 * The names of an agent's subjects, streams and consumers. `base` is its AGENT_TOPIC_NAME, or else its AGENT_NAME.
 * @see https://github.com/dcm-project/environment-agent (internal/messaging/topics.go)
 */
export const topicsOf = (base: string) => ({
  main: `dcm.agent.${base}`,
  cancel: `dcm.agent.${base}.cancel`,
  retry: `${base}.retry`,
  retryStream: `${base}-retry`,
  mainConsumer: `${base}-consumer`,
  cancelConsumer: `${base}-cancel-consumer`,
  retryConsumer: `${base}-retry-consumer`,
});
export type Topics = ReturnType<typeof topicsOf>;

const healthStream = 'dcm-health';
const healthSubject = 'dcm.agents.health';

const Data = z.object({
  resource_id: z.string().default(''),
  service_type: z.string().default(''),
  spec: z.unknown().optional(),
});

/** A request in the form of the control plane. */
const Request = z.object({
  id: z.string(),
  type: z.enum(['dcm.request.create', 'dcm.request.delete', 'dcm.request.cancel']),
  data: Data,
});
export type Request = {
  /** Id of the CloudEvent, which is the `Idempotency-Key` of every attempt. */
  readonly id: string;
  readonly kind: 'create' | 'delete' | 'cancel';
  readonly resourceId: string;
  readonly serviceType: string;
  readonly spec: unknown;
};

/** undefined for a message that is not a request; the agent drops it. */
export const readRequest = (json: unknown): Request | undefined => {
  const { data: request } = Request.safeParse(json);
  if (request === undefined) return undefined;
  const { id, type, data } = request;
  const kinds = {
    'dcm.request.create': 'create',
    'dcm.request.delete': 'delete',
    'dcm.request.cancel': 'cancel',
  } as const;
  return {
    id,
    kind: kinds[type],
    resourceId: data.resource_id,
    serviceType: data.service_type,
    spec: data.spec,
  };
};

/** Publishes an agent's messages. A failed publication is logged, and not retried. */
export type Publications = {
  /** Publishes an answer to the control plane about a resource. */
  answer(type: AnswerType, resourceId: string, more: object): Promise<void>;
  /** Publishes a request unchanged to the retry stream. @throws where JetStream does not acknowledge it */
  hold(request: Uint8Array): Promise<void>;
  health(type: 'degraded' | 'unavailable', more: object): Promise<void>;
};
export type AnswerType =
  | 'creation-acknowledged'
  | 'deletion-acknowledged'
  | 'request-queued'
  | 'error'
  | 'cancel-acknowledged'
  | 'cancel-rejected';

type Options = {
  readonly nats: NatsConnection;
  readonly agentName: string;
  readonly topics: Topics;
  readonly log: (line: string) => void;
};

export const publications = ({ nats, agentName, topics, log }: Options): Publications => {
  const js = jetstream(nats);
  const names = { agent_name: agentName, topic_name: topics.main };
  const publish = async (subject: string, type: string, data: object) => {
    const id = randomUUID();
    const event = {
      ...{ specversion: '1.0', id, source: `dcm/agents/${agentName}`, type: `dcm.agent.${type}`, subject },
      ...{ datacontenttype: 'application/json', time: new Date().toISOString(), data },
    };
    await js
      .publish(subject, JSON.stringify(event), { msgID: id })
      .catch((error: unknown) => log(`${type} was not published: ${reasonOf(error)}`));
  };
  return {
    answer: (type, resourceId, more) =>
      publish(responseSubject, type, { resource_id: resourceId, ...names, ...more }),
    hold: async (request) => void (await js.publish(topics.retry, request)),
    health: (type, more) =>
      publish(healthSubject, `health.service-type-${type}`, { agent_id: agentName, ...names, ...more }),
  };
};

/** Creates the agent's own streams; the control plane creates the other two. */
export const ensureOwnStreams = async (nats: NatsConnection, topics: Topics): Promise<void> => {
  await ensureStream(nats, { name: topics.retryStream, subjects: [topics.retry] });
  await ensureStream(nats, { name: healthStream, subjects: [healthSubject] });
};
