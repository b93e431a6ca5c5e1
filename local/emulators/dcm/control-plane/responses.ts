import type { JsMsg } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import * as z from 'zod';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { jsonOf, startConsumer } from '../jetstream.ts';
import type { Agents } from './agents.ts';
import type { Placement } from './placement.ts';
import { ensureWorkQueue, type Requests, responseStream, responseSubject } from './requests.ts';
import type { Rows } from './rows.ts';

const durable = 'control-plane-response-consumer';
const nakDelayMs = 5_000;

/** The fields of an agent's answer that the control plane reads. */
const Response = z.object({
  type: z.string(),
  data: z.object({ resource_id: z.string().min(1), agent_name: z.string().min(1) }),
});

type Parts = {
  readonly rows: Rows;
  readonly agents: Pick<Agents, 'byName'>;
  readonly requests: Pick<Requests, 'delete'>;
  readonly placement: Pick<Placement, 'onDeleted'>;
  readonly log: (line: string) => void;
};
type Answer = { readonly id: string; readonly agentName: string };

/**
 * Applies an agent's answers to their rows. An answer is ignored where the row has another status or another agent. An `error` sets the row
 * to failed and does not call placement, so the run does not end unless a FAILED status event follows.
 * @see https://github.com/dcm-project/control-plane (internal/sp/consumer/response_consumer.go)
 */
const handlersOf = ({ rows, agents, requests, placement, log }: Parts) => {
  const moves =
    (from: readonly string[], to: string) =>
    async ({ id, agentName }: Answer) =>
      void (await rows.move(id, { from, agentName, to }));
  const all: Readonly<Record<string, (answer: Answer) => Promise<void>>> = {
    'dcm.agent.creation-acknowledged': moves(['pending', 'queued'], 'provisioning'),
    'dcm.agent.error': moves(['pending', 'queued', 'provisioning'], 'failed'),
    'dcm.agent.cancel-acknowledged': moves(['queued'], 'cancelled'),
    'dcm.agent.request-queued': async ({ id, agentName }) => void (await rows.queue(id, agentName)),
    'dcm.agent.deletion-acknowledged': async ({ id, agentName }) => {
      const row = await rows.get(id);
      if (row === undefined || !(await isOver(row.status, row.deletionStatus))) return;
      await placement
        .onDeleted(id)
        .catch((error) => log(`placement failed on the deletion of ${id}: ${reasonOf(error)}`));

      async function isOver(status: string, deletion: string | null): Promise<boolean> {
        if (status === 'deleting') return rows.remove(id, agentName);
        if (status === 'pending_deletion' || deletion === 'SCHEDULED')
          return rows.endDeletion(id, 'DELETED', agentName);
        return false;
      }
    },
    'dcm.agent.cancel-rejected': async ({ id, agentName }) => {
      if (!(await rows.move(id, { from: ['queued', 'cancelled'], agentName, to: 'pending_deletion' })))
        return;
      await rows.schedule(id);
      const [row, agent] = [await rows.get(id), await agents.byName(agentName)];
      if (row && agent)
        await requests.delete(agent.topicName, { resourceId: id, serviceType: row.serviceType ?? '' });
    },
  };
  return all;
};

/** Consumes the agents' answers, one at a time. Disposing finishes the message that is being handled. */
export const startResponseConsumer = async (nats: NatsConnection, parts: Parts): Promise<AsyncDisposable> => {
  const handlers = handlersOf(parts);
  await ensureWorkQueue(nats, responseStream, responseSubject);
  const handle = async (message: JsMsg) => {
    const { data: response } = Response.safeParse(jsonOf(message));
    if (response === undefined) return message.ack(); // DCM discards messages that it cannot read
    const { type, data } = response;
    try {
      await handlers[type]?.({ id: data.resource_id, agentName: data.agent_name });
      message.ack();
    } catch (error) {
      parts.log(`${type} of ${data.resource_id}: ${reasonOf(error)}; will be redelivered`);
      message.nak(nakDelayMs);
    }
  };
  const config = { ack_wait: nanos(30_000), max_deliver: 10 };
  return startConsumer({ nats, stream: responseStream, durable, config, handle, log: parts.log });
};
