import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { FailedPreconditionError, NotFoundError } from '../../../../shared/core/errors.ts';
import type { Database } from '../database.ts';
import { Timestamp } from '../status-event.ts';

/** An environment agent's registration. @see https://github.com/dcm-project/control-plane (api/agent/v1alpha1/openapi.yaml) */
export const AgentRegistration = z.object({
  name: z.string(),
  environment: z.string(),
  topic_name: z.string().regex(/^dcm\.agent\..+/),
  service_types: z.array(z.string()),
  cost: z.enum(['low', 'medium-low', 'medium', 'medium-high', 'high']),
});
export type AgentRegistration = z.infer<typeof AgentRegistration>;

export const Heartbeat = z.object({ consumer_lag: z.int(), timestamp: Timestamp });
export type Heartbeat = z.infer<typeof Heartbeat>;

export const AgentHealth = z.enum(['ready', 'congested', 'unavailable']);

export type Agent = {
  readonly id: string;
  readonly name: string;
  readonly environment: string;
  readonly serviceTypes: readonly string[];
  readonly cost: string;
  /** NATS subject to which its requests are published. */
  readonly topicName: string;
  readonly healthStatus: z.infer<typeof AgentHealth>;
  readonly lastHeartbeat: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** The registered environment agents. */
export type Agents = {
  /** Idempotent by name. @throws FailedPreconditionError where another agent has the topic. */
  register(registration: AgentRegistration): Promise<{ readonly agent: Agent; readonly isNew: boolean }>;
  /** A heartbeat that is not newer than the last one changes nothing. @throws NotFoundError */
  beat(id: string, heartbeat: Heartbeat): Promise<Agent>;
  get(id: string): Promise<Agent | undefined>;
  byName(name: string): Promise<Agent | undefined>;
  /** Oldest first. */
  list(health?: Agent['healthStatus']): Promise<Agent[]>;
  /** Agents whose last heartbeat is older than this are unavailable. */
  expire(olderThanMs: number): Promise<void>;
};

/** With this consumer lag, in messages, an agent is congested and gets no new requests. */
const congestedLag = 100;

const columns = `id, name, environment, service_types as "serviceTypes", cost, topic_name as "topicName",
  health_status as "healthStatus", last_heartbeat as "lastHeartbeat", create_time as "createdAt", update_time as "updatedAt"`;

export const agentsIn = (database: Database): Agents => {
  const by = (column: 'id' | 'name' | 'topic_name', value: string) =>
    database.one<Agent>(`select ${columns} from agents where ${column} = $1`, [value]);
  const written = async (sql: string, values: readonly unknown[]): Promise<Agent> => {
    const agent = await database.one<Agent>(`${sql} returning ${columns}`, values);
    if (agent === undefined) throw new NotFoundError('agent not found');
    return agent;
  };
  return {
    register: async ({ name, environment, topic_name: topic, service_types: types, cost }) => {
      const [known, holder] = [await by('name', name), await by('topic_name', topic)];
      if (holder !== undefined && holder.name !== name)
        throw new FailedPreconditionError(`topic name "${topic}" is already registered to another agent`);
      const values = [name, environment, JSON.stringify(types), cost, topic];
      const agent =
        known === undefined
          ? await written(insert, [...values, randomUUID()])
          : await written(update, values);
      return { agent, isNew: known === undefined };
    },
    beat: async (id, { consumer_lag: lag, timestamp }) => {
      const health = lag >= congestedLag ? 'congested' : 'ready';
      await database.change(beat, [id, timestamp, health]);
      const agent = await by('id', id);
      if (agent === undefined) throw new NotFoundError('agent not found');
      return agent;
    },
    get: (id) => by('id', id),
    byName: (name) => by('name', name),
    list: (health) =>
      database.all<Agent>(
        `select ${columns} from agents where $1::text is null or health_status = $1 order by create_time, id`,
        [health ?? null],
      ),
    expire: async (olderThanMs) => {
      const cutoff = new Date(Date.now() - olderThanMs);
      await database.change(`update agents set health_status = 'unavailable' where last_heartbeat < $1`, [
        cutoff,
      ]);
    },
  };
};

const insert = `
  insert into agents (name, environment, service_types, cost, topic_name, id) values ($1, $2, $3, $4, $5, $6)`;

const update = `
  update agents set environment = $2, service_types = $3, cost = $4, topic_name = $5, health_status = 'ready',
    last_heartbeat = now(), update_time = now()
  where name = $1`;

const beat = `
  update agents set last_heartbeat = $2::timestamptz, health_status = $3, update_time = now()
  where id = $1 and last_heartbeat < $2::timestamptz`;

/** An agent as DCM's API answers it. */
export const agentResource = (agent: Agent) => ({
  agent_id: agent.id,
  name: agent.name,
  environment: agent.environment,
  service_types: agent.serviceTypes,
  cost: agent.cost,
  topic_name: agent.topicName,
  health_status: agent.healthStatus,
  last_heartbeat: agent.lastHeartbeat.toISOString(),
  create_time: agent.createdAt.toISOString(),
  update_time: agent.updatedAt.toISOString(),
});
