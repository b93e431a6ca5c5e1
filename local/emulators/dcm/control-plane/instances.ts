import { randomUUID } from 'node:crypto';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  reasonOf,
  UnavailableError,
  UnprocessableError,
} from '../../../../shared/core/errors.ts';
import { type Spec, serviceTypeOf } from '../api-conventions.ts';
import type { Agent, Agents } from './agents.ts';
import type { Requests } from './requests.ts';
import type { Row, Rows } from './rows.ts';

type CreateRequest = { readonly id?: string | undefined; readonly agentName: string; readonly spec: Spec };

/**
 * DCM's instance service: it writes the row and publishes the request. The agent's answers and the provider's status events update the row.
 * @see https://github.com/dcm-project/control-plane (internal/sp/service/resource_manager/service_type_instance.go)
 */
export type Instances = {
  /** @throws InvalidArgumentError, NotFoundError (agent), UnavailableError (agent), FailedPreconditionError (id), UnprocessableError (NATS) */
  create(request: CreateRequest): Promise<Row>;
  /**
   * Publishes the delete. The row is removed when the agent acknowledges it; until then the cleanup publishes the delete again.
   * @throws NotFoundError, UnprocessableError (NATS)
   */
  delete(id: string): Promise<void>;
  /** The same, but the row keeps its status, and remains as a deleted one. @throws NotFoundError */
  deleteDeferred(id: string): Promise<void>;
  /** Publishes the create to another agent. @throws as `create`; FailedPreconditionError where the row's status has changed */
  reassign(id: string, agentName: string, from: string): Promise<void>;
};

type Parts = {
  readonly rows: Rows;
  readonly agents: Pick<Agents, 'byName'>;
  readonly requests: Requests;
  readonly log: (line: string) => void;
};

export const instanceService = ({ rows, agents, requests, log }: Parts): Instances => {
  const findAgent = async (agentName: string, serviceType: string): Promise<Agent> => {
    if (agentName.trim() === '')
      throw new InvalidArgumentError('agent_name is required and must not be empty');
    const agent = await agents.byName(agentName);
    if (agent === undefined) throw new NotFoundError(`agent '${agentName}' not found`);
    if (agent.healthStatus !== 'ready')
      throw new UnavailableError(`agent '${agentName}' is ${agent.healthStatus}`);
    if (!agent.serviceTypes.includes(serviceType))
      throw new InvalidArgumentError(`agent '${agentName}' does not serve service type '${serviceType}'`);
    return agent;
  };
  const publish = (what: string, id: string, publishing: Promise<void>) =>
    publishing.catch((cause: unknown) => {
      throw new UnprocessableError(`failed to publish ${what} for instance ${id}: ${reasonOf(cause)}`, {
        cause,
      });
    });

  const withAgent = async (id: string) => {
    const row = await rows.get(id);
    if (row === undefined) throw new NotFoundError(`instance ${id} not found`);
    return { row, agent: await agents.byName(row.agentName ?? '') };
  };

  return {
    create: async ({ id = randomUUID(), agentName, spec }) => {
      const serviceType = serviceTypeOf(spec);
      const { topicName } = await findAgent(agentName, serviceType);
      if ((await rows.get(id)) !== undefined)
        throw new FailedPreconditionError(`instance with ID '${id}' already exists`);
      const row = await rows.add({ id, agentName, serviceType, spec });
      try {
        await publish(
          'create request',
          id,
          requests.create(topicName, { resourceId: id, serviceType, spec }),
        );
      } catch (error) {
        await rows.remove(id);
        throw error;
      }
      return row;
    },
    delete: async (id) => {
      const { row, agent } = await withAgent(id);
      if (agent === undefined) return void (await rows.remove(id)); // no agent would acknowledge the delete
      // DCM publishes first. It then ignores an answer that comes before the row is `deleting`, until the cleanup publishes again.
      await rows.schedule(id, { status: 'deleting' });
      await publish('delete', id, requests.delete(agent.topicName, resourceOf(row)));
    },
    deleteDeferred: async (id) => {
      const { row, agent } = await withAgent(id);
      await rows.schedule(id);
      if (agent === undefined) return;
      await requests
        .delete(agent.topicName, resourceOf(row))
        .catch((error) => log(`delete of ${id} not published, the cleanup will retry: ${reasonOf(error)}`));
    },
    reassign: async (id, agentName, from) => {
      const { row } = await withAgent(id);
      const about = { ...resourceOf(row), spec: row.spec ?? {} };
      const { topicName } = await findAgent(agentName, about.serviceType);
      if (!(await rows.reassign(id, agentName, from)))
        throw new FailedPreconditionError(`instance ${id} is being deleted and cannot be reassigned`);
      await publish('create', id, requests.create(topicName, about));
    },
  };
};

const resourceOf = ({ id, serviceType }: Row) => ({ resourceId: id, serviceType: serviceType ?? '' });
