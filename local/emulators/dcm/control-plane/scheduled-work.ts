import { reasonOf } from '../../../../shared/core/errors.ts';
import type { Agents } from './agents.ts';
import type { Placement } from './placement.ts';
import type { Requests } from './requests.ts';
import type { Row, Rows } from './rows.ts';

/** How long DCM waits, in milliseconds. @see https://github.com/dcm-project/control-plane (internal/app/config.go) */
export type Times = {
  /** A create that its agent has not acknowledged after this time is reassigned to another agent. */
  readonly pendingMs: number;
  /** A create that is still queued at its agent after this time is cancelled there and reassigned. */
  readonly queuedMs: number;
  /** Pause between two sweeps. */
  readonly sweepMs: number;
  /** Pause between two rounds of the cleanup, which publishes unacknowledged deletes again. */
  readonly cleanupMs: number;
  /** An agent without a heartbeat for this time is unavailable. */
  readonly heartbeatMs: number;
};
export const defaultTimes: Times = {
  pendingMs: 120_000,
  queuedMs: 300_000,
  sweepMs: 10_000,
  cleanupMs: 60_000,
  heartbeatMs: 60_000,
};

const maximumSweeps = 3;
const maximumDeletes = 10;

type Parts = {
  readonly rows: Rows;
  readonly agents: Pick<Agents, 'byName' | 'expire'>;
  readonly requests: Pick<Requests, 'delete' | 'cancel'>;
  readonly placement: Pick<Placement, 'moveAway'>;
  readonly times: Times;
  readonly log: (line: string) => void;
};

/**
 * One round of DCM's sweep. It reassigns pending creates without cancelling them at the first agent, which may still handle them; queued
 * creates are cancelled first. After three attempts that find no other agent the row fails.
 * @see https://github.com/dcm-project/control-plane (internal/sp/pending/sweep.go)
 */
export const sweep = async (parts: Parts): Promise<void> => {
  await parts.agents.expire(parts.times.heartbeatMs);
  await sweepPending(parts);
  await sweepQueued(parts);
};

const sweepPending = async (parts: Parts): Promise<void> => {
  const { rows, times } = parts;
  for (const row of await rows.overdue('pending', times.pendingMs)) {
    if (!(await rows.claim(row.id, 'pending', 'pending')) || (await isReassigned(parts, row))) continue;
    if (row.retryCount >= maximumSweeps) await rows.settle(row.id, 'pending', 'failed');
  }
};

const sweepQueued = async (parts: Parts): Promise<void> => {
  const { rows, times } = parts;
  for (const row of await rows.overdue('queued', times.queuedMs)) {
    if (!(await rows.claim(row.id, 'queued', 'cancelled'))) continue;
    await cancelAtAgent(parts, row);
    if (await isReassigned(parts, row)) continue;
    await rows.settle(row.id, 'cancelled', row.retryCount + 1 >= maximumSweeps ? 'failed' : 'pending');
  }
};

const isReassigned = async ({ placement, log }: Parts, { id }: Row): Promise<boolean> => {
  try {
    await placement.moveAway(id);
    return true;
  } catch (error) {
    log(`${id} was not reassigned: ${reasonOf(error)}`);
    return false;
  }
};

/** Best effort: the create is reassigned even where the cancellation is not published. */
const cancelAtAgent = async ({ agents, requests, log }: Parts, { id, agentName, serviceType }: Row) => {
  const agent = await agents.byName(agentName ?? '');
  if (agent?.healthStatus !== 'ready') return;
  await requests
    .cancel(agent.topicName, { resourceId: id, serviceType: serviceType ?? '' })
    .catch((error) => log(`cancellation of ${id} not published: ${reasonOf(error)}`));
};

/**
 * One round of DCM's cleanup: publishes each delete that was not acknowledged again, up to ten times.
 * @see https://github.com/dcm-project/control-plane (internal/sp/cleanup/scheduler.go)
 */
export const cleanUp = async ({ rows, agents, requests, log }: Parts): Promise<void> => {
  for (const { id, agentName, serviceType, retryCount } of await rows.scheduled()) {
    const agent = await agents.byName(agentName ?? '');
    if (agent === undefined) await rows.endDeletion(id, 'DELETED');
    else if (retryCount >= maximumDeletes) await rows.endDeletion(id, 'FAILED');
    else {
      const about = { resourceId: id, serviceType: serviceType ?? '' };
      await requests
        .delete(agent.topicName, about)
        .catch((error) => log(`delete of ${id} not published: ${reasonOf(error)}`));
      await rows.countDeletion(id);
    }
  }
};
