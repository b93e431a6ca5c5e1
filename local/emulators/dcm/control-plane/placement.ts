import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, NotFoundError, reasonOf } from '../../../../shared/core/errors.ts';
import type { Spec } from '../api-conventions.ts';
import type { Database } from '../database.ts';
import type { Instances } from './instances.ts';
import type { Policies } from './policies.ts';
import { bindReferences } from './references.ts';
import type { Rows } from './rows.ts';

export type ResourceInput = {
  readonly name: string;
  readonly spec: Spec;
  /** Names of the resources that must run first. */
  readonly requires: readonly string[];
};

type RunRequest = {
  readonly runId: string;
  /** Id of the catalog item instance. */
  readonly instanceId: string;
  readonly resources: readonly ResourceInput[];
};

type Status = 'PENDING' | 'PROVISIONING' | 'RUNNING' | 'FAILED' | 'PENDING_DELETION' | 'DELETING' | 'DELETED';

/** One resource of a run in placement; its status differs from the instance's. */
export type Resource = {
  readonly id: string;
  readonly runId: string;
  readonly instanceId: string;
  readonly name: string;
  /** As ordered, with unbound references. */
  readonly spec: Spec;
  readonly requires: readonly string[];
  /** 0 without requirements, else one more than the highest level of its requirements. */
  readonly level: number;
  readonly status: Status;
  readonly agentName: string;
};

/**
 * DCM's placement: creates a run level by level, each resource when all its requirements are running, and deletes it from the highest level
 * down. Callers only log the errors of the callbacks, as in DCM.
 * @see https://github.com/dcm-project/control-plane (internal/placement/service)
 */
export type Placement = {
  /** Creates level 0. @returns the ids in the order of the resources @throws the errors of policies and instances */
  createRun(request: RunRequest): Promise<string[]>;
  /** @throws NotFoundError */
  deleteRun(runId: string): Promise<void>;
  /** Creates the same resources under a new run, and deletes the old run. */
  rehydrate(runId: string, newRunId: string): Promise<string[]>;
  /** For RUNNING, also republished: creates the next level. */
  onRunning(id: string): Promise<void>;
  /** For DELETED, or the agent's acknowledgement: continues the deletion of the run. */
  onDeleted(id: string): Promise<void>;
  /** For FAILED, also after RUNNING: deletes the run with all its resources. */
  onFailed(id: string): Promise<void>;
  /** Reassigns the resource, and the resources of its run at the same agent, to another agent. */
  moveAway(id: string): Promise<void>;
  /** The resources of a run, by level. */
  run(runId: string): Promise<Resource[]>;
};

type Parts = {
  readonly database: Database;
  readonly rows: Pick<Rows, 'get'>;
  readonly instances: Instances;
  readonly policies: Policies;
  readonly log: (line: string) => void;
};

