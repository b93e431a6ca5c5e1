import type { Spec } from '../api-conventions.ts';
import type { Database } from '../database.ts';

/** One service-type instance in the instance service's table. */
export type Row = {
  readonly id: string;
  /** null where a status event added the row. */
  readonly serviceType: string | null;
  /** Lower case: `pending`, `queued`, `provisioning`, `cancelled`, `deleting`, `pending_deletion`, `failed`, or any word of a provider. */
  readonly status: string;
  readonly message: string;
  readonly spec: Spec | null;
  /** The last `output_spec` that the provider published. */
  readonly outputSpec: Spec | null;
  readonly agentName: string | null;
  /** Number of attempts of the sweep at the create, or of the cleanup at the delete. */
  readonly retryCount: number;
  readonly deletionStatus: 'SCHEDULED' | 'FAILED' | 'DELETED' | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

type StatusUpdate = {
  readonly id: string;
  readonly status: string;
  readonly message: string;
  /** Replaces the stored outputs; undefined keeps them. */
  readonly outputSpec?: Spec | undefined;
};

/** A change by an agent's answer. It applies only to a row of that agent in one of the statuses `from`. */
type Transition = { readonly from: readonly string[]; readonly agentName: string; readonly to: string };

type Selection = {
  readonly serviceType?: string | undefined;
  readonly agentName?: string | undefined;
  readonly showDeleted?: boolean | undefined;
  readonly offset?: number;
  readonly limit?: number | undefined;
};

/** DCM's table of instances. A boolean result says whether the row existed, in a status that allows the change. */
export type Rows = {
  add(row: Pick<Row, 'id' | 'agentName' | 'serviceType' | 'spec'>): Promise<Row>;
  /** Finds a row whose deletion is under way too. */
  get(id: string): Promise<Row | undefined>;
  /** Oldest first; without `showDeleted`, only rows without a deletion status. */
  list(selection?: Selection): Promise<Row[]>;
  /** Applies a status event: the last update wins. */
  update(status: StatusUpdate): Promise<boolean>;
  /** The same, but adds a missing row, unless a row with this id was deleted: then `unknown`. */
  upsert(status: StatusUpdate): Promise<'added' | 'applied' | 'unknown'>;
  move(id: string, transition: Transition): Promise<boolean>;
  /** `pending` → `queued`; resets the time after which the sweep handles the row. */
  queue(id: string, agentName: string): Promise<boolean>;
  /** Back to `pending`, for another agent; only where it is `pending` or `cancelled` and still at the agent `from`. */
  reassign(id: string, agentName: string, from: string): Promise<boolean>;
  /** Rows that have been in this status for longer than this. */
  overdue(status: 'pending' | 'queued', longerThanMs: number): Promise<Row[]>;
  /** Begins the sweep's attempt at an overdue row: counts it and resets its time. */
  claim(id: string, from: 'pending' | 'queued', to: string): Promise<boolean>;
  /** Ends the sweep's attempt: `failed`, or `pending` for another attempt. */
  settle(id: string, from: string, to: 'failed' | 'pending'): Promise<boolean>;
  /** Marks the row, so that the cleanup publishes the delete until it is acknowledged. */
  schedule(id: string, options?: { readonly status?: 'deleting' }): Promise<boolean>;
  scheduled(): Promise<Row[]>;
  countDeletion(id: string): Promise<void>;
  endDeletion(id: string, status: 'FAILED' | 'DELETED', agentName?: string): Promise<boolean>;
  /** Permanently. Where an agent is given, only a row of that agent. */
  remove(id: string, agentName?: string): Promise<boolean>;
};

const columns = `id, service_type as "serviceType", status, status_message as message, spec, output_spec as "outputSpec",
  agent_name as "agentName", retry_count as "retryCount", deletion_status as "deletionStatus", create_time as "createdAt",
  update_time as "updatedAt"`;
const ofAgent = '($2::text is null or agent_name = $2)';

export const rowsIn = (database: Database): Rows => {
  const changes = async (sql: string, ...values: readonly unknown[]) =>
    (await database.change(sql, values)) > 0;
  return {
    add: async ({ id, agentName, serviceType, spec }) => {
      await database.change('delete from deleted_instances where id = $1', [id]);
      const row = await database.one<Row>(insert, [id, serviceType, spec, agentName]);
      if (row === undefined) throw new Error(`The row ${id} was not added.`);
      return row;
    },
    get: (id) => database.one<Row>(`select ${columns} from service_type_instances where id = $1`, [id]),
    list: ({ serviceType, agentName, showDeleted = false, offset = 0, limit } = {}) =>
      database.all<Row>(list, [serviceType ?? null, agentName ?? null, showDeleted, offset, limit ?? null]),
    update: ({ id, status, message, outputSpec }) => changes(update, id, status, message, outputSpec ?? null),
    upsert: async ({ id, status, message, outputSpec }) => {
      const values = [id, status, message, outputSpec ?? null];
      const row = await database.one<{ added: boolean }>(upsert, values);
      if (row === undefined) return 'unknown';
      return row.added ? 'added' : 'applied';
    },
    move: (id, { from, agentName, to }) => changes(move, id, agentName, JSON.stringify(from), to),
    queue: (id, agentName) => changes(queue, id, agentName),
    reassign: (id, agentName, from) => changes(reassign, id, agentName, from),
    overdue: (status, longerThanMs) =>
      database.all<Row>(overdue, [status, new Date(Date.now() - longerThanMs)]),
    claim: (id, from, to) => changes(claim, id, from, to),
    settle: (id, from, to) => changes(settle, id, from, to),
    schedule: (id, { status } = {}) => changes(schedule, id, status ?? null),
    scheduled: () =>
      database.all<Row>(
        `select ${columns} from service_type_instances where deletion_status = 'SCHEDULED' order by deletion_requested_at`,
      ),
    countDeletion: async (id) =>
      void (await changes(
        'update service_type_instances set retry_count = retry_count + 1 where id = $1',
        id,
      )),
    endDeletion: (id, status, agentName) => changes(endDeletion, id, agentName ?? null, status),
    remove: async (id, agentName) => {
      const isRemoved = await changes(
        `delete from service_type_instances where id = $1 and ${ofAgent}`,
        id,
        agentName ?? null,
      );
      if (isRemoved) await changes('insert into deleted_instances values ($1) on conflict do nothing', id);
      return isRemoved;
    },
  };
};

const insert = `
  insert into service_type_instances (id, service_type, status, spec, agent_name)
  values ($1, $2, 'pending', $3, $4) returning ${columns}`;

const list = `
  select ${columns} from service_type_instances
  where ($1::text is null or service_type = $1) and ${ofAgent} and ($3 or deletion_status is null)
  order by create_time, id offset $4 limit $5`;

const update = `
  update service_type_instances set status = $2, status_message = $3, output_spec = coalesce($4::jsonb, output_spec),
    update_time = now()
  where id = $1`;

/** `xmax` is 0 for a row that was inserted, because its version has replaced none. */
const upsert = `
  insert into service_type_instances (id, status, status_message, output_spec)
  select $1::text, $2::text, $3::text, $4::jsonb where not exists (select from deleted_instances where id = $1::text)
  on conflict (id) do update set status = $2::text, status_message = $3::text,
    output_spec = coalesce($4::jsonb, service_type_instances.output_spec), update_time = now()
  returning xmax = 0 as added`;

const move = `
  update service_type_instances set status = $4, status_message = '', update_time = now()
  where id = $1 and agent_name = $2 and $3::jsonb ? status`;

const queue = `
  update service_type_instances set status = 'queued', pending_started_at = now(), update_time = now()
  where id = $1 and agent_name = $2 and status = 'pending'`;

const reassign = `
  update service_type_instances set agent_name = $2, status = 'pending', status_message = '', pending_started_at = now(),
    update_time = now()
  where id = $1 and agent_name = $3 and status in ('pending', 'cancelled') and deletion_status is null`;

const overdue = `
  select ${columns} from service_type_instances
  where status = $1 and pending_started_at < $2 and agent_name is not null and deletion_status is null`;

const claim = `
  update service_type_instances set status = $3, retry_count = retry_count + 1, pending_started_at = now()
  where id = $1 and status = $2`;

const settle = `
  update service_type_instances set status = $3, pending_started_at = now(),
    status_message = case when $3 = 'failed' then 'retries exhausted' else status_message end
  where id = $1 and status = $2`;

const schedule = `
  update service_type_instances set deletion_status = 'SCHEDULED', deletion_requested_at = now(), retry_count = 0,
    status = coalesce($2, status), update_time = now()
  where id = $1`;

const endDeletion = `
  update service_type_instances set deletion_status = $3, update_time = now() where id = $1 and ${ofAgent}`;

/** A row as DCM's API answers it, without the message and the outputs. */
export const instanceResource = (row: Row) => ({
  id: row.id,
  path: `service-type-instances/${row.id}`,
  ...(row.agentName !== null && { agent_name: row.agentName }),
  status: row.status,
  ...(row.deletionStatus !== null && { deletion_status: row.deletionStatus }),
  spec: row.spec ?? {},
  create_time: row.createdAt.toISOString(),
  update_time: row.updatedAt.toISOString(),
});