export const placementOf = (parts: Parts): Placement => {
  const { rows, instances, policies, log } = parts;
  const resources = resourcesIn(parts.database);
  const found = async (id: string): Promise<Resource> => {
    const resource = await resources.get(id);
    if (resource === undefined) throw new NotFoundError(`resource ${id} not found`);
    return resource;
  };

  const createRun = async ({ runId, instanceId, resources: inputs }: RunRequest): Promise<string[]> => {
    const levels = levelsOf(inputs);
    const planned: Resource[] = [];
    for (const { name, spec, requires } of inputs) {
      const agentName = await policies.choose({ spec });
      const placed = { level: levels.get(name) ?? 0, status: 'PENDING', agentName } as const;
      planned.push({ id: randomUUID(), runId, instanceId, name, spec, requires, ...placed });
    }
    for (const resource of planned) await resources.add(resource);
    const created: string[] = [];
    try {
      for (const { id, agentName, spec } of planned.filter(({ level }) => level === 0)) {
        await instances.create({ id, agentName, spec });
        created.push(id);
      }
    } catch (error) {
      for (const id of created)
        await instances.delete(id).catch((reason) => log(`${id} was not deleted: ${reasonOf(reason)}`));
      await resources.removeRun(runId);
      throw error;
    }
    return planned.map(({ id }) => id);
  };

  /** The outputs of RUNNING resources, by their names. */
  const outputsOf = async (run: readonly Resource[]): Promise<Map<string, Spec>> => {
    const outputs = new Map<string, Spec>();
    for (const { id, name } of run.filter(({ status }) => status === 'RUNNING')) {
      const outputSpec = (await rows.get(id))?.outputSpec;
      if (outputSpec) outputs.set(name, outputSpec);
    }
    return outputs;
  };

  /** Sets PROVISIONING before references are bound, so a resource whose output is missing stays PROVISIONING, as in DCM. */
  const createNext = async (run: readonly Resource[]): Promise<void> => {
    const outputs = await outputsOf(run);
    for (const { id, spec } of readyAtLowestLevel(run)) {
      if (!(await resources.move(id, ['PENDING'], 'PROVISIONING'))) continue;
      const bound = bindReferences(spec, outputs);
      const agentName = await policies.choose({ spec: bound });
      await resources.place(id, agentName);
      await instances.create({ id, agentName, spec: bound });
    }
  };

  /** Deletes the highest level that is PENDING_DELETION, once no deletion is under way. */
  const progressDeletion = async (runId: string): Promise<void> => {
    const run = await resources.run(runId);
    if (run.some(({ status }) => status === 'DELETING')) return;
    const waiting = run.filter(({ status }) => status === 'PENDING_DELETION');
    if (waiting.length === 0) {
      if (run.every(({ status }) => status === 'DELETED')) await resources.removeRun(runId);
      return;
    }
    const level = Math.max(...waiting.map((one) => one.level));
    for (const { id } of waiting.filter((one) => one.level === level)) {
      if (!(await resources.move(id, ['PENDING_DELETION'], 'DELETING'))) continue;
      await instances.delete(id).catch(async (error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error;
        await resources.move(id, ['DELETING'], 'DELETED'); // never created: no agent will acknowledge it
      });
    }
    await progressDeletion(runId);
  };

  const deleteRun = async (runId: string): Promise<void> => {
    if ((await resources.run(runId)).length === 0) throw new NotFoundError(`run ${runId} not found`);
    await resources.moveRun(runId, 'PENDING_DELETION');
    await progressDeletion(runId);
  };

  const reassign = async ({ id, spec, agentName }: Resource): Promise<void> => {
    const chosen = await policies.choose({ spec, exclude: [agentName] });
    await instances.reassign(id, chosen, agentName);
    await resources.place(id, chosen);
  };

  return {
    createRun,
    deleteRun,
    run: resources.run,
    rehydrate: async (runId, newRunId) => {
      const old = await resources.run(runId);
      const [first] = old;
      if (first === undefined) throw new NotFoundError(`run ${runId} not found`);
      const ids = await createRun({ runId: newRunId, instanceId: first.instanceId, resources: old });
      await deleteRun(runId);
      return ids;
    },
    onRunning: async (id) => {
      const { runId } = await found(id);
      await resources.move(id, ['PENDING', 'PROVISIONING'], 'RUNNING');
      if ((await found(id)).status === 'RUNNING') await createNext(await resources.run(runId));
    },
    onDeleted: async (id) => {
      const { runId } = await found(id);
      await resources.move(
        id,
        ['DELETING', 'PENDING_DELETION', 'PENDING', 'PROVISIONING', 'RUNNING'],
        'DELETED',
      );
      if ((await found(id)).status === 'DELETED') await progressDeletion(runId);
    },
    onFailed: async (id) => {
      const { runId } = await found(id);
      if (await resources.move(id, ['PENDING', 'PROVISIONING', 'RUNNING'], 'FAILED')) await deleteRun(runId);
    },
    moveAway: async (id) => {
      const resource = await found(id);
      await reassign(resource);
      const siblings = (await resources.run(resource.runId)).filter(
        (one) => one.id !== id && one.agentName === resource.agentName,
      );
      for (const sibling of siblings)
        await reassign(sibling).catch((error) => log(`${sibling.id} was not reassigned: ${reasonOf(error)}`));
    },
  };
};

/** @throws InvalidArgumentError for a circular dependency. */
const levelsOf = (inputs: readonly ResourceInput[]): Map<string, number> => {
  const levels = new Map<string, number>();
  while (levels.size < inputs.length) {
    const next = inputs.filter(
      ({ name, requires }) => !levels.has(name) && requires.every((needed) => levels.has(needed)),
    );
    if (next.length === 0) throw new InvalidArgumentError('circular dependency detected in resources graph');
    const found = next.map(
      ({ name, requires }) =>
        [name, Math.max(-1, ...requires.map((needed) => levels.get(needed) ?? 0)) + 1] as const,
    );
    for (const [name, level] of found) levels.set(name, level);
  }
  return levels;
};

const readyAtLowestLevel = (run: readonly Resource[]): Resource[] => {
  const running = new Set(run.filter(({ status }) => status === 'RUNNING').map(({ name }) => name));
  const ready = run.filter(
    ({ status, requires }) => status === 'PENDING' && requires.every((needed) => running.has(needed)),
  );
  const lowest = Math.min(...ready.map(({ level }) => level));
  return ready.filter(({ level }) => level === lowest);
};

const columns = `id, run_id as "runId", catalog_item_instance_id as "instanceId", name, spec, requires_resources as requires,
  dag_level as level, status, agent_name as "agentName"`;

/** Placement's table. */
const resourcesIn = (database: Database) => ({
  get: (id: string) => database.one<Resource>(`select ${columns} from resources where id = $1`, [id]),
  run: (runId: string) =>
    database.all<Resource>(`select ${columns} from resources where run_id = $1 order by dag_level, name`, [
      runId,
    ]),
  add: ({ id, runId, instanceId, name, spec, requires, level, status, agentName }: Resource) =>
    database.change(
      `insert into resources (id, run_id, catalog_item_instance_id, name, spec, requires_resources, dag_level, status, agent_name)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [id, runId, instanceId, name, spec, JSON.stringify(requires), level, status, agentName],
    ),
  /** False where the status is none of `from`. */
  move: async (id: string, from: readonly Status[], to: Status) =>
    (await database.change('update resources set status = $3 where id = $1 and $2::jsonb ? status', [
      id,
      JSON.stringify(from),
      to,
    ])) > 0,
  moveRun: (runId: string, to: Status) =>
    database.change('update resources set status = $2 where run_id = $1', [runId, to]),
  place: (id: string, agentName: string) =>
    database.change('update resources set agent_name = $2 where id = $1', [id, agentName]),
  removeRun: (runId: string) => database.change('delete from resources where run_id = $1', [runId]),
});
